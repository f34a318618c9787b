"""Passwords of employees: check a new one, set it by a one-time link."""

from datetime import datetime

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from rgapp.audit import Tag, record_event
from rgapp.auth.password_history import earlier_hashes, store_password
from rgapp.auth.passwords import NewPassword, new_password
from rgapp.auth.users import user_actor, user_of_link
from rgapp.models import Programme, User, UserLink, UserSession, UserStatus
from rgapp.tokens import hash_token


def check_password(session: Session, programme: Programme, user: User, password: str) -> NewPassword:
    """Check a new password of an employee by every rule and hash it; slow, so hold no lock meanwhile.

    Raises `PasswordRejected`.
    """
    personal = (user.email, user.first_name, user.last_name, programme.name)
    return new_password(password, personal=[text for text in personal if text], earlier=earlier_hashes(session, user))


def set_password_by_link(
    session: Session, programme: Programme, token: str, new: NewPassword, *, now: datetime
) -> User | None:
    """Set the password and use up every link of the person, ending every session; None where this one is not valid."""
    user = user_of_link(session, programme, token, now=now)
    if user is None:
        return None
    mine = (UserLink.programme_id == programme.id, UserLink.user_id == user.id, UserLink.used_at.is_(None))
    used = session.execute(update(UserLink).where(*mine, UserLink.token_hash == hash_token(token)).values(used_at=now))
    if used.rowcount != 1:  # type: ignore[attr-defined]  # CursorResult has it. Another request was first.
        return None
    session.execute(update(UserLink).where(*mine).values(used_at=now))
    # First: a sign-in with the password of before holds the row, and its session is seen once it lets go.
    store_password(session, user, new, now=now)
    session.execute(delete(UserSession).where(UserSession.programme_id == programme.id, UserSession.user_id == user.id))
    record_event(session, Tag.USER_PASSWORD_SET, user_actor(user), now=now, programme_id=programme.id, user_id=user.id)
    return user


def still_stands(session: Session, user: User) -> bool:
    """Tell whether the password that was compared is still theirs, and hold their row until the end of the transaction.

    Comparing takes a tenth of a second and holds no lock: a new password may end all sessions meanwhile.
    """
    compared = user.password_hash
    session.refresh(user, with_for_update=True)
    return user.password_hash == compared and user.status == UserStatus.ACTIVE
