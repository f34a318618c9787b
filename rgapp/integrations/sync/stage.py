"""What the check found to be written, in files beside the run: so nothing is validated twice, and memory stays flat.

Each file holds one batch a line, as JSON. An offset in it is where a batch begins: the checkpoint of writing it.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Final

from pydantic_core import from_json, to_json

from rgapp.provisioning.cells import Line

ROWS: Final = "rows"
LEAVING: Final = "leaving"
ABSENT: Final = "absent"
LISTED: Final = "listed"
TANGLED: Final = "tangled"
LEFT_OUT: Final = "left-out"
ALL: Final = (ROWS, LEAVING, ABSENT, LISTED, TANGLED, LEFT_OUT)
# How many rows are written while somebody waits for it; where nobody has to wait, more: yet no more than a second
# processor and the log of the database take in beside those who sign in.
BATCH: Final = 40
TIMES_WITHOUT_LOCK: Final = 50


class Stage:
    """The staged files of one run, in its folder; `batch` is how many entries stand in a line."""

    def __init__(self, folder: Path, batch: int) -> None:
        self._folder = folder
        self._batch = batch
        self._open: dict[str, IO[bytes]] = {}
        self._waiting: dict[str, list[Any]] = {name: [] for name in ALL}

    def begin(self) -> None:
        """Begin with empty files."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in ALL:
            self._open[name] = self._path(name).open("wb")

    def add(self, name: str, entry: Any) -> None:
        """Stage one entry: a `Line`, or whatever JSON has."""
        waiting = self._waiting[name]
        waiting.append(entry)
        if len(waiting) >= self._batch:
            self._write(name)

    def settle(self, *names: str) -> None:
        """Bring what was staged until now to where `batches` finds it; all files without names."""
        for name in names or ALL:
            if self._waiting[name]:
                self._write(name)
            self._open[name].flush()

    def end(self) -> None:
        """Bring everything onto the disk: from here on a killed process goes on with these files."""
        self.settle()
        for file in self._open.values():
            os.fsync(file.fileno())
        self.close()

    def close(self) -> None:
        """Let go of the files."""
        for file in self._open.values():
            file.close()
        self._open.clear()

    def is_there(self) -> bool:
        """Tell whether the files of an earlier process are there."""
        return all(self._path(name).is_file() for name in ALL)

    def batches(self, name: str, offset: int = 0) -> Iterator[tuple[list[Any], int]]:
        """Yield the batches from an offset on, each with the offset behind it."""
        with self._path(name).open("rb") as file:
            file.seek(offset)
            while text := file.readline():
                yield from_json(text), file.tell()

    def lines(self, name: str, offset: int = 0) -> Iterator[tuple[list[Line], int]]:
        """Yield batches of lines."""
        for batch, behind in self.batches(name, offset):
            yield [Line(*entry) for entry in batch], behind

    def left_out(self) -> frozenset[int]:
        """Return the numbers of the rows that are staged and must not be written."""
        return frozenset(number for batch, _ in self.batches(LEFT_OUT) for number in batch)

    def size(self, name: str) -> int:
        """Return how large a file is, in bytes."""
        return self._path(name).stat().st_size

    def _write(self, name: str) -> None:
        self._open[name].write(to_json(self._waiting[name]) + b"\n")
        self._waiting[name].clear()

    def _path(self, name: str) -> Path:
        return self._folder / f"staged-{name}"


def without(lines: Sequence[Line], numbers: frozenset[int]) -> list[Line]:
    """Return the lines that are not left out."""
    return [line for line in lines if line.number not in numbers] if numbers else list(lines)
