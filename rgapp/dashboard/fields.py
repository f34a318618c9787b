"""Verdicts on our five fields as pages show them, whichever source the values came from."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from rgapp import wording
from rgapp.provisioning.record import Field

FIXERS = {
    "identity_provider": "idp",
    "setup": "setup",
    "hr_data": "hr",
    "us": "us",
    "employee": "The employee",
}
FIXER_WORDS = {
    "idp": "the identity provider's administrator",
    "setup": "this set-up",
    "hr": "HR's data",
    "us": "the rewards platform",
}
# Sources that are no attribute and have a name in words.
SOURCES = {":NameID": "The NameID"}


def field_row(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return one stored verdict in words: where the value was found, how we read it, and who puts it right."""
    field, looked_for, code = Field(entry["field"]), entry.get("looked_for"), entry.get("code")
    message = fixer = None
    if code:
        problem = wording.problem_sentence(field, code, entry.get("data") or {}, looked_for)
        fix = wording.problem_fix(field, code, looked_for, entry.get("suggestion"))
        message = f"{problem} {fix}"
        # Where another name arrived that is probably meant, choosing it here is the shortest way.
        fixer = "setup" if entry.get("suggestion") else FIXERS[wording.problem_fixer(code)]
    elif entry["state"] == "unmapped":
        message = "Nothing is mapped, so this stays empty."
    where = SOURCES.get(looked_for or "", looked_for)
    return {
        "state": {"unmapped": "skipped"}.get(entry["state"], entry["state"]),
        "field": field.value,
        "what": wording.FIELD_LABELS[field],
        "level": entry.get("level") or ("mandatory" if field.mandatory else "recommended"),
        "looked_for": where,
        "found_in": None if entry["state"] == "missing" else where,
        "raw": "; ".join(entry.get("raw") or ()) or None,
        "reading": reading_words(field, entry.get("value")),
        "message": message,
        "who_fixes": fixer,
        "suggestion": entry.get("suggestion"),
    }


def fields_as_text(rows: list[dict[str, Any]]) -> list[str]:
    """Return rows as lines for somebody outside: names of attributes and what is wrong, never a value."""
    lines = []
    for row in rows:
        where = f" from “{row['looked_for']}”" if row["looked_for"] else ""
        who = row["who_fixes"]
        fixer = f" (fixed in: {FIXER_WORDS.get(who, who)})" if who else ""
        words = "in order" if row["state"] == "ok" else row["message"] or row["state"]
        lines.append(f"- {row['what']}{where}: {words}{fixer}")
    return lines


def reading_words(field: Field, value: str | None) -> str | None:
    """Return our reading of a value; a date in long form."""
    if value and field is Field.DATE_OF_BIRTH:
        try:
            return wording.long_date(date.fromisoformat(value))
        except ValueError:
            return value
    return value or None
