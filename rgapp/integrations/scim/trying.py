"""Dry runs of a SCIM draft: what would come of a user that somebody pastes or a client sends, nothing written."""

import json
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError
from sqlalchemy.orm import Session

from rgapp.audit import Actor, Tag, record_event
from rgapp.integrations.base import SettingsError, problems_of
from rgapp.integrations.scim.log import Entry, note
from rgapp.integrations.scim.paths import attribute_names, values_of
from rgapp.integrations.scim.settings import SCIMSettings
from rgapp.integrations.scim.tokens import Bearer
from rgapp.integrations.service import note_test
from rgapp.models import Integration
from rgapp.provisioning import Outcome, Policy, SourceRecord, preview, read_record
from rgapp.provisioning.policy import scim_policy
from rgapp.provisioning.record import UNSET, Unset

#: The method under which the log keeps a user that was pasted.
PASTED: Final = "PASTED"
_NOBODY: Final = uuid.UUID(int=0)


class NotAUser(ValueError):
    """What was pasted is no SCIM user; `reason` is `not_json`, `not_an_object` or `a_list`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def paste(session: Session, integration: Integration, text: str, *, actor: Actor, now: datetime) -> uuid.UUID:
    """Try a pasted user with the draft; returns the line of the log that keeps the result, mapped fields only.

    Raises `NotAUser`, and `SettingsError` where the draft cannot be used.
    """
    settings = draft_of(integration)
    resource = read_user(text)
    outcome = try_user(session, integration, settings, resource, now=now)
    entry = Entry(PASTED, "/Users", arrived=attribute_names(resource))
    entry.about(outcome)
    bearer = Bearer(integration.programme_id, _NOBODY, integration.id, "")
    request_id = note(session, bearer, entry, listening=True, now=now)
    note_test(session, integration, passed=outcome.accepted, tested=integration.draft)
    record_event(
        session,
        Tag.INTEGRATION_TESTED,
        actor,
        now=now,
        programme_id=integration.programme_id,
        integration_id=integration.id,
        facts={"name": integration.name, "passed": outcome.accepted},
    )
    return request_id


def draft_of(integration: Integration) -> SCIMSettings:
    """Return the draft by its schema.

    Raises `SettingsError`.
    """
    try:
        return SCIMSettings.model_validate(integration.draft)
    except ValidationError as error:
        raise SettingsError(problems_of(error)) from error


def read_user(text: str) -> dict[str, Any]:
    """Return the user in a text: a resource, or a list answer with exactly one.

    Raises `NotAUser`.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotAUser("not_json") from error
    if isinstance(found, dict) and isinstance(listed := found.get("Resources"), list):
        if len(listed) != 1:
            raise NotAUser("a_list")
        found = listed[0]
    if not isinstance(found, dict):
        raise NotAUser("not_an_object")
    return found


def try_user(
    session: Session, integration: Integration, settings: SCIMSettings, resource: Mapping[str, Any], *, now: datetime
) -> Outcome:
    """Return what provisioning would decide about this user now."""
    values = {rule.name: found for rule in settings.rules.values() if (found := values_of(resource, rule.name))}
    record = SourceRecord("a pasted user", values, active=_active(resource))
    reading = read_record(record, settings.rules, today=now.date())
    return preview(session, integration.programme_id, reading, policy_of(integration, settings))


def policy_of(integration: Integration, settings: SCIMSettings) -> Policy:
    """Return what this integration may do with the settings of its draft."""
    return scim_policy(
        integration_id=integration.id,
        name=integration.live_name or integration.name,
        owns=settings.provision_master,
        welcome_email=settings.welcome_email,
        whole=False,
    )


def _active(resource: Mapping[str, Any]) -> bool | Unset:
    """Return whether the resource is active; some clients send it as text (RFC 7643 section 4.1.1 has a boolean)."""
    said = str(next((value for name, value in resource.items() if name.lower() == "active"), "")).lower()
    return said == "true" if said in {"true", "false"} else UNSET
