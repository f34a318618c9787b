"""Sessions of staff: list them, end one, the others or all, and give the present one a new token."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from rgapp.audit import Actor, Tag
from rgapp.auth.staff_events import record_access_event, staff_actor
from rgapp.models import Staff, StaffChallenge, StaffSession
from rgapp.tokens import hash_token, new_token

KEY_LENGTH = 16


def session_key(row: StaffSession) -> str:
    """Return what names a session on a page: a part of the token's hash, which opens nothing."""
    return row.token_hash[:KEY_LENGTH]


def open_sessions(session: Session, staff: Staff, *, now: datetime, idle_since: datetime) -> Sequence[StaffSession]:
    """Return the sessions that are neither expired nor idle for too long, the one seen last first."""
    return session.scalars(
        select(StaffSession)
        .where(
            StaffSession.staff_id == staff.id,
            StaffSession.expires_at > now,
            StaffSession.last_seen_at > idle_since,
        )
        .order_by(StaffSession.last_seen_at.desc(), StaffSession.token_hash)
    ).all()


def end_session(session: Session, staff: Staff, key: str, *, now: datetime) -> bool:
    """End the session of this person with this key; returns whether there was one."""
    if len(key) != KEY_LENGTH:
        return False
    ended = session.execute(
        delete(StaffSession).where(
            StaffSession.staff_id == staff.id, StaffSession.token_hash.startswith(key, autoescape=True)
        )
    )
    count: int = ended.rowcount  # type: ignore[attr-defined]  # CursorResult has it.
    if count:
        record_access_event(session, Tag.STAFF_SESSIONS_ENDED, staff, staff_actor(staff), now=now, sessions=count)
    return count > 0


def end_sessions(
    session: Session, staff: Staff, actor: Actor, *, now: datetime, keep: StaffSession | None = None
) -> int:
    """End every session of somebody, but the one to keep, and every half-done sign-in; returns how many there were."""
    count = drop_sessions(session, staff, keep=keep)
    record_access_event(session, Tag.STAFF_SESSIONS_ENDED, staff, actor, now=now, sessions=count)
    return count


def drop_sessions(session: Session, staff: Staff, *, keep: StaffSession | None = None) -> int:
    """End sessions as a part of a change that has an event of its own; returns how many there were."""
    session.execute(delete(StaffChallenge).where(StaffChallenge.staff_id == staff.id))
    mine = [StaffSession.staff_id == staff.id]
    if keep is not None:
        mine.append(StaffSession.token_hash != keep.token_hash)
    ended = session.execute(delete(StaffSession).where(*mine).execution_options(synchronize_session="fetch"))
    count: int = ended.rowcount  # type: ignore[attr-defined]  # CursorResult has it.
    return count


def renew_session(session: Session, row: StaffSession) -> str:
    """Give a session a new token, which is returned for the cookie; the one before opens nothing any more."""
    token = new_token()
    row.token_hash = hash_token(token)
    session.flush()
    return token
