"""What the set-up pages show of an SFTP integration: settings in words, gaps, notices, and differences."""

from collections.abc import Mapping
from typing import Any

from rgapp.integrations.base import Difference, Notice
from rgapp.integrations.mapped import LABELS, missing_of_mapping
from rgapp.integrations.sftp.settings import Hold
from rgapp.provisioning.record import Field
from rgapp.provisioning.validation import format_label

FULL_WORDS = {
    True: "Everybody who works there: who is no longer in it has left",
    False: "Changes only: who has left, the status column says",
}
HOLD_WORDS = {
    Hold.EVERYTHING: "Nothing of a suspicious file is applied before somebody has looked",
    Hold.DEACTIVATIONS: "New people and changes are applied at once; only leavers wait",
}


def describe(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return every setting in words, in the order of the pages; copes with drafts that are not complete."""
    mapping = settings.get("mapping") or {}
    words = {LABELS[field]: source_words(mapping.get(field.value)) for field in Field}
    hold = settings.get("hold") or Hold.EVERYTHING
    return words | {
        "What a file holds": FULL_WORDS[bool(settings.get("full_file", True))],
        "Status column": status_words(mapping.get("status")),
        "A file is held": HOLD_WORDS.get(hold, str(hold)),
        "Welcome e-mail to new users": _yes(settings.get("welcome_email", True)),
        "Provision Master": _yes(settings.get("provision_master", True)),
    }


def differences(
    before: Mapping[str, Any] | None, after: Mapping[str, Any], names: tuple[str, str] = ("", "")
) -> list[Difference]:
    """Return what differs between two settings, and between two names, in words."""
    old = describe(before) if before is not None else {}
    new = describe(after)
    found = [Difference("Name", *names)] if before is not None and names[0] != names[1] else []
    return found + [Difference(key, old.get(key, ""), new[key]) for key in new if old.get(key, "") != new[key]]


def missing(settings: Mapping[str, Any]) -> list[str]:
    """Return what a draft still lacks."""
    birth = (settings.get("mapping") or {}).get(Field.DATE_OF_BIRTH.value) or {}
    unclear = birth and not birth.get("format")
    return missing_of_mapping(settings) + (["how dates of birth are written"] if unclear else [])


def notices(settings: Mapping[str, Any]) -> list[Notice]:
    """Return what about live settings needs an admin: a feed by which nobody ever leaves."""
    says_who_left = settings.get("full_file", True) or (settings.get("mapping") or {}).get("status")
    if says_who_left:
        return []
    sentence = "These files hold changes only, and no status column says who has left: nobody ever leaves by them."
    return [Notice("mapping", sentence, "Choose the status column")]


def source_words(source: Mapping[str, Any] | None) -> str:
    """Say which column one field comes from."""
    if not source:
        return "Not mapped"
    where = f"“{source.get('column', '')}”"
    return f"{where}, written {format_label(source['format'])}" if source.get("format") else where


def status_words(source: Mapping[str, Any] | None) -> str:
    """Say which column tells who has left, and by which values."""
    if not source:
        return "None"
    return f"“{source.get('column', '')}”; left: {', '.join(map(str, source.get('leaver') or ()))}"


def _yes(value: Any) -> str:
    return "Yes" if value else "No"
