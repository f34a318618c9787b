"""Write audit events in the caller's transaction."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from rgapp.audit.tags import Tag
from rgapp.models import AuditEvent
from rgapp.models.base import new_id
from rgapp.models.rows import insert_row


class ActorKind(StrEnum):
    """Who or what did something."""

    STAFF = "staff"
    USER = "user"
    INTEGRATION = "integration"
    SYSTEM = "system"
    COMMAND_LINE = "command-line"


@dataclass(frozen=True)
class Actor:
    """Who did something; the label is kept as it was then, for people read history after names changed."""

    kind: ActorKind
    label: str
    id: uuid.UUID | None = None


SYSTEM = Actor(ActorKind.SYSTEM, "rgapp")
COMMAND_LINE = Actor(ActorKind.COMMAND_LINE, "command line")


def record_event(
    session: Session,
    tag: Tag,
    actor: Actor,
    *,
    now: datetime,
    programme_id: uuid.UUID | None,
    user_id: uuid.UUID | None = None,
    integration_id: uuid.UUID | None = None,
    facts: dict[str, Any] | None = None,
) -> None:
    """Write one event to the caller's transaction; `facts` must be JSON and hold no secret."""
    row = {
        "id": new_id(),
        "tag": tag,
        "at": now,
        "actor_kind": actor.kind,
        "actor_id": actor.id,
        "actor_label": actor.label,
        "programme_id": programme_id,
        "user_id": user_id,
        "integration_id": integration_id,
        "facts": facts or {},
    }
    insert_row(session, AuditEvent, row)
