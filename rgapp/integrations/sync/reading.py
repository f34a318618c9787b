"""Rows of a feed become lines: what a row says, what of it cannot be read, and digests that tell whether it is new."""

import hashlib
from typing import Any, Final, NamedTuple

from rgapp.integrations.sync.feed import Cell, FeedRow
from rgapp.models.base import new_id
from rgapp.provisioning.cells import CellReader, Flaw, Values
from rgapp.provisioning.record import ProblemCode
from rgapp.provisioning.validation import email_key

DIGEST_LENGTH: Final = 16
# NUL stands in no value that can be read, so joined cells cannot be taken for others that were found good.
SEPARATOR: Final = "\0"
SAID: Final = hashlib.blake2b(digest_size=DIGEST_LENGTH)
ACTIVE: Final = {True: "+", False: "-", None: ""}


class ReadRow(NamedTuple):
    """A row that was read: whom it names, its five values, what is wrong, and what it says as a digest."""

    at: int
    row: FeedRow
    key: str | None
    values: Values
    flaws: tuple[Flaw, ...]
    digest: bytes
    row_digest: bytes


class RowReader:
    """Reads rows; what a row says is the same for every mapping, how it says it is not (`fingerprint`)."""

    def __init__(self, cells: CellReader, fingerprint: bytes) -> None:
        self._cells = cells
        self._rows = hashlib.blake2b(key=fingerprint, digest_size=DIGEST_LENGTH)
        self.at = (cells.membership_no_at, cells.email_at)

    def digest_of(self, row: FeedRow) -> bytes:
        """Return the digest of the row as it stands."""
        try:
            text = SEPARATOR.join(row.cells)  # type: ignore[arg-type]  # Nearly always they are text.
        except TypeError:
            text = SEPARATOR.join(map(_as_text, row.cells))
        if row.active is not None or row.key is not None:
            text = SEPARATOR.join((text, ACTIVE[row.active], row.key or ""))
        made = self._rows.copy()
        made.update(text.encode("utf-8", "surrogatepass"))
        return made.digest()

    def read(self, at: int, row: FeedRow, row_digest: bytes) -> ReadRow:
        """Read a row."""
        values, flaws = self._cells.read(row.cells)
        key = row.key if row.key is not None else values[0]
        return ReadRow(at, row, key, values, flaws, says(values, row), row_digest)

    def number_of(self, row: FeedRow) -> str | None:
        """Return the Membership No. of a row that may lack cells, None where it cannot be read."""
        place = self.at[0]
        return self._cells.membership_no(row.cells[place]) if place < len(row.cells) else None

    def identity(self, row: FeedRow) -> Any:
        """Return all that a row says, to tell a repetition from a contradiction."""
        if row.problem is not None:
            return new_id()
        values, flaws = self._cells.read(row.cells)
        unread = tuple((flaw.field, flaw.raw) for flaw in flaws)
        return says(values, row), unread


def says(values: Values, row: FeedRow) -> bytes:
    """Return the digest of what a row says, however it says it: the case of an address means nothing."""
    number, email, first, last, born = values
    text = SEPARATOR.join(
        (
            number or "", email_key(email) if email else "", first or "", last or "", born or "", ACTIVE[row.active],
            row.key or "",
        )
    )  # fmt: skip
    made = SAID.copy()
    made.update(text.encode())
    return made.digest()


def is_unreadable(flaw: Flaw) -> bool:
    """Tell whether something stands in the cell that cannot be read; an empty one says nothing and is no problem."""
    return flaw.problem.code not in {ProblemCode.EMPTY, ProblemCode.MISSING}


def _as_text(cell: Cell) -> str:
    return "" if cell is None else str(cell)
