"""A pull on disk: rows as JSON, a batch a line, and a mark at its end without which nothing of it counts."""

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final

from pydantic_core import from_json, to_json

from rgapp.integrations.pulls.account import AccountError
from rgapp.integrations.sync.feed import ROWS_IN_BATCH, FeedRow, RowFault, RowProblem

#: In bytes; half of it is room for a million people.
LARGEST: Final = 1024 * 1024 * 1024
TOO_LARGE: Final = "More was answered than a pull may hold."
ROWS: Final = "rows"
END: Final = "end"
CELLS: Final = FeedRow._fields.index("cells")
PROBLEM: Final = FeedRow._fields.index("problem")


class PullStore:
    """The rows of one pull, in a private folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: IO[bytes] | None = None
        self._waiting: list[FeedRow] = []
        self.rows = 0
        self._size = 0

    def begin(self) -> None:
        """Begin without any rows; what was there before is gone."""
        self.close()
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(mode=0o700, parents=True)
        self._file = (self._folder / ROWS).open("wb")
        self._waiting, self.rows, self._size = [], 0, 0

    def add(self, row: FeedRow) -> None:
        """Add a row.

        Raises `AccountError` where the pull is too large by now.
        """
        self._waiting.append(row)
        self.rows += 1
        if len(self._waiting) >= ROWS_IN_BATCH:
            self._write()

    def end(self, said: Mapping[str, Any]) -> None:
        """Bring the rows onto the disk, and then the mark that they are all, with what the pull says of itself."""
        assert self._file is not None  # noqa: S101 - it was begun.
        self._write()
        self._file.flush()
        os.fsync(self._file.fileno())
        self.close()
        draft = self._folder / f"{END}.part"
        with draft.open("w", encoding="ascii") as file:
            json.dump(said, file)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(self._folder / END)

    def said(self) -> dict[str, Any] | None:
        """Return what a complete pull says of itself; None where there is no complete one."""
        try:
            found = json.loads((self._folder / END).read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def batches(self) -> Iterator[Sequence[FeedRow]]:
        """Yield the rows of a complete pull in order."""
        with (self._folder / ROWS).open("rb") as file:
            for line in file:
                try:
                    entries = from_json(line)
                except ValueError:
                    entries = json.loads(line)
                yield list(map(_row, entries))

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self) -> None:
        if self._waiting and self._file is not None:
            try:
                line = to_json(self._waiting)
            except ValueError:
                # Halves of characters are written as escapes, so that the rules can refuse them where they stand.
                line = json.dumps(self._waiting).encode("ascii")
            self._size += len(line) + 1
            if self._size > LARGEST:
                raise AccountError("too_large", TOO_LARGE)
            self._file.write(line + b"\n")
            self._waiting = []


def _row(entry: list[Any]) -> FeedRow:
    entry[CELLS] = tuple(entry[CELLS])
    if entry[PROBLEM] is not None:
        fault, *rest = entry[PROBLEM]
        entry[PROBLEM] = RowProblem(RowFault(fault), *rest)
    return FeedRow._make(entry)
