"""Read a source's record through a mapping: their names to our fields, every problem collected, nothing raised."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from rgapp.provisioning.record import (
    UNSET,
    Field,
    FieldReading,
    FieldValue,
    InvalidValue,
    PersonRecord,
    Problem,
    ProblemCode,
    Reading,
    SourceRecord,
)
from rgapp.provisioning.validation import READERS, clean, clean_identifier, read_date_of_birth

RAW_VALUES_KEPT = 5
RAW_CHARACTERS_KEPT = 200


@dataclass(frozen=True)
class FieldRule:
    """Where one of our fields comes from: the source's name for it and, for dates, the declared format."""

    name: str
    date_format: str | None = None


Rules = Mapping[Field, FieldRule]


def read_record(record: SourceRecord, rules: Rules, *, today: date, blank_clears: bool = False) -> Reading:
    """Read every field of a record.

    `today` bounds dates of birth. With `blank_clears` (a form that a person filled in) an empty recommended field
    clears the value; elsewhere an empty value says nothing.
    """
    readings = tuple(read_field(field, record, rules.get(field), today, blank_clears) for field in Field)
    values = {reading.field.value: reading.value for reading in readings if reading.problem is None}
    person = PersonRecord(**values, external_id=record.external_id, active=record.active)  # type: ignore[arg-type]
    return Reading(position=record.position, person=person, fields=readings)


def read_field(
    field: Field, record: SourceRecord, rule: FieldRule | None, today: date, blank_clears: bool = False
) -> FieldReading:
    """Read one field of a record, as `read_record` does."""
    if rule is None:
        problem = Problem(ProblemCode.NOT_MAPPED) if field.mandatory else None
        return FieldReading(field, None, problem=problem)
    arrived = record.values.get(rule.name)
    raw = tuple(value[:RAW_CHARACTERS_KEPT] for value in (arrived or ())[:RAW_VALUES_KEPT])
    if arrived is None:
        return FieldReading(field, rule.name, problem=Problem(ProblemCode.MISSING))
    try:
        value = _read_values(field, arrived, rule, today)
    except InvalidValue as verdict:
        return FieldReading(field, rule.name, raw, problem=Problem(verdict.code, verdict.data))
    if value is not None:
        return FieldReading(field, rule.name, raw, value)
    if blank_clears and not field.mandatory:
        return FieldReading(field, rule.name, raw, None)
    return FieldReading(field, rule.name, raw, UNSET, Problem(ProblemCode.EMPTY))


def _read_values(field: Field, arrived: Sequence[str], rule: FieldRule, today: date) -> FieldValue:
    """Return the one value that the source gives, None where all are blank.

    Raises `InvalidValue`, also where several different values arrived: choosing one would be a guess.
    """
    cleaned = map(clean_identifier if field.mandatory else clean, arrived)
    distinct = {value: None for value in cleaned if value}
    if not distinct:
        return None
    if len({value.casefold() if field is Field.EMAIL else value for value in distinct}) > 1:
        raise InvalidValue(ProblemCode.AMBIGUOUS, count=len(distinct))
    value = next(iter(distinct))
    if field is Field.DATE_OF_BIRTH:
        return read_date_of_birth(value, rule.date_format or "%Y-%m-%d", today)
    return READERS[field](value)
