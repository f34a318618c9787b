"""Read the rows of a table under a mapping: which cells are our fields, who is there, and which rows cannot be read."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from operator import itemgetter
from typing import Final

from rgapp.integrations.files.errors import UnreadableFile
from rgapp.integrations.files.table import Batch, Fault, FaultyRow, Layout, Table, Unreadable, header_key
from rgapp.integrations.files.table import Cell as TableCell
from rgapp.integrations.sftp.settings import ColumnSource, SFTPSettings, StatusSource, value_key
from rgapp.integrations.sftp.words import failure
from rgapp.integrations.sync.feed import Cell, Damage, FeedRow, RowFault, RowProblem
from rgapp.provisioning import Field, Rules

LONGEST_SHOWN: Final = 200
MOST_VALUES_KEPT: Final = 1_000
# What stands in a cell where bytes could not be read.
SPOILED: Final = "\ufffd"
FAULTS: Final = {
    Fault.TOO_FEW_CELLS: RowFault.TOO_FEW_CELLS,
    Fault.TOO_MANY_CELLS: RowFault.TOO_MANY_CELLS,
    Fault.BAD_BYTES: RowFault.BAD_BYTES,
    Fault.UNCLOSED_QUOTE: RowFault.UNREADABLE_RECORD,
    Fault.STRAY_QUOTE: RowFault.UNREADABLE_RECORD,
    Fault.TOO_LONG: RowFault.UNREADABLE_RECORD,
}


class FileFeed:
    """A table as a feed."""

    def __init__(self, table: Table, settings: SFTPSettings) -> None:
        self._table, self._settings = table, settings
        self._missing = missing_columns(table.layout, settings)

    @property
    def rules(self) -> Rules:
        """Return where each mapped field comes from, in the order of the cells."""
        return self._settings.rules

    @property
    def full(self) -> bool:
        """Tell whether whoever is absent has left."""
        return self._settings.full_file

    @property
    def pulled(self) -> None:
        """Return nothing: a file is no pull."""

    def fetch(self) -> None:
        """Do nothing: the file is here."""

    @property
    def share(self) -> float:
        """Return how much of it was read until now, from 0 to 1."""
        return self._table.share

    def batches(self) -> Iterator[Sequence[FeedRow]]:
        """Yield the rows in order, from the first each time; nothing where mapped columns are missing.

        Raises `FeedFailure`.
        """
        layout = self._table.layout
        if self._missing or not layout.header:
            return
        rows = Rows(layout, self._settings)
        try:
            for batch in self._table.batches():
                yield rows.read(batch)
        except UnreadableFile as error:
            raise failure(error) from error

    def damage(self) -> Damage:
        """Return what is wrong with the whole, after `batches()` came to its end."""
        if self._missing:
            return Damage(missing_columns=self._missing)
        found = self._table.findings
        return Damage(unclosed_quote=found.unclosed_quote, ragged_rows=found.ragged_rows + found.unreadable_rows)

    def close(self) -> None:
        """Hold nothing open: a reading that was not finished closes its file by itself."""


def places(layout: Layout) -> dict[str, int]:
    """Return where each column is, by the form in which names are compared; a name that is there twice is nowhere."""
    keys = [header_key(name) for name in layout.header]
    counts = Counter(keys)
    return {key: index for index, key in enumerate(keys) if key and counts[key] == 1 and index < layout.width}


def missing_columns(layout: Layout, settings: SFTPSettings) -> tuple[str, ...]:
    """Return the mapped columns that are not there, or there twice; none where there is no header at all."""
    if not layout.header:
        return ()
    found = places(layout)
    mapped: list[ColumnSource | StatusSource] = list(settings.mapping.fields.values())
    if settings.mapping.status is not None:
        mapped.append(settings.mapping.status)
    return tuple(dict.fromkeys(source.column for source in mapped if header_key(source.column) not in found))


class Rows:
    """Reads the batches of one table. Cells of a mapping are few, and rows many: what can be done in C is."""

    def __init__(self, layout: Layout, settings: SFTPSettings) -> None:
        found = places(layout)
        self._layout = layout
        self._fields = list(settings.mapping.fields)
        self._names = [source.column for source in settings.mapping.fields.values()]
        self._indexes = [found[header_key(name)] for name in self._names]
        # The Membership No. and the e-mail address are always mapped, so this returns a tuple.
        self._take = itemgetter(*self._indexes)
        self._status = settings.mapping.status
        self._status_index = found[header_key(self._status.column)] if self._status else -1
        self._known: dict[str, bool | None] = {}

    def read(self, batch: Batch) -> list[FeedRow]:
        """Return the rows of a batch as the engine takes them."""
        if batch.faults or self._layout.typed:
            return [
                self._read_one(number, row, batch.faults.get(index))
                for index, (number, row) in enumerate(zip(batch.numbers, batch.rows, strict=True))
            ]
        cells = map(self._take, batch.rows)
        if self._status is None:
            return [FeedRow(number, each) for number, each in zip(batch.numbers, cells, strict=True)]
        states = map(self._active, map(itemgetter(self._status_index), batch.rows))
        return list(map(FeedRow, batch.numbers, cells, states))

    def _active(self, value: TableCell) -> bool | None:
        """Return what a cell of the status column says; an empty one says nothing."""
        text = str(value)
        if text in self._known:
            return self._known[text]
        key = value_key(text)
        state = None if self._status is None or not key else key not in self._status.leaver_keys
        if len(self._known) < MOST_VALUES_KEPT:
            self._known[text] = state
        return state

    def _read_one(self, number: int, row: Sequence[TableCell], faulty: FaultyRow | None) -> FeedRow:
        """Read a row of a spreadsheet, or one with a fault; what of it could be read is still given."""
        problem = self._problem_of(number, row, faulty) if faulty else None
        cells: list[Cell] = []
        for field, name, index in zip(self._fields, self._names, self._indexes, strict=True):
            cell = row[index] if index < len(row) else None
            if isinstance(cell, date) and field is not Field.DATE_OF_BIRTH:
                cell = Unreadable(cell.isoformat()) if field is Field.MEMBERSHIP_NO else cell.isoformat()
            if isinstance(cell, Unreadable) and field is Field.MEMBERSHIP_NO:
                # Other fields have rules that such a text breaks; this one takes nearly every text.
                problem = problem or RowProblem(RowFault.UNREADABLE_RECORD, name, str(cell)[:LONGEST_SHOWN])
                cell = None
            cells.append(None if isinstance(cell, str) and SPOILED in cell and faulty else cell)
        active = None
        if self._status is not None and self._status_index < len(row):
            value = row[self._status_index]
            if isinstance(value, Unreadable):
                problem = problem or RowProblem(RowFault.STATUS, self._status.column, str(value)[:LONGEST_SHOWN])
            elif not problem:
                active = self._active(value)
        return FeedRow(number, tuple(cells), active, None, problem)

    def _problem_of(self, number: int, row: Sequence[TableCell], faulty: FaultyRow) -> RowProblem:
        """Say what is wrong with a row: the column with bad bytes, or the line where it is not the row's number."""
        if faulty.fault is Fault.BAD_BYTES:
            for index, cell in enumerate(row):
                if isinstance(cell, str) and SPOILED in cell:
                    name = self._layout.header[index] if index < len(self._layout.header) else ""
                    return RowProblem(RowFault.BAD_BYTES, name, cell[:LONGEST_SHOWN])
        line = f"line {faulty.line}" if faulty.line != number else ""
        return RowProblem(FAULTS[faulty.fault], "", line)
