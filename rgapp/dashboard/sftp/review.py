"""What Review and publish says of an SFTP integration: gaps, what changes for people, and what to think of first."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rgapp.dashboard.kinds import Problem, Review, Warn
from rgapp.dashboard.sftp.account import has_access
from rgapp.dashboard.sftp.identifiers import warning_of
from rgapp.integrations.base import SettingsError
from rgapp.integrations.registry import kind_of
from rgapp.integrations.sftp.settings import Hold
from rgapp.models import Integration

ACCOUNT = ("dashboard.sftp_account", "Account")
EXAMPLE = ("dashboard.sftp_example", "Example file")


def review_of(integration: Integration, live: Mapping[str, Any] | None, now: datetime) -> Review:
    """Return what Review and publish shows."""
    return Review(
        problems=problems_of(integration),
        noticed_title="What changes for people",
        noticed=changes_for_people(integration, live),
        warnings=warnings_of(integration),
        test_endpoint="dashboard.sftp_preview",
        test_promise="go through the example file and see whom it would create, change and take out",
        untested_risk="If they do not, people are refused, or get accounts with wrong details; the version before can "
        "be restored under History.",
    )


def problems_of(integration: Integration) -> list[Problem]:
    """Return what stops this draft from being published."""
    kind = kind_of(integration.kind)
    if missing := kind.missing(integration.draft):
        return [Problem(f"Example file still needs {one}.", *EXAMPLE) for one in missing]
    try:
        kind.validate(integration.draft)
    except SettingsError as error:
        return [Problem(one.message, *EXAMPLE) for one in error.problems]
    return []


def warnings_of(integration: Integration) -> list[Warn]:
    """Return what to think of before publishing."""
    found = []
    if not has_access(integration):
        sentence = "There is neither a password nor an SSH key, so no file can be uploaded."
        found.append(Warn("Nothing opens the account yet", sentence, ACCOUNT[0], "Make a password or add a key"))
    if (identifiers := warning_of(integration)) is not None:
        found.append(identifiers)
    for notice in kind_of(integration.kind).notices(integration.draft, integration.updated_at):
        found.append(Warn("Nobody ever leaves", notice.sentence, EXAMPLE[0], notice.action))
    return found


def changes_for_people(integration: Integration, live: Mapping[str, Any] | None) -> list[str]:
    """Return what publishing changes for people, one sentence each."""
    draft, before, name = integration.draft, live, integration.name
    full = bool(draft.get("full_file", True))
    status = (draft.get("mapping") or {}).get("status")
    welcome, owns = bool(draft.get("welcome_email", True)), bool(draft.get("provision_master", True))
    sentences = []
    if before is None:
        sentences.append(f"From the next file on, {name} creates, updates and reactivates people here.")
        sentences.append("The example file itself is not applied: upload it again once this is live.")
    if before is None or full != bool(before.get("full_file", True)):
        sentences.append(
            "Who was in a file before and is no longer in it becomes a leaver."
            if full
            else "Being absent from a file changes nobody."
        )
    if status and (before is None or status != (before.get("mapping") or {}).get("status")):
        values = ", ".join(f"“{value}”" for value in status.get("leaver") or ())
        sentences.append(f"Somebody becomes a leaver whose column “{status.get('column')}” says {values}.")
    if before is None or welcome != bool(before.get("welcome_email", True)):
        sentences.append("New people get a welcome e-mail." if welcome else "New people get no welcome e-mail from us.")
    if before is None or owns != bool(before.get("provision_master", True)):
        sentences.append(
            f"{name} owns the fields it brings: neither a sign-in nor a person changes them by hand."
            if owns
            else f"{name} owns no fields: sign-ins and people may change them, until the next file."
        )
    if before is not None and (draft.get("hold") or Hold.EVERYTHING) != (before.get("hold") or Hold.EVERYTHING):
        sentences.append(
            "When a file looks wrong, nothing of it is applied before somebody has looked."
            if draft.get("hold", Hold.EVERYTHING) == Hold.EVERYTHING
            else "When a file looks wrong, new people and changes are applied at once; leavers wait."
        )
    if before is not None and draft.get("mapping") != before.get("mapping"):
        sentences.append("From the next file on, every row is read with the new mapping.")
    return sentences or ["Nothing changes for people."]
