"""Dry runs of a SCIM draft: what would come of a user that somebody pastes or a client sends, nothing written."""

import json
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from rgapp.audit import Actor, Tag, record_event
from rgapp.integrations.base import SettingsError, problems_of
from rgapp.integrations.scim.bridge import standard_body
from rgapp.integrations.scim.log import Entry, note
from rgapp.integrations.scim.people import SCIMConnection
from rgapp.integrations.scim.reader import read_user
from rgapp.integrations.scim.schemas import SCIMUserModel
from rgapp.integrations.scim.settings import SCIMSettings
from rgapp.integrations.scim.tokens import Bearer
from rgapp.integrations.service import note_test
from rgapp.models import Integration, Programme, SCIMUser, User, UserStatus
from rgapp.provisioning import Outcome, preview

#: The methods under which the log keeps a user that was pasted, and one that is here and was read again.
PASTED: Final = "PASTED"
AGAIN: Final = "AGAIN"
READ_AGAIN: Final = 10
_NOBODY: Final = uuid.UUID(int=0)


class NotAUser(ValueError):
    """What was pasted is no SCIM user; `reason` is `not_json`, `not_text`, `not_an_object` or `a_list`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def paste(session: Session, integration: Integration, text: str, *, actor: Actor, now: datetime) -> uuid.UUID:
    """Try a pasted user with the draft; returns the line of the log that keeps the result, mapped fields only.

    Raises `NotAUser`, and `SettingsError` where the draft cannot be used.
    """
    resource = user_in(text)
    outcome = try_user(session, integration, resource, now=now)
    entry = Entry(PASTED, "/Users", resource=resource)
    entry.about(outcome)
    bearer = Bearer(integration.programme_id, _NOBODY, integration.id, "")
    request_id = note(session, bearer, entry, listening=True, now=now)
    _note_tested(session, integration, outcome.accepted, actor, now)
    return request_id


def read_again(session: Session, integration: Integration, *, actor: Actor, now: datetime) -> int:
    """Try the people whom the client changed last with the draft; returns how many that were.

    What a client said of them is kept, so a draft can be tested while another version is live. Passed is what takes all
    of them. Raises `SettingsError` where the draft cannot be used.
    """
    rows = session.scalars(
        select(SCIMUser)
        .where(SCIMUser.programme_id == integration.programme_id, SCIMUser.integration_id == integration.id)
        .order_by(SCIMUser.updated_at.desc())
        .limit(READ_AGAIN)
    ).all()
    bearer = Bearer(integration.programme_id, _NOBODY, integration.id, "")
    accepted = []
    for row in reversed(rows):
        active = session.get_one(User, (row.programme_id, row.user_id)).status == UserStatus.ACTIVE
        resource = {**row.resource, "active": active}
        outcome = try_user(session, integration, resource, now=now, target_id=row.user_id)
        entry = Entry(AGAIN, "/Users", resource=row.resource)
        entry.about(outcome)
        note(session, bearer, entry, listening=True, now=now)
        accepted.append(outcome.accepted)
    if accepted:
        _note_tested(session, integration, all(accepted), actor, now)
    return len(accepted)


def note_listened(session: Session, bearer: Bearer, entry: Entry, settings: SCIMSettings) -> None:
    """Remember that the draft has passed a test, where it was read by these settings and could take a person.

    One whom it could not take says nothing about the draft: among many people there is always a record that is wrong.
    """
    if entry.reading is None or not entry.accepted:
        return
    integration = session.get(Integration, (bearer.programme_id, bearer.integration_id))
    if integration is None or integration.live_version is not None:
        return
    try:
        if draft_of(integration) == settings:
            note_test(session, integration, passed=True, tested=integration.draft)
    except SettingsError:
        return


def draft_of(integration: Integration) -> SCIMSettings:
    """Return the draft by its schema.

    Raises `SettingsError`.
    """
    try:
        return SCIMSettings.model_validate(integration.draft)
    except ValidationError as error:
        raise SettingsError(problems_of(error)) from error


def user_in(text: str) -> dict[str, Any]:
    """Return the user in a text: a resource, or a list answer with exactly one.

    Raises `NotAUser`.
    """
    try:
        found = json.loads(text)
        kept = json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:  # Half a character, which only escapes can write.
        raise NotAUser("not_text") from error
    except (ValueError, RecursionError) as error:
        raise NotAUser("not_json") from error
    if b"\\u0000" in kept:
        raise NotAUser("not_text")
    if isinstance(found, dict) and isinstance(listed := found.get("Resources"), list):
        if len(listed) != 1:
            raise NotAUser("a_list")
        found = listed[0]
    if not isinstance(found, dict):
        raise NotAUser("not_an_object")
    standard: dict[str, Any] = standard_body("POST", SCIMUserModel, found)
    return standard


def try_user(
    session: Session,
    integration: Integration,
    resource: Mapping[str, Any],
    *,
    now: datetime,
    target_id: uuid.UUID | None = None,
) -> Outcome:
    """Return what provisioning would decide now about this user; without a target the client names them first.

    Raises `SettingsError` where the draft cannot be used.
    """
    programme = session.get_one(Programme, integration.programme_id)
    connection = SCIMConnection(
        integration.programme_id,
        integration.id,
        integration.live_name or integration.name,
        programme.timezone,
        draft_of(integration),
    )
    today = now.astimezone(programme.zone).date()
    # Some clients send it as text; where it is not sent, a user is active (RFC 7643 section 4.1.1).
    active = str(resource.get("active", True)).lower() != "false"
    reading = read_user(resource, connection.settings, today=today, active=active)
    policy = connection.policy(whole=target_id is not None)
    return preview(session, integration.programme_id, reading, policy, target_id=target_id)


def _note_tested(session: Session, integration: Integration, passed: bool, actor: Actor, now: datetime) -> None:
    note_test(session, integration, passed=passed, tested=integration.draft)
    record_event(
        session,
        Tag.INTEGRATION_TESTED,
        actor,
        now=now,
        programme_id=integration.programme_id,
        integration_id=integration.id,
        facts={"name": integration.name, "passed": passed},
    )
