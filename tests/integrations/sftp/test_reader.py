"""Tables read under a mapping: rows of the feed, who is there, and what cannot be read."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from rgapp.integrations.files.delimited import DelimitedTable
from rgapp.integrations.files.limits import LIMITS
from rgapp.integrations.files.sheet import SheetTable
from rgapp.integrations.sftp.reader import FileFeed
from rgapp.integrations.sftp.settings import SFTPSettings
from rgapp.integrations.sync.feed import ROWS_IN_BATCH, Damage, Feed, FeedFailure, FeedRow, RowFault, RowProblem
from rgapp.provisioning import Field
from tests.sheets import CellValue, ErrorCell, spreadsheet

MAPPING: dict[str, Any] = {"membership_no": {"column": "Employee ID"}, "email": {"column": "E-mail"}}
STATUS = {"column": "Status", "leaver": ["Left", "Terminated"]}
BIRTH = {"column": "Born", "format": "%d/%m/%Y"}


class Reader:
    """Reads files from the text or the sheet that a test writes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def text(self, content: str | bytes, *, full: bool = True, rows: int = LIMITS.rows, **mapping: Any) -> FileFeed:
        """Return the feed of a text file."""
        path = self._folder / "arrived.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return FileFeed(DelimitedTable(path, limits=replace(LIMITS, rows=rows)), settings(full, **mapping))

    def sheet(self, rows: list[list[CellValue]], **mapping: Any) -> FileFeed:
        """Return the feed of a spreadsheet."""
        path = self._folder / "arrived.xlsx"
        path.write_bytes(spreadsheet(rows))
        return FileFeed(SheetTable(path, self._folder / "rows"), settings(**mapping))


def settings(full: bool = True, **mapping: Any) -> SFTPSettings:
    """Return settings with the mandatory fields and these."""
    return SFTPSettings.model_validate({"full_file": full, "mapping": MAPPING | mapping})


def rows_of(feed: FileFeed) -> list[FeedRow]:
    """Return every row of a feed."""
    return [row for batch in feed.batches() for row in batch]


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    """Return what reads files."""
    return Reader(tmp_path)


def test_cells_are_those_of_the_mapping_in_its_order(read: Reader) -> None:
    feed: Feed = read.text("Site,e-MAIL,Employee  ID,Name\nBern,a@acme.example, 007 ,Jane\n")
    assert list(feed.rules) == [Field.MEMBERSHIP_NO, Field.EMAIL]
    assert feed.full
    assert list(feed.batches()) == [[FeedRow(2, (" 007 ", "a@acme.example"))]]
    assert not feed.damage()
    assert feed.share == 1
    feed.close()


def test_header_without_rows_has_no_batches(read: Reader) -> None:
    feed = read.text("Employee ID,E-mail\n")
    assert rows_of(feed) == []
    assert feed.damage() == Damage()


def test_nothing_at_all_lacks_no_column(read: Reader) -> None:
    feed = read.text("")
    assert rows_of(feed) == []
    assert feed.damage() == Damage()


@pytest.mark.parametrize(
    ("header", "missing"),
    [
        ("Employee ID,Mail,Status", ("E-mail",)),
        ("Employee ID,E-mail,e-MAIL,Status", ("E-mail",)),
        ("Employee ID,E-mail,State", ("Status",)),
        ("E1,a@acme.example,Active", ("Employee ID", "E-mail", "Status")),
    ],
)
def test_mapped_columns_that_are_not_there_once_are_named(header: str, missing: tuple[str, ...], read: Reader) -> None:
    feed = read.text(f"{header}\nE2,b@acme.example,Active,x\n", status=STATUS)
    assert rows_of(feed) == []
    assert feed.damage() == Damage(missing_columns=missing)


def test_status_says_who_has_left(read: Reader) -> None:
    states = ["Active", "LEFT", " left ", "terminated", "On  leave", "", " "]
    content = "Employee ID,E-mail,Status\n" + "".join(f"E{n},p{n}@acme.example,{s}\n" for n, s in enumerate(states))
    feed = read.text(content, full=False, status=STATUS)
    assert not feed.full
    assert [row.active for row in rows_of(feed)] == [True, False, False, False, True, None, None]


def test_status_with_a_million_values_is_read_all_the_same(read: Reader) -> None:
    content = "".join(f"E{n},p{n}@acme.example,s{n}\n" for n in range(3_000)) + "E,p@acme.example,left\n"
    states = [row.active for row in rows_of(read.text("Employee ID,E-mail,Status\n" + content, status=STATUS))]
    assert states == [True] * 3_000 + [False]


def test_batches_are_as_large_as_the_engine_takes_them(read: Reader) -> None:
    content = "".join(f"E{n},p{n}@acme.example\n" for n in range(2_500))
    sizes = [len(batch) for batch in read.text("Employee ID,E-mail\n" + content).batches()]
    assert sizes == [ROWS_IN_BATCH, ROWS_IN_BATCH, 500]


def test_faulty_rows_give_what_could_be_read(read: Reader) -> None:
    feed = read.text(
        b'Employee ID,Note,E-mail\nE1,"x\ny",a@acme.example\nE2,x\nE3,x,y,c@acme.example\n'
        b'E4,x\xff,d@acme.example\nE5\xff,x,e@acme.example\nE6,"x,f@acme.example\nE7,x,g@acme.example\n',
        status=None,
    )
    assert rows_of(feed) == [
        FeedRow(2, ("E1", "a@acme.example")),
        FeedRow(3, ("E2", None), problem=RowProblem(RowFault.TOO_FEW_CELLS, "", "line 4")),
        FeedRow(4, ("E3", "y"), problem=RowProblem(RowFault.TOO_MANY_CELLS, "", "line 5")),
        FeedRow(5, ("E4", "d@acme.example"), problem=RowProblem(RowFault.BAD_BYTES, "Note", "x\ufffd")),
        FeedRow(6, (None, "e@acme.example"), problem=RowProblem(RowFault.BAD_BYTES, "Employee ID", "E5\ufffd")),
        FeedRow(7, (None, None), problem=RowProblem(RowFault.UNREADABLE_RECORD, "", "line 8")),
        FeedRow(8, ("E7", "g@acme.example")),
    ]
    assert feed.damage() == Damage(unclosed_quote=7, ragged_rows=2)


def test_sound_rows_beside_a_faulty_one_keep_their_status(read: Reader) -> None:
    feed = read.text("Employee ID,E-mail,Status\nE1,a@acme.example,Left\nE2,b@acme.example\n", status=STATUS)
    assert [row.active for row in rows_of(feed)] == [False, None]


def test_sign_for_what_is_unreadable_may_be_in_a_sound_row(read: Reader) -> None:
    content = "Employee ID,E-mail\nE\ufffd1,a@acme.example\nE2\n"
    assert rows_of(read.text(content))[0] == FeedRow(2, ("E\ufffd1", "a@acme.example"))


def test_stray_quotes_are_damage(read: Reader) -> None:
    feed = read.text('Employee ID,E-mail\nE1,"a"@acme.example\n')
    assert rows_of(feed)[0].problem == RowProblem(RowFault.UNREADABLE_RECORD)
    assert feed.damage() == Damage(ragged_rows=1)


def test_what_stops_the_reading_is_a_failure(read: Reader) -> None:
    feed = read.text("Employee ID,E-mail\n" + "E1,a@acme.example\n" * 10, rows=5)
    with pytest.raises(FeedFailure) as failed:
        rows_of(feed)
    assert failed.value.reason == "too_many_rows"
    assert "5 rows" in failed.value.sentence


def test_dates_of_a_spreadsheet_are_dates_and_numbers_have_no_point(read: Reader) -> None:
    feed = read.sheet(
        [["Employee ID", "E-mail", "Born"], [123, "a@acme.example", date(1990, 4, 3)]], date_of_birth=BIRTH
    )
    assert rows_of(feed) == [FeedRow(2, ("123", "a@acme.example", date(1990, 4, 3)))]


def test_text_that_looks_like_a_date_stays_text(read: Reader) -> None:
    feed = read.sheet([["Employee ID", "E-mail", "Born"], [1, "a@acme.example", "03/04/1990"]], date_of_birth=BIRTH)
    assert rows_of(feed)[0].cells[2] == "03/04/1990"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (ErrorCell("#N/A"), "#N/A"),
        (date(2026, 3, 4), "2026-03-04"),
        (12345678901234567890, "12345678901234567000"),
    ],
)
def test_membership_number_that_a_spreadsheet_spoiled_refuses_its_row(
    value: CellValue, shown: str, read: Reader
) -> None:
    feed = read.sheet([["Employee ID", "E-mail"], [value, "a@acme.example"], ["E2", "b@acme.example"]])
    problem = RowProblem(RowFault.UNREADABLE_RECORD, "Employee ID", shown)
    assert rows_of(feed) == [
        FeedRow(2, (None, "a@acme.example"), problem=problem),
        FeedRow(3, ("E2", "b@acme.example")),
    ]
    assert not feed.damage()


def test_other_fields_keep_the_text_that_their_rules_refuse(read: Reader) -> None:
    feed = read.sheet(
        [["Employee ID", "E-mail", "First", "Born"], ["E1", ErrorCell("#REF!"), date(2026, 3, 4), ErrorCell("#N/A")]],
        first_name={"column": "First"},
        date_of_birth=BIRTH,
    )
    assert rows_of(feed)[0].cells == ("E1", "#REF!", "2026-03-04", "#N/A")


def test_error_in_the_status_column_refuses_its_row(read: Reader) -> None:
    feed = read.sheet(
        [
            ["Employee ID", "E-mail", "Status"],
            ["E1", "a@acme.example", ErrorCell("#N/A")],
            ["E2", "b@acme.example", "Left"],
        ],
        status=STATUS,
    )
    first, second = rows_of(feed)
    assert first.problem == RowProblem(RowFault.STATUS, "Status", "#N/A")
    assert first.cells == ("E1", "a@acme.example")
    assert second.active is False


def test_cell_right_of_a_sheet_is_damage(read: Reader) -> None:
    feed = read.sheet([["Employee ID", "E-mail"], ["E1", "a@acme.example", "moved"]])
    assert rows_of(feed)[0].problem == RowProblem(RowFault.TOO_MANY_CELLS)
    assert feed.damage() == Damage(ragged_rows=1)
