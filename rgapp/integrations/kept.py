"""How a reading is kept beside what a source did: mapped fields only, in one form for every kind."""

from datetime import date
from typing import Any

from rgapp.provisioning import Field, FieldReading, ProblemCode, Reading
from rgapp.provisioning.record import MANDATORY
from rgapp.provisioning.validation import email_key

PERSON_LENGTH = 200


def person_label(reading: Reading) -> str | None:
    """Return whom a reading describes: "Jane Carter (E1001)", or what of it could be read."""
    person = reading.person
    names = " ".join(name for name in (person.first_name, person.last_name) if name)
    identifier = person.membership_no or person.email or ""
    if names and identifier:
        return f"{names} ({identifier})"[:PERSON_LENGTH]
    return (names or identifier)[:PERSON_LENGTH] or None


def identifiers_of(reading: Reading | None) -> dict[str, Any]:
    """Return what a kept record is found by: the columns `membership_no`, `email_key` and `person`."""
    if reading is None:
        return {"membership_no": None, "email_key": None, "person": None}
    person = reading.person
    return {
        "membership_no": person.membership_no or None,
        "email_key": email_key(person.email) if person.email else None,
        "person": person_label(reading),
    }


def field_of(
    entry: FieldReading, *, hide_birth: bool = False, suggestion: str | None = None, left_out: bool = False
) -> dict[str, Any]:
    """Return one field's reading as JSON.

    A field that was `left_out` was read, and not taken: another directory owns it.

    `hide_birth` leaves a date of birth out: nobody explains a good record with it, and it stands with the account.
    """
    missing = is_missing(entry)
    state = "ok" if entry.ok else ("missing" if missing else "wrong")
    if entry.ok and entry.looked_for is None:
        state = "unmapped"
    code = str(entry.problem.code) if entry.problem else ""
    if left_out:
        state, code = "wrong", str(ProblemCode.OWNED)
    shown = not (hide_birth and entry.field is Field.DATE_OF_BIRTH)
    value = entry.value.isoformat() if isinstance(entry.value, date) else (entry.value or None)
    return {
        "field": entry.field.value,
        "level": "mandatory" if entry.field in MANDATORY else "recommended",
        "looked_for": entry.looked_for,
        "raw": list(entry.raw) if shown else [],
        "value": value if shown else None,
        "state": state,
        "code": code,
        "data": dict(entry.problem.data) if entry.problem else {},
        "suggestion": suggestion,
    }


def is_missing(entry: FieldReading) -> bool:
    """Tell whether the source said nothing where the mapping looks."""
    return entry.problem is not None and not entry.raw
