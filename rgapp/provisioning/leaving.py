"""Leaving and coming back, by a person's decision: access ends at once, the history stays."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from rgapp.audit import Actor, Tag, record_event
from rgapp.models import User, UserSession, UserStatus
from rgapp.provisioning.policy import Source


def end_access(session: Session, user: User, now: datetime) -> None:
    """Close the account now: a leaver's open sessions end at their next request."""
    user.status, user.deactivated_at = UserStatus.LEAVER, now
    session.execute(
        delete(UserSession).where(UserSession.programme_id == user.programme_id, UserSession.user_id == user.id)
    )


def deactivate(session: Session, user: User, actor: Actor, *, now: datetime, reason: str = "") -> bool:
    """Make a user a leaver, ending every session; return False where it is one already."""
    if user.status == UserStatus.LEAVER:
        return False
    end_access(session, user, now)
    user.updated_at = now
    record_event(
        session,
        Tag.USER_DEACTIVATED,
        actor,
        now=now,
        programme_id=user.programme_id,
        user_id=user.id,
        facts={"source": Source.HAND, "via": actor.label, "reason": reason},
    )
    session.flush()
    return True


def reactivate(session: Session, user: User, actor: Actor, *, now: datetime) -> bool:
    """Give a leaver access again, with the history kept; return False where the user is active already."""
    if user.status == UserStatus.ACTIVE:
        return False
    user.status, user.deactivated_at, user.updated_at = UserStatus.ACTIVE, None, now
    record_event(
        session,
        Tag.USER_REACTIVATED,
        actor,
        now=now,
        programme_id=user.programme_id,
        user_id=user.id,
        facts={"source": Source.HAND, "via": actor.label},
    )
    session.flush()
    return True
