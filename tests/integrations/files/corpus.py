"""Reads the folders of good and bad files under tests/fixtures/files."""

import tomllib
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from rgapp.integrations.files.limits import LIMITS, Limits
from rgapp.integrations.files.opening import open_table
from rgapp.integrations.files.openpgp import PrivateKey
from rgapp.integrations.files.table import Batch, Cell, Table, Unreadable
from tests.integrations.files.makers import FIXTURES, MAKERS, PASSPHRASE, Made, key, locked_key

# Small enough for bombs that are made in no time.
TIGHT: Limits = replace(LIMITS, ratio_from=1 << 20, plain_bytes=8 << 20, wasted_characters=4 << 20, memory=1 << 30)


@dataclass(frozen=True)
class Case:
    """One folder."""

    folder: Path
    data: dict[str, Any]

    @property
    def name(self) -> str:
        """Return what the sender calls the file."""
        return str(self.data.get("name") or self.data["file"])

    def open(self, place: Path) -> Table:
        """Open the file of this case in an empty place."""
        made = MAKERS[self.data["make"]]() if "make" in self.data else self._stored()
        arrived, work = place / "arrived", place / "work"
        arrived.write_bytes(made.content)
        work.mkdir()
        private = PrivateKey(made.key, made.passphrase) if made.key else None
        return open_table(arrived, self.name, work, key=private, limits=TIGHT)

    def _stored(self) -> Made:
        content = (self.folder / self.data["file"]).read_bytes()
        return (
            Made(content, locked_key(), PASSPHRASE) if self.data.get("key") == "locked" else Made(content, bytes(key()))
        )


def cases(kind: str) -> list[Case]:
    """Return every folder of one kind."""
    folders = sorted(path.parent for path in (FIXTURES / kind).glob("*/case.toml"))
    return [Case(folder, tomllib.loads((folder / "case.toml").read_text(encoding="utf-8"))) for folder in folders]


def rows_of(batches: list[Batch]) -> list[list[Any]]:
    """Return every row with its number in front, as cases write them."""
    return [
        [number, *map(shown, row)] for batch in batches for number, row in zip(batch.numbers, batch.rows, strict=True)
    ]


def faults_of(batches: list[Batch]) -> dict[str, tuple[str, int]]:
    """Return the fault and the line of each faulty row."""
    return {
        str(batch.numbers[index]): (str(fault), line)
        for batch in batches
        for index, (fault, line) in batch.faults.items()
    }


def shown(cell: Cell) -> str:
    """Return a cell as cases write it: dates in ISO's form, what holds no value behind an exclamation mark."""
    if isinstance(cell, date):
        return cell.isoformat()
    return f"!{cell}" if isinstance(cell, Unreadable) else cell
