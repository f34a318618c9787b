"""When the preview of a feed may be taken for a test."""

from typing import Final

from rgapp.integrations.sync.holds import Hold
from rgapp.models import Integration, RunState, SyncRun

#: What a first file or pull may well be held for, and may be right all the same.
ACCEPTABLE: Final = frozenset({Hold.GUARD, Hold.NO_OVERLAP})


def is_acceptable(found: SyncRun, integration: Integration) -> bool:
    """Tell whether a preview says what the draft as it stands would do."""
    if found.settings != integration.draft:
        return False
    return found.state == RunState.APPLIED or (found.state == RunState.HELD and found.reason in ACCEPTABLE)
