"""What the set-up pages show of a SCIM integration: settings in words, gaps, and differences."""

from collections.abc import Mapping
from typing import Any

from rgapp.integrations.base import Difference
from rgapp.integrations.mapped import LABELS
from rgapp.integrations.scim.settings import OnDelete
from rgapp.provisioning.record import Field
from rgapp.provisioning.validation import format_label

ON_DELETE_WORDS = {
    OnDelete.DEACTIVATE: "The person becomes a leaver; the history stays",
    OnDelete.DETACH: "The account stays as it is, and no longer follows this integration",
}


def describe(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return every setting in words, in the order of the pages; copes with drafts that are not complete."""
    mapping = settings.get("mapping") or {}
    words = {LABELS[field]: source_words(mapping.get(field.value)) for field in Field}
    on_delete = settings.get("on_delete") or OnDelete.DEACTIVATE
    return words | {
        "Welcome e-mail to new users": _yes(settings.get("welcome_email", True)),
        "Provision Master": _yes(settings.get("provision_master", True)),
        "A user is deleted there": ON_DELETE_WORDS.get(on_delete, str(on_delete)),
    }


def differences(
    before: Mapping[str, Any] | None, after: Mapping[str, Any], names: tuple[str, str] = ("", "")
) -> list[Difference]:
    """Return what differs between two settings, and between two names, in words."""
    old = describe(before) if before is not None else {}
    new = describe(after)
    found = [Difference("Name", *names)] if before is not None and names[0] != names[1] else []
    return found + [Difference(key, old.get(key, ""), new[key]) for key in new if old.get(key, "") != new[key]]


def source_words(source: Mapping[str, Any] | None) -> str:
    """Say where one field comes from."""
    if not source:
        return "Not mapped"
    where = f"“{source.get('attribute', '')}”"
    return f"{where}, written {format_label(source['format'])}" if source.get("format") else where


def _yes(value: Any) -> str:
    return "Yes" if value else "No"
