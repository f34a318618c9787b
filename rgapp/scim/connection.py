"""The integration that a token speaks for: its settings that count now, and whether what it asks is for real."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any

from pydantic import ValidationError
from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from rgapp.integrations.scim.people import SCIMConnection
from rgapp.integrations.scim.schemas import needed_by
from rgapp.integrations.scim.settings import SCIMSettings
from rgapp.integrations.scim.tokens import Bearer
from rgapp.models import Integration, IntegrationVersion
from rgapp.models.prepared import Prepared
from rgapp.provisioning.record import MANDATORY

SETTINGS_KEPT = 1000


class Mode(StrEnum):
    """Whether what a client asks is done: yes, answered only (not published yet), or not at all (switched off)."""

    LIVE = "live"
    LISTENING = "listening"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Found:
    """The integration of a request; `connection` is None where its settings are not complete."""

    mode: Mode
    connection: SCIMConnection | None
    needed: frozenset[str]

    @property
    def is_listening(self) -> bool:
        """Tell whether nothing of what is answered is kept."""
        return self.mode is Mode.LISTENING


_INTEGRATIONS = Integration.__table__.c
_OURS = (
    _INTEGRATIONS.programme_id == bindparam("of_programme"),
    _INTEGRATIONS.id == bindparam("of_integration"),
)
_ACTIVE = Prepared(lambda _: update(Integration).where(*_OURS).values(last_activity_at=bindparam("now")))


def load(session: Session, bearer: Bearer) -> Found | None:
    """Return the integration that a token speaks for, as it stood when the token was looked up; None without one."""
    if bearer.standing is None:
        return None
    name, live_name, live_version, enabled, updated_at, timezone = bearer.standing
    if live_version is None:
        scope = {"of_programme": bearer.programme_id, "of_integration": bearer.integration_id}
        draft = session.scalar(select(_INTEGRATIONS.draft).where(*_OURS), scope)
        read = _settings(draft)
        mode = Mode.LISTENING
    else:
        # The time of the last change is part of the key for the sake of databases that were restored from a backup.
        held = _held(bearer.programme_id, bearer.integration_id, live_version, updated_at)
        if held.read is None:
            held.read = _settings(_published(session, bearer, live_version))
        read = held.read
        mode = Mode.LIVE if enabled else Mode.PAUSED
    settings, needed = read
    if settings is None:
        return Found(mode, None, needed)
    of = bearer.programme_id, bearer.integration_id
    return Found(mode, SCIMConnection(*of, live_name or name, timezone, settings), needed)


def note_activity(session: Session, bearer: Bearer, *, now: datetime) -> None:
    """Remember when a client was here last."""
    scope = {"of_programme": bearer.programme_id, "of_integration": bearer.integration_id}
    _ACTIVE.run(session, {**scope, "now": now})


Read = tuple[SCIMSettings | None, frozenset[str]]


class _Held:
    """What was read of one published version, so that it is read once; a version never changes."""

    __slots__ = ("read",)

    def __init__(self) -> None:
        self.read: Read | None = None


@lru_cache(maxsize=SETTINGS_KEPT)
def _held(*_: object) -> _Held:
    return _Held()


def _published(session: Session, bearer: Bearer, number: int) -> dict[str, Any] | None:
    key: dict[str, uuid.UUID] = {"programme_id": bearer.programme_id, "integration_id": bearer.integration_id}
    found = session.get(IntegrationVersion, (key["programme_id"], key["integration_id"], number))
    return found.settings if found is not None else None


def _settings(settings: dict[str, Any] | None) -> Read:
    """Read settings, and the attributes that they need; None where they are not complete."""
    try:
        read = SCIMSettings.model_validate(settings or {})
    except ValidationError:
        return None, frozenset()
    return read, needed_by(read.rules[field].name for field in MANDATORY)
