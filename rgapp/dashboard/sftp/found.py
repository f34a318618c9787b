"""What was found in the example file, in words: a verdict on each column, dates in long form, values of a status."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from rgapp.integrations.sftp.columns import (
    DateColumn,
    Finding,
    Sample,
    StatusValues,
    Verdict,
    dates_of,
    status_values,
    verdict,
)
from rgapp.integrations.sftp.examples import Example
from rgapp.integrations.sftp.forms import ContentForm
from rgapp.provisioning.record import Field, ProblemCode
from rgapp.provisioning.validation import DAY_FORMATS, format_label
from rgapp.templating import clip, counted, long_date

LONGEST = 60
WHY = {
    ProblemCode.TOO_LONG: "is too long",
    ProblemCode.HIDDEN_CHARACTERS: "has invisible characters",
    ProblemCode.BAD_CHARACTERS: "has characters that cannot stand there",
    ProblemCode.NOT_AN_ADDRESS: "is no complete e-mail address",
    ProblemCode.UNREADABLE_DATE: "is no date in this format",
    ProblemCode.IMPOSSIBLE_DATE: "is no day that exists",
    ProblemCode.FUTURE_DATE: "is in the future",
    ProblemCode.TOO_LONG_AGO: "is before 1900",
}


@dataclass(frozen=True)
class Said:
    """A verdict for the page: its state, a sentence, and a few values with our reading where it differs."""

    state: str
    sentence: str
    examples: Sequence[tuple[str, str | None]] = ()


@dataclass(frozen=True)
class Found:
    """Everything that a page shows of an example beside the form: columns with samples, verdicts, dates, status."""

    columns: Sequence[tuple[str, Sequence[str]]] = ()
    verdicts: dict[str, Said] | None = None
    dates: DateColumn = field(default_factory=DateColumn)
    formats: Sequence[tuple[str, str]] = ()
    format_examples: dict[str, str] | None = None
    status: StatusValues | None = None


def look(example: Example | None, form: ContentForm, usual_format: str, today: date) -> Found:
    """Return what is found in an example under what a form says."""
    if example is None:
        return Found(formats=formats_of(DateColumn(), form.date_format.data, usual_format), format_examples={})
    sample = example.sample
    birth = form.column_of(Field.DATE_OF_BIRTH)
    dates = dates_of(sample, birth, today=today) if birth else DateColumn()
    said = {
        field.value: say(verdict(sample, field, column, form.date_format.data or "", today=today), dates, form)
        for field in Field
        if (column := form.column_of(field))
    }
    status = form.status_column.data
    return Found(
        columns=columns_of(sample),
        verdicts=said,
        dates=dates,
        formats=formats_of(dates, form.date_format.data, usual_format),
        format_examples=examples_of(dates),
        status=status_values(sample, status) if status else None,
    )


def columns_of(sample: Sample) -> list[tuple[str, list[str]]]:
    """Return the columns with a few different values of each."""
    found = []
    for index, name in enumerate(sample.layout.header):
        cells = sample.columns[index] if index < len(sample.columns) else ()
        found.append((name, list(dict.fromkeys(clip(str(cell), LONGEST) for cell in cells[:50]))[:3]))
    return found


def formats_of(dates: DateColumn, chosen: str | None, usual: str) -> list[tuple[str, str]]:
    """Return the date formats to choose from: those that read every value, else all, the nearest ones first."""
    fitting = [choice.format for choice in dates.choices]
    keys = fitting or [*(choice.format for choice in dates.nearest), usual, *DAY_FORMATS]
    return [(key, format_label(key)) for key in dict.fromkeys([*keys, *([chosen] if chosen else [])])]


def examples_of(dates: DateColumn) -> dict[str, str]:
    """Return for each format that fits, or nearly so, how three real values read then."""
    return {
        choice.format: "; ".join(f"{text} is {long_date(day)}" for text, day in choice.examples)
        for choice in dates.choices or dates.nearest
    }


def say(found: Verdict, dates: DateColumn, form: ContentForm) -> Said:
    """Put the verdict on one column into words."""
    values = counted(found.filled, "value")
    bad = "wrong" if found.field.mandatory else "warning"
    if found.field is Field.DATE_OF_BIRTH and not form.date_format.data and not dates.kept_as_dates:
        return Said("skipped", "Say below how the dates are written.")
    match found.finding:
        case Finding.MISSING:
            return Said(bad, f"The example has no column “{found.column}”, or two of them.")
        case Finding.BLANK:
            return Said(bad, "This column is blank in the example.")
        case Finding.REPEATED:
            return Said(bad, f"{values} in which the same come again and again: they do not tell people apart.")
        case Finding.FITS:
            return Said("ok", f"{values}, all of them good.", readings(found.examples))
    why = WHY.get(found.problem or ProblemCode.EMPTY, "cannot be read")
    sentence = f"{found.unreadable:,} of {values} cannot be taken: “{clip(found.wrong, LONGEST)}” {why}."
    if found.finding is Finding.UNREADABLE:
        return Said(bad, sentence)
    rest = " Those rows would be refused." if found.field.mandatory else " They would stay empty."
    return Said("warning", sentence + rest, readings(found.examples))


def readings(examples: Sequence[tuple[str, Any]]) -> list[tuple[str, str | None]]:
    """Return examples with our reading, None where it is the same."""
    found: list[tuple[str, str | None]] = []
    for text, value in examples:
        reading = long_date(value) if isinstance(value, date) else value
        found.append((clip(text, LONGEST), None if reading == text else reading))
    return found
