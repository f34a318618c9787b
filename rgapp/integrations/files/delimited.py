"""Tables in text files: the csv module does the reading in C; where it stumbles, records are taken one by one."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

from rgapp.integrations.files import dialect as dialects
from rgapp.integrations.files import encoding as encodings
from rgapp.integrations.files.errors import Reason, UnreadableFile
from rgapp.integrations.files.limits import LIMITS, Limits
from rgapp.integrations.files.lines import OVERLONG, Lines, TooMuch
from rgapp.integrations.files.table import ROWS_IN_BATCH, Batch, Fault, FaultyRow, Findings, Layout

SAMPLE_LINES: Final = 400
SAMPLE_CHARACTERS: Final = 1 << 16
# Lone surrogates stand for bytes that could not be read; NUL is in no text that a person wrote.
_SPOILED: Final = re.compile("[\0\ud800-\udfff]")
_NO_TEXT: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class DelimitedTable:
    """A table in a text file."""

    def __init__(self, path: Path, *, preferred: str | None = None, limits: Limits = LIMITS) -> None:
        """Look at the whole file for its encoding, and at its beginning for the rest.

        Raises `UnreadableFile`.
        """
        self._path, self._limits = path, limits
        self._encoding = encodings.detect(path)
        self._size = max(1, path.stat().st_size)
        self._sample = self._read_sample()
        self._dialect = dialects.detect(self._sample, preferred=preferred)
        self._header_line, self.layout = self._find_layout()
        self.findings = Findings()
        self._lines: Lines | None = None

    @property
    def share(self) -> float:
        """Return how much of it was read, from 0 to 1."""
        return min(1.0, self._lines.bytes_read / self._size) if self._lines else 0.0

    def batches(self) -> Iterator[Batch]:
        """Yield the rows after the header, from the first each time.

        Raises `UnreadableFile`: too many rows, or quotes that make no sense at all.
        """
        self.findings = Findings()
        if not self.layout.header:
            return
        self._lines = Lines(self._path, self._encoding, self._limits)
        try:
            for batch in Records(self._lines, self._dialect, self._encoding, self.layout, self._limits).batches(
                self._header_line
            ):
                self.findings.note(batch)
                if self.findings.rows > self._limits.rows:
                    raise UnreadableFile(Reason.TOO_MANY_ROWS, limit=self._limits.rows)
                yield batch
        finally:
            self._lines.close()

    def _read_sample(self) -> list[str]:
        lines, found, characters = Lines(self._path, self._encoding, self._limits), [], 0
        try:
            for line in islice(lines.fast(), SAMPLE_LINES):
                found.append(line)
                characters += len(line)
                if characters > SAMPLE_CHARACTERS:
                    break
        except TooMuch:
            pass
        finally:
            lines.close()
        return found

    def _find_layout(self) -> tuple[int, Layout]:
        """Return the line after the header, and the layout."""
        lines = self._sample[self._dialect.skip :]
        reader = _reader(lines, self._dialect)
        try:
            number, header = next(((n, record) for n, record in enumerate(reader, 1) if _has_text(record)), (0, []))
        except csv.Error as error:
            raise UnreadableFile(Reason.BROKEN_HEADER) from error
        if not header:
            return 0, Layout()
        names = tuple(_clean_name(name) for name in header)
        if any(_NO_TEXT.search(name) or OVERLONG in name for name in header):
            raise UnreadableFile(Reason.NOT_TEXT)
        if len(names) > self._limits.columns:
            raise UnreadableFile(Reason.TOO_MANY_COLUMNS, limit=self._limits.columns, count=len(names))
        after = reader.line_num
        rows = [row for row in self._dialect.reader(lines[after:], strict=True) if _has_text(row)]
        # The last record may be cut off where the sample ends.
        width = dialects.width_of(header, rows[:-1] or rows)
        details = {"encoding": self._encoding.codec, "delimiter": self._dialect.delimiter}
        return after + self._dialect.skip, Layout(names, number, width, details=details)


class Records:
    """The records of one reading of a text file, in batches."""

    def __init__(
        self,
        lines: Lines,
        dialect: dialects.Dialect,
        encoding: encodings.Encoding,
        layout: Layout,
        limits: Limits,
    ) -> None:
        self._lines, self._dialect, self._encoding = lines, dialect, encoding
        self._layout, self._limits = layout, limits
        self._wasted = 0
        self._size = ROWS_IN_BATCH

    def batches(self, line: int) -> Iterator[Batch]:
        """Yield the records from this line on; as soon as one is not as it should be, its batch is read with care."""
        number = self._layout.header_row + 1
        # Lines before the header were read already.
        for _ in islice(self._lines.slow(), line):
            self._lines.allow()
        while True:
            self._lines.rewind(line)
            reader = _reader(self._lines.fast(), self._dialect)
            before = line
            while True:
                records: list[list[str]] = []
                try:
                    # What was read before an exception stays in the list, and is read again.
                    records.extend(islice(reader, self._size))
                except (csv.Error, TooMuch) as error:
                    self._size = max(1, self._size // 2) if isinstance(error, TooMuch) else self._size
                    break
                if not records:
                    return
                if not self._all_clean(records):
                    break
                yield Batch(range(number, number + len(records)), records, {})
                number += len(records)
                line = before + reader.line_num
                self._lines.rewind(line)
            self._lines.rewind(line)
            batch, count = self._carefully()
            number, line = number + count, self._lines.position
            batch = batch._replace(numbers=[each + number - count for each in batch.numbers])
            if batch.rows:
                yield batch

    def _all_clean(self, records: Sequence[Sequence[str]]) -> bool:
        """Tell whether no record is blank, ragged, spoiled or very long; in C, for it is asked of every one."""
        if set(map(len, records)) != {self._layout.width}:
            return False
        joined = list(map("".join, records))
        if not all(joined) or any(map(str.isspace, joined)) or max(map(len, joined)) > self._limits.record // 2:
            return False
        return not (self._encoding.spoiled or self._lines.overlong) or _SPOILED.search("".join(joined)) is None

    def _carefully(self) -> tuple[Batch, int]:
        """Read a batch record by record; return it, numbered from 0, and how many records it took."""
        lines = self._lines
        numbers: list[int] = []
        rows: list[list[str]] = []
        faults: dict[int, FaultyRow] = {}
        reader, count, characters = _reader(lines.slow(), self._dialect), 0, 0
        while count < self._size and characters < self._limits.batch:
            lines.allow()
            start = lines.position
            fault: Fault | None = None
            try:
                row = next(reader, None)
            except (csv.Error, TooMuch) as error:
                row, fault = [], self._what_broke(error, start)
                reader = _reader(lines.slow(), self._dialect)
            if row is None:
                break
            characters += lines.taken
            fault = fault or self._fault_of(row)
            if fault or _has_text(row):
                if fault:
                    faults[len(rows)] = FaultyRow(fault, start + 1)
                    row = [_SPOILED.sub("\ufffd", cell) for cell in row]
                numbers.append(count)
                rows.append(row)
            count += 1
        return Batch(numbers, rows, faults), count

    def _what_broke(self, error: Exception, start: int) -> Fault:
        """Return why a record could not be read, and go on behind the line on which it begins."""
        lines = self._lines
        several = lines.position - start > 1
        self._wasted += lines.taken if several else 0
        if self._wasted > self._limits.wasted_characters:
            raise UnreadableFile(Reason.HOPELESS_QUOTES)
        at_end = "unexpected end" in str(error)
        lines.position = start + 1
        lines.allow()
        if at_end or (several and (isinstance(error, TooMuch) or "limit" in str(error))):
            return Fault.UNCLOSED_QUOTE
        return Fault.TOO_LONG if isinstance(error, TooMuch) or "limit" in str(error) else Fault.STRAY_QUOTE

    def _fault_of(self, row: Sequence[str]) -> Fault | None:
        if not _has_text(row):
            return None
        if any(OVERLONG in cell for cell in row):
            return Fault.TOO_LONG
        if len(row) != self._layout.width:
            return Fault.TOO_FEW_CELLS if len(row) < self._layout.width else Fault.TOO_MANY_CELLS
        return Fault.BAD_BYTES if any(map(_SPOILED.search, row)) else None


def _reader(lines: Iterable[str], dialect: dialects.Dialect) -> Any:
    return csv.reader(lines, delimiter=dialect.delimiter, skipinitialspace=dialect.skip_space, strict=True)


def _has_text(row: Iterable[str]) -> bool:
    return any(cell and not cell.isspace() for cell in row)


def _clean_name(name: str) -> str:
    return _SPOILED.sub("\ufffd", " ".join(name.replace("\ufeff", "").split()))
