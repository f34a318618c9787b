"""What Review and publish says of a SCIM integration: gaps, what changes for people, and what to think of first."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rgapp.dashboard.kinds import Problem, Review, Warn
from rgapp.dashboard.scim.identifiers import warning_of
from rgapp.dashboard.scim.tokens import token_rows
from rgapp.integrations.base import SettingsError
from rgapp.integrations.mapped import missing_of_mapping
from rgapp.integrations.registry import kind_of
from rgapp.integrations.scim.settings import OnDelete
from rgapp.integrations.scim.tokens import TokenState
from rgapp.models import Integration

CONNECT = ("dashboard.scim_connect", "Connect")
MAPPING = ("dashboard.scim_mapping", "Mapping")


def review_of(integration: Integration, live: Mapping[str, Any] | None, now: datetime) -> Review:
    """Return what Review and publish shows."""
    return Review(
        problems=problems_of(integration),
        noticed_title="What changes for people",
        noticed=changes_for_people(integration, live),
        warnings=warnings_of(integration, now),
        test_endpoint="dashboard.scim_testing",
        test_promise="send one person from the client, or paste one, and see what would come of it",
        untested_risk="If they do not, people are refused, or get accounts with wrong details; the version before can "
        "be restored under History.",
    )


def problems_of(integration: Integration) -> list[Problem]:
    """Return what stops this draft from being published."""
    if missing := missing_of_mapping(integration.draft):
        return [Problem(f"Mapping still needs {one}.", *MAPPING) for one in missing]
    try:
        kind_of(integration.kind).validate(integration.draft)
    except SettingsError as error:
        return [
            Problem(one.message, *(MAPPING if one.path.startswith("mapping") else CONNECT)) for one in error.problems
        ]
    return []


def warnings_of(integration: Integration, now: datetime) -> list[Warn]:
    """Return what to think of before publishing."""
    found = []
    if not any(row.state is TokenState.LIVE for row in token_rows(integration, now)):
        found.append(
            Warn("No bearer token is live", "The client cannot connect without one.", CONNECT[0], "Issue a token")
        )
    if (identifiers := warning_of(integration)) is not None:
        found.append(identifiers)
    return found


def changes_for_people(integration: Integration, live: Mapping[str, Any] | None) -> list[str]:
    """Say what changes for people, compared with what is live and on."""
    name, draft = integration.name, integration.draft
    before = live if integration.enabled and live is not None else None
    mail, owns = bool(draft.get("welcome_email", True)), bool(draft.get("provision_master", True))
    on_delete = draft.get("on_delete") or OnDelete.DEACTIVATE
    sentences = []
    if before is None:
        sentences += [
            f"From now on, what {name} sends is written: people are created, updated, taken out and brought back.",
            "Whoever it takes out is out at once: sessions end, and sign-in is refused. The history stays.",
        ]
    if before is None or mail != bool(before.get("welcome_email", True)):
        sentences.append(
            "Each new person gets a welcome e-mail." if mail else "New people get no welcome e-mail from here."
        )
    if before is None or owns != bool(before.get("provision_master", True)):
        sentences.append(
            f"{name} owns the fields it brings: neither a sign-in nor a person changes them by hand."
            if owns
            else f"{name} owns no fields: sign-ins and people may change them, until the next change there."
        )
    if before is None or on_delete != (before.get("on_delete") or OnDelete.DEACTIVATE):
        sentences.append(
            "Somebody who is deleted there becomes a leaver here."
            if on_delete == OnDelete.DEACTIVATE
            else "Somebody who is deleted there keeps the account here, which no longer follows this connection."
        )
    if before is not None and draft.get("mapping") != before.get("mapping"):
        sentences.append("From the next change of each person on, fields are read with the new mapping.")
    return sentences or ["Nothing changes for people."]
