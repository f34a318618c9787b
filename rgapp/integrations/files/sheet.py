"""Tables in spreadsheets (.xlsx): the first sheet that people see, read in a process of its own, kept as plain rows."""

import json
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

from rgapp.integrations.files import archives
from rgapp.integrations.files.contained.runner import run
from rgapp.integrations.files.errors import Reason, UnreadableFile
from rgapp.integrations.files.limits import LIMITS, Limits
from rgapp.integrations.files.table import Batch, Cell, Fault, FaultyRow, Findings, Layout, Unreadable

OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


class SheetTable:
    """A table in a spreadsheet. Cells that the spreadsheet keeps as dates are dates; others are text."""

    def __init__(self, path: Path, rows: Path, limits: Limits = LIMITS) -> None:
        """Read the whole sheet into the file `rows`.

        Raises `UnreadableFile`, and `OSError` where our disk is full.
        """
        self._rows, self._limits = rows, limits
        _check_package(path, limits)
        task = {
            "source": str(path),
            "target": str(rows),
            "columns": limits.columns,
            "memory": limits.memory,
            "bytes": limits.plain_bytes,
            "seconds": limits.seconds,
        }
        said = run("sheet", task, seconds=2 * limits.seconds)
        if said is None:
            raise UnreadableFile(Reason.SPREADSHEET_TOO_LARGE)
        if reason := said.pop("reason"):
            raise UnreadableFile(Reason(reason), **said)
        self._size = max(1, rows.stat().st_size)
        self._read = 0
        self.layout = self._find_layout()
        self.findings = Findings()

    @property
    def share(self) -> float:
        """Return how much of it was read, from 0 to 1."""
        return min(1.0, self._read / self._size)

    def batches(self) -> Iterator[Batch]:
        """Yield the rows after the header, from the first each time.

        Raises `UnreadableFile`: too many rows.
        """
        self.findings, self._read = Findings(), 0
        with self._rows.open("rb") as file:
            for line in file:
                self._read += len(line)
                entries = json.loads(line)
                batch = self._batch([entry for entry in entries if entry[0] > self.layout.header_row])
                self.findings.note(batch)
                if self.findings.rows > self._limits.rows:
                    raise UnreadableFile(Reason.TOO_MANY_ROWS, limit=self._limits.rows)
                if batch.rows:
                    yield batch

    def _batch(self, entries: Sequence[tuple[int, list[Any]]]) -> Batch:
        width = self.layout.width
        rows = [[cell if isinstance(cell, str) else _cell(cell) for cell in cells] for _, cells in entries]
        faults = {
            index: FaultyRow(Fault.TOO_MANY_CELLS, entries[index][0])
            for index, row in enumerate(rows)
            if len(row) > width
        }
        return Batch([number for number, _ in entries], rows, faults)

    def _find_layout(self) -> Layout:
        with self._rows.open("rb") as file:
            first = file.readline()
        if not first:
            return Layout()
        number, cells = json.loads(first)[0]
        names = tuple(" ".join(str(cell if isinstance(cell, str) else _cell(cell)).split()) for cell in cells)
        return Layout(names, number, len(names), typed=True)


def _cell(marked: dict[str, str]) -> Cell:
    ((kind, text),) = marked.items()
    return date.fromisoformat(text) if kind == "d" else Unreadable(text)


def _check_package(path: Path, limits: Limits) -> None:
    """Refuse what is no .xlsx, and what unpacks to more than a spreadsheet may be.

    Raises `UnreadableFile`.
    """
    with path.open("rb") as file:
        beginning = file.read(len(OLE))
    if beginning == OLE:
        # Old spreadsheets begin so, and new ones with a password: neither can be read.
        raise UnreadableFile(Reason.PASSWORD)
    if not beginning.startswith(b"PK"):
        raise UnreadableFile(Reason.NOT_A_SPREADSHEET)
    names: set[str] = set()
    archives.check_members(path, limits, lambda name, piece: names.add(name))
    if "xl/workbook.xml" not in names:
        raise UnreadableFile(Reason.NOT_A_SPREADSHEET)
