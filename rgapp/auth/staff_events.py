"""Audit events about a staff member's own access: each where the people it concerns read it."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from rgapp.audit import Actor, ActorKind, Tag, record_event
from rgapp.models import Staff, StaffGrant


def staff_actor(staff: Staff) -> Actor:
    """Return a staff member as the actor of an audit event."""
    return Actor(ActorKind.STAFF, staff.name, staff.id)


def record_access_event(session: Session, tag: Tag, staff: Staff, actor: Actor, *, now: datetime, **facts: Any) -> None:
    """Record a change of somebody's access in each programme they run; for who runs none, for the platform."""
    granted: Sequence[uuid.UUID | None] = session.scalars(
        select(StaffGrant.programme_id).where(StaffGrant.staff_id == staff.id)
    ).all()
    about = {"name": staff.name, "email": staff.email} | facts
    for programme_id in granted or (None,):
        record_event(session, tag, actor, now=now, programme_id=programme_id, facts=about)
