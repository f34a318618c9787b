"""What is noted beside a user's fields: which source gave each, which are missing and why, what changed."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from rgapp.provisioning.policy import Policy
from rgapp.provisioning.record import Change, Field, ProblemCode, Reading


def source_of(policy: Policy, now: datetime) -> dict[str, Any]:
    """Return which source gives a field now, as the user's row keeps it."""
    return {
        "source": policy.source.value,
        "name": policy.name,
        "integration_id": str(policy.integration_id) if policy.integration_id else None,
        "at": now.isoformat(),
    }


def sources_after(
    sources: Mapping[str, Any], changes: tuple[Change, ...], policy: Policy, now: datetime
) -> dict[str, Any]:
    """Return the source of each field once the changes are written."""
    sources = dict(sources)
    for change in changes:
        if change.after is None:
            sources.pop(change.field.value, None)
        else:
            sources[change.field.value] = source_of(policy, now)
    return sources


def gaps_of(reading: Reading, values: dict[Field, Any]) -> dict[str, Any]:
    """Return the recommended fields that are empty, each with the code of what the source's reading said about it."""
    gaps = {}
    for entry in reading.fields:
        if not entry.field.mandatory and values[entry.field] is None:
            gaps[entry.field.value] = str(entry.problem.code if entry.problem else ProblemCode.NOT_MAPPED)
    return gaps


def creation_facts(policy: Policy, reading: Reading) -> dict[str, Any]:
    """Return what is noted of a new account: who gave it, what is missing, and whether a welcome e-mail follows."""
    waits = reading.person.active is False
    return {
        "source": policy.source,
        "via": policy.name,
        "missing": {entry.field.value: str(entry.problem.code) for entry in reading.warnings if entry.problem},
        "welcome": policy.welcome_email and not waits,
        **({"waits": True} if waits else {}),
    }


def change_facts(policy: Policy, changes: tuple[Change, ...] = ()) -> dict[str, Any]:
    """Return what is noted of a change to an account."""
    return {"source": policy.source, "via": policy.name, "changes": changes_as_facts(changes)}


def changes_as_facts(changes: tuple[Change, ...]) -> list[dict[str, Any]]:
    """Return changes as JSON for the audit log."""
    return [
        {"field": change.field.value, "before": _as_text(change.before), "after": _as_text(change.after)}
        for change in changes
    ]


def _as_text(value: str | date | None) -> str | None:
    return value.isoformat() if isinstance(value, date) else value
