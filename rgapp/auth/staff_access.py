"""Take access to Reward Manager back, and give it again."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from rgapp.audit import Actor, Tag, record_event
from rgapp.auth.staff_events import record_access_event
from rgapp.auth.staff_sessions import drop_sessions
from rgapp.models import Programme, Staff, StaffGrant, StaffLink


def revoke(session: Session, staff: Staff, programme: Programme, actor: Actor, *, now: datetime) -> bool:
    """Let an admin run a programme no longer, from the next request on; returns whether they could."""
    gone = session.execute(
        delete(StaffGrant).where(StaffGrant.staff_id == staff.id, StaffGrant.programme_id == programme.id)
    )
    if gone.rowcount != 1:  # type: ignore[attr-defined]  # CursorResult has it.
        return False
    facts = {"name": staff.name, "email": staff.email}
    record_event(session, Tag.STAFF_REVOKED, actor, now=now, programme_id=programme.id, facts=facts)
    return True


def deactivate(session: Session, staff: Staff, actor: Actor, *, now: datetime) -> int:
    """Take all access from somebody now; returns how many sessions ended. Grants stay for a return."""
    session.execute(delete(StaffLink).where(StaffLink.staff_id == staff.id))
    ended = drop_sessions(session, staff)
    if staff.deactivated_at is None:
        staff.deactivated_at = now
        record_access_event(session, Tag.STAFF_DEACTIVATED, staff, actor, now=now, sessions=ended)
    return ended


def reactivate(session: Session, staff: Staff, actor: Actor, *, now: datetime) -> bool:
    """Give somebody the access back that they had; returns whether it was taken."""
    if staff.deactivated_at is None:
        return False
    staff.deactivated_at = None
    record_access_event(session, Tag.STAFF_REACTIVATED, staff, actor, now=now)
    return True
