"""What the set-up pages show of a pull: settings in words, and gaps."""

from collections.abc import Mapping
from typing import Any, Final

from rgapp.integrations.mapped import LABELS, missing_of_mapping
from rgapp.integrations.pulls.schedule import Schedule
from rgapp.integrations.pulls.settings import Hold
from rgapp.provisioning.record import Field
from rgapp.provisioning.validation import format_label

SCHEDULES: Final[Mapping[str, str]] = {
    Schedule.HOURLY: "Every hour",
    Schedule.DAILY: "Every day",
    Schedule.WEEKLY: "Every week",
    Schedule.MONTHLY: "Every month",
}
HOLD_WORDS: Final = {
    Hold.EVERYTHING: "Nothing of a suspicious pull is applied before somebody has looked",
    Hold.DEACTIVATIONS: "New people and changes are applied at once; only leavers wait",
}


def describe(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return every setting in words, in the order of the pages; copes with drafts that are not complete."""
    mapping = settings.get("mapping") or {}
    schedule, hold = settings.get("schedule") or "daily", settings.get("hold") or Hold.EVERYTHING
    return {LABELS[field]: source_words(mapping.get(field.value)) for field in Field} | {
        "It pulls": SCHEDULES.get(schedule, str(schedule)),
        "A pull is held": HOLD_WORDS.get(hold, str(hold)),
        "Welcome e-mail to new users": _yes(settings.get("welcome_email", True)),
        "Provision Master": _yes(settings.get("provision_master", True)),
    }


def missing(settings: Mapping[str, Any]) -> list[str]:
    """Return what a draft still lacks of its mapping."""
    birth = (settings.get("mapping") or {}).get(Field.DATE_OF_BIRTH.value) or {}
    return missing_of_mapping(settings) + (
        ["how dates of birth are written"] if birth and not birth.get("format") else []
    )


def source_words(source: Mapping[str, Any] | None) -> str:
    """Say which field of theirs one of ours comes from."""
    if not source:
        return "Not mapped"
    where = f"“{source.get('field', '')}”"
    if source.get("otherwise"):
        where += f", else “{source['otherwise']}”"
    return f"{where}, written {format_label(source['format'])}" if source.get("format") else where


def _yes(value: Any) -> str:
    return "Yes" if value else "No"
