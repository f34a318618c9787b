"""A table as it comes out of a file: its header, and its rows in batches, each with what is wrong with it."""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final, NamedTuple, Protocol

ROWS_IN_BATCH: Final = 1_000


class Unreadable(str):
    """The text of a cell that holds no value: an error such as #N/A, or a number too long to be exact."""

    __slots__ = ()


# Dates stand only where the format itself has dates; a declared format does not apply to them.
Cell = str | date


class Fault(StrEnum):
    """What makes one row unreadable."""

    TOO_FEW_CELLS = "too_few_cells"
    TOO_MANY_CELLS = "too_many_cells"
    UNCLOSED_QUOTE = "unclosed_quote"
    STRAY_QUOTE = "stray_quote"
    TOO_LONG = "too_long"
    BAD_BYTES = "bad_bytes"


# What says that cells may stand in the wrong place, or that rows may be missing.
STRUCTURAL: Final = frozenset(Fault) - {Fault.BAD_BYTES}


class FaultyRow(NamedTuple):
    """What is wrong with a row, and the line of the file on which it begins (1 is the first)."""

    fault: Fault
    line: int


class Batch(NamedTuple):
    """Some rows that are not blank.

    `numbers` are those that people see beside the rows: the first record of the file is 1, blank rows count, and a
    cell of several lines does not. A clean row has as many cells as the table is wide; a faulty one, found in `faults`
    under its index, has as many as it has.
    """

    numbers: Sequence[int]
    rows: Sequence[Sequence[Cell]]
    faults: Mapping[int, FaultyRow]


@dataclass
class Findings:
    """What was found wrong with a table up to now."""

    rows: int = 0
    unclosed_quote: int | None = None
    ragged_rows: int = 0
    unreadable_rows: int = 0

    @property
    def damaged(self) -> bool:
        """Tell whether the structure is broken, so that nobody's absence can be believed."""
        return self.unclosed_quote is not None or self.ragged_rows > 0 or self.unreadable_rows > 0

    def note(self, batch: Batch) -> None:
        """Count a batch."""
        self.rows += len(batch.rows)
        for index, (fault, _) in batch.faults.items():
            if fault is Fault.UNCLOSED_QUOTE and self.unclosed_quote is None:
                self.unclosed_quote = batch.numbers[index]
            self.ragged_rows += fault in {Fault.TOO_FEW_CELLS, Fault.TOO_MANY_CELLS}
            self.unreadable_rows += fault in {Fault.STRAY_QUOTE, Fault.TOO_LONG}


@dataclass(frozen=True)
class Layout:
    """How a table is laid out: header names as they stand (trimmed), the row of the header, cells in a row.

    In a `typed` table cells may be dates or unreadable; in others all of them are text.
    """

    header: tuple[str, ...] = ()
    header_row: int = 0
    width: int = 0
    typed: bool = False
    details: Mapping[str, str] = field(default_factory=dict)


class Table(Protocol):
    """A file that was opened as a table."""

    @property
    def layout(self) -> Layout:
        """Return the layout; a file without any row has an empty header."""

    @property
    def findings(self) -> Findings:
        """Return what the last reading found, complete when its last batch was taken."""

    @property
    def share(self) -> float:
        """Return how much of it was read, from 0 to 1."""

    def batches(self) -> Iterator[Batch]:
        """Yield the rows after the header, from the first each time, at most `ROWS_IN_BATCH` at once.

        Raises `UnreadableFile`, also in the middle.
        """


def header_key(name: str) -> str:
    """Return the form in which names of columns are compared: composed, without case and spaces."""
    return "".join(unicodedata.normalize("NFC", name.casefold()).split())
