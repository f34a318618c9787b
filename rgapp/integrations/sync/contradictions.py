"""Rows of one feed that contradict each other: the same Membership No. with different people, one address on two.

While a feed is read, a mark of each row's Membership No. and address is kept, eight bytes each. Only where marks come
twice the feed is read again, and those rows are compared for what they say.
"""

import unicodedata
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from rgapp.integrations.sync.feed import Cell, FeedRow

OTHERS_NAMED: Final = 10
PARTS: Final = 8


def as_identifier(cell: Cell) -> str:
    """Return what identifiers are told apart by, before anything is said about whether they can be read."""
    if cell.__class__ is str and cell.isascii():
        return cell.strip()
    return unicodedata.normalize("NFC", str(cell or "")).strip()


def as_address(cell: Cell) -> str:
    """Return what addresses are told apart by."""
    found = as_identifier(cell).casefold()
    return found if found.isascii() else unicodedata.normalize("NFC", found)


@dataclass
class Marks:
    """The marks of one kind, a row each, in order; a row without a value has a mark that no other row has."""

    values: "array[int]" = field(default_factory=lambda: array("q"))

    def twice(self) -> frozenset[int]:
        """Return the marks that come more than once."""
        found: set[int] = set()
        for part in range(PARTS):  # One after the other: a set takes eight times the room of the marks in it.
            some = [mark for mark in self.values if mark % PARTS == part]
            if len(set(some)) < len(some):
                found.update(mark for mark, times in Counter(some).items() if times > 1)
        return frozenset(found)


@dataclass(frozen=True)
class Doubtful:
    """A row whose Membership No. or address seems to stand in another row too; `says` is all that it says."""

    index: int
    number: int
    membership_no: str
    address: str
    says: Any


@dataclass
class Contradictions:
    """What came of comparing: rows that repeat another one, and rows that contradict others, by index."""

    repeated: dict[int, tuple[Doubtful, int]] = field(default_factory=dict)
    same_number: dict[int, tuple[Doubtful, list[int]]] = field(default_factory=dict)
    same_address: dict[int, tuple[Doubtful, list[int]]] = field(default_factory=dict)

    @property
    def refused(self) -> frozenset[int]:
        """Return the indexes of the rows that are refused."""
        return frozenset(self.same_number) | frozenset(self.same_address)


def find(
    batches: Iterable[Sequence[FeedRow]],
    numbers: frozenset[int],
    addresses: frozenset[int],
    *,
    at: tuple[int, int],
    says: Callable[[FeedRow], Any],
) -> Contradictions:
    """Compare the rows with these marks; `at` are the places of Membership No. and address among the cells."""
    found = Contradictions()
    by_number: dict[str, list[Doubtful]] = defaultdict(list)
    by_address: dict[str, list[Doubtful]] = defaultdict(list)
    for row in _doubtful(batches, numbers, addresses, at, says):
        if row.membership_no:
            by_number[row.membership_no].append(row)
        if row.address:
            by_address[row.address].append(row)
    for rows in by_number.values():
        if len(rows) > 1 and all(row.says == rows[0].says for row in rows):
            found.repeated |= {row.index: (row, rows[0].number) for row in rows[1:]}
        elif len(rows) > 1:
            found.same_number |= {row.index: (row, _others(row, rows)) for row in rows}
    for rows in by_address.values():
        once = [row for row in rows if row.index not in found.repeated]
        if len({row.membership_no for row in once}) > 1:
            found.same_address |= {row.index: (row, _others(row, once)) for row in once}
    return found


def _doubtful(
    batches: Iterable[Sequence[FeedRow]],
    numbers: frozenset[int],
    addresses: frozenset[int],
    at: tuple[int, int],
    says: Callable[[FeedRow], Any],
) -> Iterator[Doubtful]:
    index = -1
    for batch in batches:
        for row in batch:
            index += 1
            number, address = (as_identifier(_cell(row, at[0])), address_of(row, at[1]))
            if hash(number) in numbers or hash(address) in addresses:
                yield Doubtful(index, row.number, number, address, says(row))


def address_of(row: FeedRow, place: int) -> str:
    """Return the address of a row that claims one: who has left leaves it to others."""
    return "" if row.active is False else as_address(_cell(row, place))


def _cell(row: FeedRow, place: int) -> Cell:
    return row.cells[place] if place < len(row.cells) else None


def _others(row: Doubtful, rows: Sequence[Doubtful]) -> list[int]:
    return [other.number for other in rows if other is not row][:OTHERS_NAMED]
