"""Change integrations: create, save a draft, note a test, publish, pause, restore a version; each with its event."""

import hashlib
import json
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from rgapp.audit import Actor, Tag, record_event
from rgapp.integrations.base import SettingsError, SettingsProblem
from rgapp.integrations.registry import access_of, kind_of
from rgapp.integrations.sync.forgetting import forget_runs
from rgapp.models import (
    ConnectionDirectory,
    Integration,
    IntegrationVersion,
    Programme,
)
from rgapp.models.base import new_id
from rgapp.sealing import Sealer
from rgapp.tokens import new_token

NAME_LENGTH = 60


class NameTaken(ValueError):
    """Another integration of the programme has this name."""


class UntestedDraft(ValueError):
    """The draft has not passed a test since it was last changed, and publishing without one was not asked for."""


def digest(settings: Mapping[str, Any]) -> str:
    """Return what identifies these settings, whatever the order of their keys."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


def create(
    session: Session,
    programme: Programme,
    *,
    kind: str,
    provider: str,
    name: str,
    sealer: Sealer,
    actor: Actor,
    now: datetime,
    draft: Mapping[str, Any] | None = None,
) -> Integration:
    """Create an integration as a draft, with the public id that never changes.

    Raises `NameTaken` and `SettingsError` (an unusable name).
    """
    name = check_name(name)
    integration = Integration(
        programme_id=programme.id,
        id=new_id(),
        kind=kind,
        provider=provider,
        name=name,
        name_key=name.casefold(),
        public_id=new_token(18),
        draft=dict(draft) if draft is not None else kind_of(kind).new_draft(provider, programme),
        enabled=False,
        directory_owner=False,
        created_at=now,
        updated_at=now,
    )
    kind_of(kind).prepare(integration, sealer, now=now)
    session.add(integration)
    _flush_name(session, name)
    session.add(
        ConnectionDirectory(public_id=integration.public_id, programme_id=programme.id, integration_id=integration.id)
    )
    note_change(session, integration, Tag.INTEGRATION_CREATED, actor, now, kind=kind)
    session.flush()
    if (keeper := access_of(kind)) is not None:
        keeper.settle(session, integration, None, sealer=sealer, actor=actor, now=now)
    return integration


def check_name(name: str) -> str:
    """Return the trimmed name.

    Raises `SettingsError` for an empty or too long one, and for characters a button cannot show.
    """
    name = " ".join(name.split())
    if not name:
        raise SettingsError([SettingsProblem("name", "Give it a name: employees see it on the sign-in button.")])
    if len(name) > NAME_LENGTH:
        raise SettingsError([SettingsProblem("name", f"Use at most {NAME_LENGTH} characters.")])
    if not name.isprintable():
        raise SettingsError([SettingsProblem("name", "Use letters, numbers and spaces.")])
    return name


def free_name(session: Session, programme: Programme, wanted: str) -> str:
    """Return the wanted name, numbered where the programme has it already: "Okta 2"."""
    taken = set(session.scalars(select(Integration.name_key).where(Integration.programme_id == programme.id)))
    number, name = 1, wanted
    while name.casefold() in taken:
        number += 1
        name = f"{wanted} {number}"
    return name


def save_draft(
    session: Session, integration: Integration, *, actor: Actor, now: datetime, name: str | None = None,
    whole: bool = False, **parts: Any,
) -> bool:  # fmt: skip
    """Replace parts of the draft (`idp=…`, `mapping=…`) and the name; what is live stays as it is.

    Where they are the `whole` of it, other parts are gone. Returns whether anything changed. Raises `NameTaken` and
    `SettingsError` (an unusable name).
    """
    draft = parts if whole else {**integration.draft, **parts}
    new_name = check_name(name) if name is not None else integration.name
    if draft == integration.draft and new_name == integration.name:
        return False
    integration.draft = draft
    integration.updated_at = now
    if new_name != integration.name:
        integration.name, integration.name_key = new_name, new_name.casefold()
    _flush_name(session, new_name)
    note_change(session, integration, Tag.INTEGRATION_DRAFT_SAVED, actor, now, parts=sorted(parts))
    return True


def note_test(session: Session, integration: Integration, *, passed: bool, tested: Mapping[str, Any]) -> None:
    """Remember that these settings passed a test, or that they did not pass the last one."""
    if passed:
        integration.tested_digest = digest(tested)
    elif integration.tested_digest == digest(tested):
        integration.tested_digest = None
    session.flush()


def is_tested(integration: Integration) -> bool:
    """Tell whether the draft as it stands has passed a test."""
    return integration.tested_digest == digest(integration.draft)


def publish(
    session: Session,
    integration: Integration,
    *,
    actor: Actor,
    now: datetime,
    without_test: bool = False,
) -> IntegrationVersion:
    """Make the draft live as a new version.

    Raises `SettingsError` where it is incomplete, `UntestedDraft` where it has not passed a test.
    """
    kind_of(integration.kind).validate(integration.draft)
    tested = is_tested(integration)
    if not tested and not without_test:
        raise UntestedDraft
    version = IntegrationVersion(
        programme_id=integration.programme_id,
        integration_id=integration.id,
        number=next_number(session, integration),
        name=integration.name,
        settings=dict(integration.draft),
        tested=tested,
        published_at=now,
        published_by=actor.label,
    )
    session.add(version)
    integration.live_version, integration.live_name = version.number, integration.name
    integration.enabled, integration.updated_at = True, now
    integration.directory_owner = kind_of(integration.kind).owns_fields(integration.draft)
    note_change(session, integration, Tag.INTEGRATION_PUBLISHED, actor, now, version=version.number, tested=tested)
    session.flush()
    return version


def next_number(session: Session, integration: Integration) -> int:
    """Return the number of the version that is published next."""
    last = session.scalar(
        select(func.max(IntegrationVersion.number)).where(
            IntegrationVersion.programme_id == integration.programme_id,
            IntegrationVersion.integration_id == integration.id,
        )
    )
    return (last or 0) + 1


def set_enabled(session: Session, integration: Integration, enabled: bool, *, actor: Actor, now: datetime) -> bool:
    """Switch a published integration on or off; returns whether that changed anything."""
    if integration.live_version is None or integration.enabled == enabled:
        return False
    integration.enabled, integration.updated_at = enabled, now
    note_change(session, integration, Tag.INTEGRATION_RESUMED if enabled else Tag.INTEGRATION_PAUSED, actor, now)
    session.flush()
    return True


def restore(
    session: Session, integration: Integration, number: int, *, actor: Actor, now: datetime
) -> IntegrationVersion | None:
    """Copy an earlier version into the draft, to be reviewed and published; None where there is no such version."""
    version = session.get(IntegrationVersion, (integration.programme_id, integration.id, number))
    if version is None:
        return None
    integration.draft, integration.updated_at = dict(version.settings), now
    if version.tested:
        integration.tested_digest = digest(version.settings)
    note_change(session, integration, Tag.INTEGRATION_RESTORED, actor, now, version=number)
    session.flush()
    return version


def discard(session: Session, integration: Integration, *, actor: Actor, now: datetime) -> bool:
    """Delete a draft that was never published, with what is kept of it; what was live once stays for its history.

    Returns whether it was deleted.
    """
    if integration.live_version is not None:
        return False
    forget_runs(session, integration)
    for model in (*kind_of(integration.kind).kept_with_draft, ConnectionDirectory):
        session.execute(
            delete(model).where(model.programme_id == integration.programme_id, model.integration_id == integration.id)
        )
    note_change(session, integration, Tag.INTEGRATION_DELETED, actor, now)
    session.delete(integration)
    session.flush()
    return True


def live_settings(session: Session, integration: Integration) -> dict[str, Any] | None:
    """Return the settings that are live, None before the first publishing."""
    if integration.live_version is None:
        return None
    return session.scalar(
        select(IntegrationVersion.settings).where(
            IntegrationVersion.programme_id == integration.programme_id,
            IntegrationVersion.integration_id == integration.id,
            IntegrationVersion.number == integration.live_version,
        )
    )


def get(session: Session, programme_id: uuid.UUID, integration_id: uuid.UUID) -> Integration | None:
    """Return an integration of this programme, else None."""
    return session.get(Integration, (programme_id, integration_id))


def by_name(session: Session, programme: Programme, name: str) -> Integration | None:
    """Return the integration of this programme with this name, in any case, else None."""
    return session.scalar(
        select(Integration).where(
            Integration.programme_id == programme.id,
            Integration.name_key == " ".join(name.split()).casefold(),
        )
    )


def list_all(session: Session, programme: Programme) -> list[Integration]:
    """Return every integration of a programme by name."""
    return list(
        session.scalars(
            select(Integration).where(Integration.programme_id == programme.id).order_by(Integration.name_key)
        )
    )


def _flush_name(session: Session, name: str) -> None:
    """Flush; the unique constraint on the name is the judge when two people choose the same at once."""
    try:
        with session.begin_nested():
            session.flush()
    except IntegrityError as error:
        raise NameTaken(name) from error


def note_change(
    session: Session, integration: Integration, tag: Tag, actor: Actor, now: datetime, **facts: Any
) -> None:
    """Record what happened to an integration."""
    record_event(
        session,
        tag,
        actor,
        now=now,
        programme_id=integration.programme_id,
        integration_id=integration.id,
        facts={"name": integration.name} | facts,
    )
