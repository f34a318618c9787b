"""The lines of a text file: decoded in blocks, kept for as long as they may have to be read again."""

import io
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Final

from rgapp.integrations.files.encoding import Encoding
from rgapp.integrations.files.limits import Limits

CHUNK: Final = 1 << 18
# Stands in place of a line that was too long; no decoder makes it.
OVERLONG: Final = "\ud800"


class TooMuch(Exception):
    """What is being read as one batch or one record is longer than it may be."""


class Lines:
    """Lines with their ends (LF, CR or CRLF, mixed as they come).

    They are numbered from 0. `fast()` hands them out in C; `slow()` counts what each record takes. Both begin at the
    line that `rewind()` was told last, and what lies before it is forgotten.
    """

    def __init__(self, path: Path, encoding: Encoding, limits: Limits) -> None:
        self.bytes_read = 0
        self.overlong = False
        self.position = 0
        self._limits = limits
        self._blocks = self._read(path, encoding)
        self._kept: list[str] = []
        self._kept_from = 0
        self._taken = self._mark = 0

    def close(self) -> None:
        """Close the file."""
        self._blocks.close()  # type: ignore[attr-defined]

    def rewind(self, line: int) -> None:
        """Go back, or stay, at this line."""
        del self._kept[: line - self._kept_from]
        self._kept_from = self.position = line
        self._mark, self._taken = self.bytes_read, 0

    def allow(self) -> None:
        """Begin to count anew what is taken."""
        self._taken = 0

    def fast(self) -> Iterator[str]:
        """Return the lines from the position on; more than a batch between two rewinds raises `TooMuch`."""
        return chain(list(self._kept), chain.from_iterable(self._more()))

    def _more(self) -> Iterator[list[str]]:
        for block in self._blocks:
            self._kept += block
            yield block
            if self.bytes_read - self._mark > self._limits.batch:
                raise TooMuch

    def slow(self) -> Iterator[str]:
        """Yield the lines from the position on, keeping it; more than a record since `allow()` raises `TooMuch`."""
        while True:
            index = self.position - self._kept_from
            if index >= len(self._kept):
                block = next(self._blocks, None)
                if block is None:
                    return
                self._kept += block
                continue
            line = self._kept[index]
            self._taken += len(line)
            if self._taken > self._limits.record:
                raise TooMuch
            self.position += 1
            yield line

    @property
    def taken(self) -> int:
        """Return how many characters were taken since counting began."""
        return self._taken

    def _read(self, path: Path, encoding: Encoding) -> Iterator[list[str]]:
        with path.open("rb") as file:
            file.seek(encoding.skip)
            decoder, rest, skipping = encoding.decoder(), "", False
            while True:
                data = file.read(CHUNK)
                self.bytes_read += len(data)
                text = decoder.decode(data, final=not data)
                if skipping:
                    end = _first_end(text)
                    if end is not None:
                        rest, skipping = OVERLONG, False
                        text = text[end:]
                    else:
                        text = ""
                text = rest + text
                if not data:
                    break
                # A CR at the very end may be the first half of a CRLF.
                cut = max(text.rfind("\n"), text.rfind("\r", 0, -1)) + 1
                rest = text[cut:]
                if len(rest) > self._limits.line:
                    rest, skipping, self.overlong = "", True, True
                if cut:
                    yield _split(text[:cut])
            text += OVERLONG if skipping else ""
            if text:
                yield _split(text)


def _split(text: str) -> list[str]:
    # Not str.splitlines(): it takes form feeds and other separators for ends of lines.
    return io.StringIO(text, newline="").readlines()


def _first_end(text: str) -> int | None:
    ends = [end for end in (text.find("\n"), text.find("\r")) if end >= 0]
    return min(ends) if ends else None
