"""Text files: whatever was written is read back, nothing else is ever raised, and nothing takes for ever."""

import csv
import io
import tracemalloc
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rgapp.integrations.files import delimited, lines
from rgapp.integrations.files.delimited import DelimitedTable
from rgapp.integrations.files.errors import Reason, UnreadableFile
from rgapp.integrations.files.limits import LIMITS, Limits
from rgapp.integrations.files.table import Batch, Fault
from tests.integrations.files.corpus import faults_of, rows_of
from tests.integrations.files.properties import patient

NAMES = st.lists(st.from_regex(r"[A-Z][a-z]{1,8}( [A-Z]{1,3})?", fullmatch=True), min_size=2, max_size=6)
# What the encodings of these tests all have; surrogates and NUL stand for damage.
LETTERS = st.characters(codec="cp1252", exclude_characters="\0\x81\x8d\x8f\x90\x9d")
ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])


def read(content: bytes, limits: Limits = LIMITS) -> tuple[DelimitedTable, list[Batch]]:
    """Return the table in these bytes, and its batches."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "arrived"
        path.write_bytes(content)
        table = DelimitedTable(path, limits=limits)
        return table, list(table.batches())


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    """Draw a header and rows that are not blank."""
    header = draw(NAMES)
    row = st.lists(st.text(LETTERS, max_size=8), min_size=len(header), max_size=len(header))
    rows = draw(st.lists(row.filter(lambda cells: any(map(str.strip, cells))), max_size=8))
    return [header, *rows]


@patient
@given(
    table=tables(),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    encoding=ENCODINGS,
)
def test_any_table_reads_back_as_it_was_written(
    table: list[list[str]], delimiter: str, end: str, quoting: int, encoding: str
) -> None:
    if any(set(cell) & set("\r\n") for row in table for cell in row):
        # The csv module quotes the end of lines that it writes, not the other ones.
        quoting = csv.QUOTE_ALL
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(table)  # type: ignore[arg-type]
    written = buffer.getvalue()
    if encoding.startswith("utf-16-"):
        # Without a mark it is read where it is unmistakable: text of mostly Latin letters.
        written += f"{delimiter.join(['Plain'] * len(table[0]))}{end}" * 40
        table = [*table, *[["Plain"] * len(table[0])] * 40]
    found, batches = read(written.encode(encoding))
    assert list(found.layout.header) == table[0]
    assert rows_of(batches) == [[number, *row] for number, row in enumerate(table[1:], 2)]
    assert not found.findings.damaged


@patient
@given(table=tables())
def test_windows_1252_reads_back_as_it_was_written(table: list[list[str]]) -> None:
    buffer = io.StringIO(newline="")
    rows = [*table, *[["Müller"] * len(table[0])] * 100]
    csv.writer(buffer).writerows(rows)
    _, batches = read(buffer.getvalue().encode("cp1252"))
    assert rows_of(batches) == [[number, *row] for number, row in enumerate(rows[1:], 2)]


@patient
@given(st.binary(max_size=600) | st.text('ab",;\n\r\t |\0é', max_size=300).map(str.encode))
@example(b'a,b\n"\n')
@example(b'a,b\n"x\r')
@example(b"\xef\xbb\xbf")
@example(b"a\xef\xbb")
def test_no_bytes_raise_anything_but_our_error(content: bytes) -> None:
    try:
        table, batches = read(content)
    except UnreadableFile:
        return
    numbers = [number for batch in batches for number in batch.numbers]
    assert numbers == sorted(set(numbers))
    assert all(number > table.layout.header_row for number in numbers)
    for batch in batches:
        for index, row in enumerate(batch.rows):
            assert index in batch.faults or len(row) == table.layout.width
            assert not any(0xD800 <= ord(character) <= 0xDFFF for cell in row for character in str(cell))


@patient
@given(
    rows=st.lists(
        st.sampled_from(
            [
                'E,a@acme.example,"x\ny"',
                "E,a@acme.example,x",
                "E,a@acme.example",
                'E,"open,x',
                'E,"a"b,x',
                "",
                ",,",
                "E,a,b,c",
                "E,\x00,x",
            ]
        ),
        max_size=40,
    ),
    size=st.integers(1, 7),
    chunk=st.integers(1, 50),
)
def test_batches_and_chunks_of_any_size_find_the_same(rows: list[str], size: int, chunk: int) -> None:
    content = "\r\n".join(["ID,Mail,Note", "E0,first@acme.example,sound", *rows]).encode()
    table, expected = read(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited, "ROWS_IN_BATCH", size)
        patch.setattr(lines, "CHUNK", chunk)
        again, batches = read(content)
    assert rows_of(batches) == rows_of(expected)
    assert faults_of(batches) == faults_of(expected)
    assert again.findings == table.findings


def test_rows_around_a_bad_one_are_read(tmp_path: Path) -> None:
    rows = [f"E{number},p{number}@acme.example,Ann" for number in range(5_000)]
    rows[2_500] = 'E2500,"p2500@acme.example,Ann'
    rows[3_000] = "E3000,p3000@acme.example"
    table, batches = read("\n".join(["ID,Mail,Name", *rows]).encode())
    assert table.findings.rows == 5_000
    assert faults_of(batches) == {"2502": (Fault.UNCLOSED_QUOTE, 2_502), "3002": (Fault.TOO_FEW_CELLS, 3_002)}


def test_line_that_is_too_long_spoils_its_row_only() -> None:
    limits = replace(LIMITS, line=1_000, record=2_000)
    long = "E2,b@acme.example," + "x" * 1_000_000
    table, batches = read(f"ID,Mail,Note\r\nE1,a@acme.example,y\r\n{long}\r\nE3,c@acme.example,z".encode(), limits)
    assert faults_of(batches) == {"3": (Fault.TOO_LONG, 3)}
    assert rows_of(batches)[2] == [4, "E3", "c@acme.example", "z"]
    assert table.findings.damaged


def test_last_line_that_is_too_long_spoils_its_row_only() -> None:
    table, batches = read(b"ID,Mail\nE1,a@acme.example\n" + b"x" * 1_000_000, replace(LIMITS, line=1_000))
    assert faults_of(batches) == {"3": (Fault.TOO_LONG, 3)}
    assert table.findings.damaged


def test_record_that_is_too_long_spoils_its_row_only() -> None:
    limits = replace(LIMITS, record=50)
    cells = ",".join(["x" * 20] * 3)
    _, batches = read(f"ID,Mail,Note\nE1,a,b\n{cells}\nE3,c,d\n".encode(), limits)
    assert faults_of(batches) == {"3": (Fault.TOO_LONG, 3)}


def test_cell_that_is_too_long_spoils_its_row_only() -> None:
    _, batches = read(f"ID,Mail\nE1,a\nE2,{'x' * 200_000}\nE3,c\n".encode())
    assert faults_of(batches) == {"3": (Fault.TOO_LONG, 3)}


def test_wide_rows_come_in_smaller_batches() -> None:
    limits = replace(LIMITS, batch=100_000)
    rows = "".join(f"E{number},{'x' * 1_000}\n" for number in range(2_000))
    table, batches = read(f"ID,Note\n{rows}".encode(), limits)
    assert table.findings.rows == 2_000
    assert not table.findings.damaged
    assert max(len(batch.rows) for batch in batches[3:]) < 1_000


def test_more_rows_than_allowed_are_refused() -> None:
    with pytest.raises(UnreadableFile) as refused:
        read(b"ID,Mail\n" + b"E1,a@acme.example\n" * 11, replace(LIMITS, rows=10))
    assert refused.value.reason == Reason.TOO_MANY_ROWS


def test_header_in_an_endless_line_is_no_text() -> None:
    with pytest.raises(UnreadableFile) as refused:
        read(b"x" * 10_000_000)
    assert refused.value.reason == Reason.NOT_TEXT


def test_memory_stays_flat(tmp_path: Path) -> None:
    path = tmp_path / "arrived"
    with path.open("w") as file:
        file.write("ID,Mail,First name,Last name,Birthday,Department\n")
        file.writelines(f"E{number},p{number}@acme.example,Ann,Lee,01/01/1990,Sales\n" for number in range(100_000))
    tracemalloc.start()
    try:
        table = DelimitedTable(path)
        assert sum(len(batch.rows) for batch in table.batches()) == 100_000
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
    assert table.share == 1


def test_share_is_known_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "arrived"
    path.write_bytes(b"ID,Mail\n" + b"E1,a@acme.example\n" * 50_000)
    table = DelimitedTable(path)
    assert table.share == 0
    batches = table.batches()
    next(batches)
    assert 0 < table.share < 1
    batches.close()
