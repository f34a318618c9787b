"""Marks that are expected: each comes again once, whatever the order."""

from array import array

from hypothesis import given
from hypothesis import strategies as st

from rgapp.integrations.sync.contradictions import Marks
from rgapp.integrations.sync.expected import Expected

MARK = st.integers(-20, 20) | st.integers(-(2**63), 2**63 - 1)


@given(st.lists(MARK, unique=True), st.lists(MARK))
def test_what_comes_is_met_once_and_the_rest_is_still_expected(marks: list[int], come: list[int]) -> None:
    expected, left = Expected(array("q", marks)), set(marks)
    for mark in come:
        assert expected.meet(mark) is (mark in left)
        left.discard(mark)
        assert len(expected) == len(left)
    assert {mark for mark in [*marks, *come] if mark in expected} == left


@given(st.lists(MARK))
def test_marks_that_come_twice_are_found(values: list[int]) -> None:
    assert Marks(array("q", values)).twice() == {mark for mark in values if values.count(mark) > 1}
