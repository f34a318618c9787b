"""The columns of an example file: which is probably which of our fields, and what is found in each."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from itertools import islice
from typing import Final

from rgapp.integrations.files.table import Cell, Layout, Table, Unreadable, header_key
from rgapp.integrations.sftp import headers
from rgapp.integrations.sftp.reader import places
from rgapp.integrations.sftp.settings import Columns, value_key
from rgapp.provisioning.record import Field, InvalidValue, ProblemCode
from rgapp.provisioning.validation import (
    DAY_FORMATS,
    READERS,
    clean,
    clean_identifier,
    format_label,
    read_date_of_birth,
)

ROWS_LOOKED_AT: Final = 2_000
EXAMPLES: Final = 3
MONTHS: Final = 12
MOST_VALUES: Final = 20
LONGEST_SHOWN: Final = 200
#: So many of a hundred values have to be addresses for a column to be taken for that of the addresses.
ADDRESSES: Final = 80


@dataclass(frozen=True)
class Sample:
    """The first rows of a file: its layout, and for each column the values that are not blank."""

    layout: Layout
    rows: int = 0
    columns: Sequence[Sequence[Cell]] = ()

    def values(self, column: str) -> Sequence[Cell] | None:
        """Return the values of a column by its name; None where it is not there, or there twice."""
        index = places(self.layout).get(header_key(column))
        return None if index is None else self.columns[index]


class Finding(StrEnum):
    """What was found in a mapped column."""

    FITS = "fits"
    MISSING = "missing"
    BLANK = "blank"
    SOME_UNREADABLE = "some_unreadable"
    UNREADABLE = "unreadable"
    REPEATED = "repeated"


@dataclass(frozen=True)
class Verdict:
    """What a mapped column holds: how many values, how many that its field cannot take, and why the first of those.

    `examples` are a few values with our reading of each, None where there is none.
    """

    field: Field
    column: str
    finding: Finding
    filled: int = 0
    unreadable: int = 0
    problem: ProblemCode | None = None
    wrong: str = ""
    examples: Sequence[tuple[str, str | date | None]] = ()

    @property
    def stops(self) -> bool:
        """Tell whether this cannot be published: a mandatory column that is not what it should be."""
        bad = {Finding.MISSING, Finding.BLANK, Finding.UNREADABLE, Finding.REPEATED}
        return self.finding in bad and self.field.mandatory


@dataclass(frozen=True)
class DateChoice:
    """A date format in which the values of the sample can be read, and how a few of them read then."""

    format: str
    label: str
    examples: Sequence[tuple[str, date]]


@dataclass(frozen=True)
class DateColumn:
    """What can be said of a column of dates.

    Where the file itself keeps dates, no format is needed (`kept_as_dates`). Several choices are for a person to decide
    between; none means that no single format reads all values: then `nearest` are those that leave the fewest unread,
    and fewer than half, of which `odd` are some.
    """

    kept_as_dates: bool = False
    choices: Sequence[DateChoice] = ()
    nearest: Sequence[DateChoice] = ()
    odd: Sequence[str] = ()


@dataclass(frozen=True)
class StatusValues:
    """The values of a status column with how often each is there, and those that seem to mean "has left"."""

    counts: Mapping[str, int] = field(default_factory=dict)
    leaver: Sequence[str] = ()
    more: bool = False


def take_sample(table: Table, rows: int = ROWS_LOOKED_AT) -> Sample:
    """Return the first rows of a table that can be read.

    Raises `UnreadableFile`.
    """
    layout, count = table.layout, 0
    columns: list[list[Cell]] = [[] for _ in range(layout.width)]
    good = (row for batch in table.batches() for index, row in enumerate(batch.rows) if index not in batch.faults)
    for row in islice(good, rows):
        count += 1
        for column, cell in zip(columns, row, strict=True):
            if not isinstance(cell, str) or cell.strip():
                column.append(cell)
    return Sample(layout, count, columns)


def guess(sample: Sample) -> dict[str, str]:
    """Return which column each field (and `status`) probably comes from, by names first.

    An address is known by its looks, so a column of addresses is found under any name, where there is only one.
    """
    header = sample.layout.header
    found = headers.guess(header)
    if Field.EMAIL.value not in found:
        looks = [index for index, cells in enumerate(sample.columns) if index < len(header) and _are_addresses(cells)]
        if len(looks) == 1 and looks[0] not in found.values():
            found[Field.EMAIL.value] = looks[0]
    usable = places(sample.layout)
    return {name: header[index] for name, index in found.items() if header_key(header[index]) in usable}


def verdicts(sample: Sample, columns: Columns, *, today: date) -> list[Verdict]:
    """Return what is found in each mapped column, in our order of fields; `today` bounds dates of birth."""
    return [
        verdict(sample, name, source.column, source.format or "", today=today)
        for name, source in columns.fields.items()
    ]


def verdict(sample: Sample, name: Field, column: str, date_format: str = "", *, today: date) -> Verdict:
    """Return what is found in one column, were it mapped to this field."""
    cells = sample.values(column)
    if cells is None:
        return Verdict(name, column, Finding.MISSING)
    if not cells:
        return Verdict(name, column, Finding.BLANK)
    unreadable, problem, wrong = 0, None, ""
    examples: dict[str, str | date | None] = {}
    seen: Counter[str] = Counter()
    for cell in cells:
        text = str(cell)[:LONGEST_SHOWN]
        value: str | date | None = None
        try:
            value = read_cell(name, cell, date_format, today)
            seen[str(value)] += 1
        except InvalidValue as error:
            unreadable += 1
            if problem is None:
                problem, wrong = error.code, text
        if len(examples) < EXAMPLES:
            examples.setdefault(text, value)
    finding = Finding.FITS
    if unreadable:
        finding = Finding.UNREADABLE if unreadable * 2 > len(cells) else Finding.SOME_UNREADABLE
    elif name is Field.MEMBERSHIP_NO and len(seen) * 2 <= len(cells) and len(cells) > 1:
        # Identifiers are nearly all different; what repeats is a department or a site.
        finding = Finding.REPEATED
    return Verdict(name, column, finding, len(cells), unreadable, problem, wrong, tuple(examples.items()))


def read_cell(name: Field, cell: Cell, date_format: str, today: date) -> str | date:
    """Return a cell as its field takes it.

    Raises `InvalidValue`.
    """
    if isinstance(cell, date):
        if name is Field.DATE_OF_BIRTH:
            return read_date_of_birth(cell.isoformat(), "%Y-%m-%d", today)
        if name is Field.MEMBERSHIP_NO:
            raise InvalidValue(ProblemCode.BAD_CHARACTERS, characters="")
        cell = cell.isoformat()
    if isinstance(cell, Unreadable) and name is Field.MEMBERSHIP_NO:
        raise InvalidValue(ProblemCode.BAD_CHARACTERS, characters="")
    text = clean_identifier(cell) if name.mandatory else clean(cell)
    if name is Field.DATE_OF_BIRTH:
        return read_date_of_birth(text, date_format, today)
    return READERS[name](text)


def dates_of(sample: Sample, column: str, *, today: date) -> DateColumn:
    """Return in which formats the dates of a column can be read; which of several is meant, no sample can tell."""
    cells = sample.values(column) or ()
    texts = list(dict.fromkeys(clean_or_raw(cell) for cell in cells if not isinstance(cell, date)))
    if not texts:
        return DateColumn(kept_as_dates=bool(cells))
    odd = {key: [text for text in texts if _date_of(text, key, today) is None] for key in DAY_FORMATS}
    fewest = min(len(left) for left in odd.values())
    best = [key for key in DAY_FORMATS if len(odd[key]) == fewest and fewest * 2 < len(texts)]
    found = [DateChoice(key, format_label(key), _examples(texts, key, today)) for key in best]
    if not fewest:
        return DateColumn(choices=found)
    return DateColumn(nearest=found, odd=min(odd.values(), key=len)[:EXAMPLES])


def status_values(sample: Sample, column: str) -> StatusValues:
    """Return the values of a status column, the most frequent first, and those that seem to mean "has left"."""
    counts: Counter[str] = Counter()
    written: dict[str, str] = {}
    for cell in sample.values(column) or ():
        text = " ".join(str(cell).split())[:LONGEST_SHOWN]
        counts[value_key(text)] += 1
        written.setdefault(value_key(text), text)
    common = counts.most_common(MOST_VALUES)
    meaning = headers.LEFT | (headers.NO if _asks_active(column) else frozenset())
    leaver = [written[key] for key, _ in common if headers.plain(key) in meaning]
    return StatusValues({written[key]: count for key, count in common}, leaver, more=len(counts) > MOST_VALUES)


def clean_or_raw(cell: Cell) -> str:
    """Return a cell as text, trimmed and composed where that can be done."""
    text = str(cell)[:LONGEST_SHOWN]
    try:
        return clean(text)
    except InvalidValue:
        return text


def _examples(texts: Sequence[str], date_format: str, today: date) -> list[tuple[str, date]]:
    read = [(text, day) for text in texts if (day := _date_of(text, date_format, today))]
    # A day after the twelfth can be no month, so it shows best that the format is the right one.
    return sorted(read, key=lambda example: example[1].day <= MONTHS)[:EXAMPLES]


def _date_of(text: str, date_format: str, today: date) -> date | None:
    try:
        return read_date_of_birth(text, date_format, today)
    except InvalidValue:
        return None


def _asks_active(column: str) -> bool:
    return headers.plain(column).removeprefix("is") in {"active", "aktiv", "actif", "activo", "activestatus"}


def _are_addresses(cells: Iterable[Cell]) -> bool:
    known = [cell for cell in cells if isinstance(cell, str)][:ROWS_LOOKED_AT]
    good = 0
    for cell in known:
        try:
            READERS[Field.EMAIL](clean_identifier(cell))
            good += 1
        except InvalidValue:
            continue
    return bool(known) and good * 100 >= len(known) * ADDRESSES
