"""Which delimiter a text file uses, and how wide it is: told by the header and the first rows together."""

import contextlib
import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

# In the order in which they are preferred where nothing else decides.
DELIMITERS: Final = (",", ";", "\t", "|")
ROWS_LOOKED_AT: Final = 200


@dataclass(frozen=True)
class Dialect:
    """How the records of a text file are written; `skip` lines come before the header (`sep=;`)."""

    delimiter: str = ","
    skip_space: bool = False
    skip: int = 0

    def reader(self, lines: Sequence[str], *, strict: bool) -> list[list[str]]:
        """Return the records in a few lines that stand by themselves, as far as they can be read."""
        reader = csv.reader(lines, delimiter=self.delimiter, skipinitialspace=self.skip_space, strict=strict)
        records: list[list[str]] = []
        with contextlib.suppress(csv.Error):
            records.extend(reader)
        return records


def detect(lines: Sequence[str], *, preferred: str | None = None) -> Dialect:
    """Return the dialect of the first lines of a file; `preferred` is the delimiter that its ending names."""
    declared = _declared(lines[0]) if lines else None
    if declared:
        return Dialect(declared, _needs_skip(lines[1:], declared), skip=1)
    order = sorted(DELIMITERS, key=lambda delimiter: delimiter != preferred)
    best = max(order, key=lambda delimiter: _score(Dialect(delimiter), lines))
    return Dialect(best, _needs_skip(lines, best))


def width_of(header: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """Return how many cells a row of this table has.

    That is what the header has, except where rows agree on another number that loses nothing: blank names at the end of
    the header, or blank cells at the end of every row.
    """
    widths = Counter(len(row) for row in rows)
    if not widths:
        return len(header)
    usual = widths.most_common(1)[0][0]
    named = max((index for index, name in enumerate(header, 1) if name.strip()), default=0)
    if named <= usual <= len(header):
        return usual
    surplus = [cell for row in rows if len(row) == usual for cell in row[len(header) :]]
    return usual if usual > len(header) and not any(cell.strip() for cell in surplus) else len(header)


def _declared(line: str) -> str | None:
    """Return the delimiter that a first line declares to spreadsheets."""
    text = line.strip("\r\n").lower().replace('"', "")
    return text[4:] if text.startswith("sep=") and text[4:] in DELIMITERS else None


def _score(dialect: Dialect, lines: Sequence[str]) -> tuple[float, float, int]:
    """Return how well a dialect fits: the share of rows as wide as the header, names without loose spaces, names."""
    records = [record for record in dialect.reader(lines, strict=False)[:ROWS_LOOKED_AT] if any(record)]
    if not records or len(records[0]) < 2:
        return (0.0, 0.0, 0)
    width = len(records[0])
    # The last record may be cut off where the sample ends.
    rows = records[1:-1] if len(records) > 2 else records[1:]
    fitting = sum(len(row) == width for row in rows) / len(rows) if rows else 1.0
    loose = sum(name.startswith(" ") for name in records[0]) / width
    named = sum(bool(name.strip()) for name in records[0])
    return (round(0.1 + fitting, 1), 1 - loose, named)


def _needs_skip(lines: Sequence[str], delimiter: str) -> bool:
    """Tell whether quotes come after a space, so that only skipping it makes rows as wide as the header."""
    if not any(f'{delimiter} "' in line for line in lines):
        return False
    return _score(Dialect(delimiter, skip_space=True), lines)[0] > _score(Dialect(delimiter), lines)[0]
