"""How long transactions get, and what is made meanwhile: in order, bounded, and never in anybody's way."""

from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from threading import Event, get_ident

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rgapp.integrations.sync import ahead
from rgapp.integrations.sync.ahead import Ahead, Beside, Unit
from rgapp.integrations.sync.stride import COURTEOUS_SECONDS, LONGEST_COMMIT_SECONDS, MOST_BATCHES, Stride
from rgapp.turnstile import Bell


@dataclass
class Ringing(Bell):
    """A bell that rings as it is told."""

    waits: bool = False
    made_way: int = 0
    now: float = 0.0

    def rings(self) -> bool:
        return self.waits

    def make_way(self) -> None:
        self.made_way += 1
        self.waits = False

    def clock(self) -> float:
        return self.now


def stride_of(bell: Ringing) -> Stride:
    return Stride(bell, clock=bell.clock)


def longest(stride: Stride) -> int:
    """Return after how many batches a transaction is over."""
    return next(number for number in range(1, MOST_BATCHES + 2) if stride.is_over(number))


def test_transactions_grow_while_nobody_waits_and_commits_are_short() -> None:
    stride = stride_of(Ringing())
    found = []
    for _ in range(12):
        found.append(longest(stride))
        stride.ended(0.01)
    assert found[:4] == [1, 2, 4, 8]
    assert found[-1] == MOST_BATCHES


def test_a_long_commit_makes_the_next_one_shorter() -> None:
    stride = stride_of(Ringing())
    for seconds in (0.01, 0.01, 0.01, LONGEST_COMMIT_SECONDS * 0.8, LONGEST_COMMIT_SECONDS * 1.1):
        stride.ended(seconds)
    assert longest(stride) == 4


def test_who_rings_is_let_in_and_keeps_transactions_short_for_a_while() -> None:
    bell = Ringing()
    stride = stride_of(bell)
    for _ in range(12):
        stride.ended(0.01)
    bell.waits = True
    assert stride.is_over(1)
    stride.ended(0.01)
    assert not bell.waits
    assert longest(stride) == 1
    bell.now = COURTEOUS_SECONDS - 0.1
    stride.ended(0.01)
    assert (longest(stride), stride.together) == (1, 1)
    bell.now = COURTEOUS_SECONDS + 0.1
    stride.ended(0.01)
    assert (longest(stride), stride.together) == (2, 2)


def test_without_a_bell_each_batch_is_a_transaction() -> None:
    stride = Stride(None)
    stride.ended(0.01)
    assert stride.is_over(1)


def numbers(batches: list[list[int]]) -> Iterator[tuple[list[int], int]]:
    for place, batch in enumerate(batches, 1):
        yield batch, place


def nothing(_: Unit) -> None:
    """Make nothing."""


@given(
    st.lists(st.lists(st.integers(), min_size=1, max_size=5), max_size=20),
    st.integers(1, 4),
    st.lists(st.integers(0, 3), max_size=20),
)
def test_units_hold_every_batch_once_and_in_order(batches: list[list[int]], together: int, looks: list[int]) -> None:
    units = Ahead(numbers(batches), nothing, lambda: together)
    found: list[Unit] = []
    for unit, look in zip(units, [*looks, *[0] * len(batches)], strict=False):
        found.append(unit)
        for _ in range(look):
            units.more()
    assert [entry for unit in found for entry in unit.entries] == [entry for batch in batches for entry in batch]
    assert sum(unit.batches for unit in found) == len(batches)
    assert [unit.behind for unit in found] == sorted({unit.behind for unit in found})
    assert all(1 <= unit.batches <= together for unit in found)


def test_what_was_made_ahead_is_shortened_once_somebody_waits() -> None:
    together, made = [8], list[int]()
    units = Ahead(
        numbers([[number] for number in range(20)]), lambda unit: made.append(unit.batches), lambda: together[0]
    )
    assert [units.more() for _ in range(2)] == [True, True]
    together[0] = 1
    found = [unit.entries for unit in units]
    assert found == [[number] for number in range(20)]
    assert made[:2] == [8, 8]
    assert set(made[2:]) == {1}


def test_no_more_is_made_ahead_than_memory_is_there_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "MOST_AHEAD", 3)
    units = Ahead(numbers([[1, 2]] * 10), nothing, lambda: 1)
    assert [units.more() for _ in range(4)] == [True, True, False, False]
    next(iter(units))
    assert units.more()


def test_an_action_runs_beside_what_is_done_meanwhile() -> None:
    seen, begun = list[int](), Event()
    somewhere = ContextVar("somewhere", default="here")
    somewhere.set("there")

    def act() -> str:
        begun.wait(10)
        seen.append(get_ident())
        return somewhere.get()

    def meanwhile() -> bool:
        begun.set()
        return False

    with Beside() as beside:
        assert beside.do(act, meanwhile) == "there"
    assert seen != [get_ident()]


def test_a_mistake_of_the_action_is_raised_here() -> None:
    def fail() -> None:
        raise ValueError("a mistake")

    with Beside() as beside, pytest.raises(ValueError, match="a mistake"):
        beside.do(fail, lambda: False)


def test_a_mistake_made_meanwhile_is_raised_once_the_action_has_ended() -> None:
    failing, ended = Event(), list[bool]()

    def act() -> None:
        failing.wait(10)
        ended.append(True)

    def fail() -> bool:
        failing.set()
        raise ValueError("a mistake")

    with Beside() as beside, pytest.raises(ValueError, match="a mistake"):
        beside.do(act, fail)
    assert ended == [True]
