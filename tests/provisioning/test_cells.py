"""Cells of many rows are read as `read_record` reads a record: the quick ways accept nothing else and lose nothing."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rgapp.provisioning import UNSET, Field, FieldRule, ProblemCode, SourceRecord, read_record
from rgapp.provisioning import cells as module
from rgapp.provisioning.cells import CellReader, Line
from tests.conftest import NOW
from tests.provisioning.conftest import RULES

TODAY = NOW.date()
NAMES = [field.value for field in Field]
ODD = st.text(max_size=70) | st.text(alphabet="aA1 .-'@_+\u00a0\u0301\u200d\u212a\u202eß\x00\t", max_size=70)
ADDRESS = st.from_regex(
    r"[A-Za-z0-9._+%'=?-]{0,66}@[A-Za-z0-9.-]{0,20}(\.(example|test|com|c|1|xn--a))?", fullmatch=True
)
CELLS = st.tuples(
    ODD | st.from_regex(r"[ -~]{0,66}", fullmatch=True),
    ODD | ADDRESS | st.emails(),
    ODD,
    ODD,
    ODD | st.dates(date(1890, 1, 1), date(2030, 1, 1)).map(str),
)


@given(CELLS)
def test_the_quick_way_reads_what_the_rules_read(cells: tuple[str, ...]) -> None:
    record = SourceRecord("", {name: [cell] for name, cell in zip(NAMES, cells, strict=True)})
    wanted = read_record(record, RULES, today=TODAY)
    values, flaws = CellReader(RULES, TODAY).read(cells)
    said = [wanted.person.get(field) for field in Field]
    assert list(values) == [None if value is UNSET else str(value) for value in said]
    assert [(flaw.field, flaw.problem) for flaw in flaws] == [
        (entry.field, entry.problem) for entry in wanted.fields if entry.problem is not None
    ]


@given(CELLS)
def test_a_line_has_the_reading_of_its_record(cells: tuple[str, ...]) -> None:
    record = SourceRecord("", {name: [cell] for name, cell in zip(NAMES, cells, strict=True)})
    wanted = read_record(record, RULES, today=TODAY)
    values, flaws = CellReader(RULES, TODAY).read(cells)
    gaps = [[flaw.field.value, flaw.problem.code.value] for flaw in flaws]
    line = Line(7, "key", *values, None, True, None, gaps)
    found = line.reading(RULES)
    assert (found.position, found.person) == ("row 7", wanted.person)
    assert [(each.field, each.looked_for, each.value, each.ok) for each in found.fields] == [
        (each.field, each.looked_for, each.value, each.ok) for each in wanted.fields
    ]
    assert [entry.problem.code for entry in found.errors if entry.problem] == [
        entry.problem.code for entry in wanted.errors if entry.problem
    ]


def test_fields_that_are_not_mapped_are_left_alone() -> None:
    rules = {Field.EMAIL: FieldRule("mail"), Field.MEMBERSHIP_NO: FieldRule("no")}
    values, flaws = CellReader(rules, TODAY).read(["p1@acme.example", "P1"])
    assert (values, flaws) == (("P1", "p1@acme.example", None, None, None), ())
    reading = Line(1, "P1", *values, False, True, None).reading(rules)
    assert (reading.person.first_name, reading.person.active, reading.warnings) == (UNSET, False, ())


@pytest.mark.parametrize(
    ("cell", "born", "code"),
    [
        (date(1990, 4, 3), "1990-04-03", None),
        (date(2030, 1, 1), None, ProblemCode.FUTURE_DATE),
        (date(1890, 1, 1), None, ProblemCode.TOO_LONG_AGO),
        (None, None, ProblemCode.MISSING),
    ],
)
def test_a_cell_that_is_a_date_needs_no_format(cell: date | None, born: str | None, code: ProblemCode | None) -> None:
    rules = RULES | {Field.DATE_OF_BIRTH: FieldRule("date_of_birth", "%d/%m/%Y")}
    values, flaws = CellReader(rules, TODAY).read(["P1", "p1@acme.example", "Jane", "Carter", cell])
    assert values[4] == born
    assert [flaw.problem.code for flaw in flaws] == ([code] if code else [])


def test_a_date_where_text_should_be_is_read_as_its_text() -> None:
    values, _ = CellReader(RULES, TODAY).read([date(2020, 1, 1), "p1@acme.example", "Jane", "Carter", ""])
    assert values[0] == "2020-01-01"
    assert CellReader(RULES, TODAY).membership_no(" P1 ") == "P1"
    assert CellReader(RULES, TODAY).membership_no("") is None


def test_what_is_remembered_of_names_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "VALUES_REMEMBERED", 3)
    reader = CellReader(RULES, TODAY)
    for letter in "abcdefg":
        values, _ = reader.read(["P1", "p1@acme.example", letter, letter, "1990-04-03"])
        assert values[2:4] == (letter, letter)
    assert len(reader._firsts) <= 3
