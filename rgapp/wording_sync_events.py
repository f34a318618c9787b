"""Words for the audit events about sync runs: sentence, icon and colour of each, and a line of detail."""

from collections.abc import Mapping
from typing import Any

from rgapp.audit import Tag

# The sentence, where {name} is the integration; the icon; the semantic colour.
SYNC_EVENTS: dict[Tag, tuple[str, str, str]] = {
    Tag.SYNC_APPLIED: ("Run of {name} applied", "arrow-repeat", "ok"),
    Tag.SYNC_HELD: ("Run of {name} held", "pause-circle", "attention"),
    Tag.SYNC_FAILED: ("Run of {name} failed", "x-circle", "failed"),
    Tag.SYNC_RELEASE_ASKED: ("Release of a run of {name} asked for", "person-check", "attention"),
    Tag.SYNC_RELEASED: ("Held run of {name} released", "play-circle", "ok"),
    Tag.SYNC_DISCARDED: ("Held run of {name} discarded", "trash", "info"),
}
COUNTS = {
    "created": "created",
    "updated": "updated",
    "reactivated": "reactivated",
    "deactivated": "deactivated",
    "refused": "refused",
    "leavers": "would leave",
}


def sync_detail(facts: Mapping[str, Any]) -> str:
    """Return the line under the sentence: the file, and what came of it."""
    words = [str(facts["file"])] if facts.get("file") else []
    counted = [f"{facts[key]} {word}" for key, word in COUNTS.items() if facts.get(key)]
    if counted:
        words.append(", ".join(counted))
    return " · ".join(words)
