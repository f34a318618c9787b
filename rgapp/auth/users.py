"""Sessions of employees: open, look up, close; and the optional password of programmes that have one."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from rgapp.audit import Actor, ActorKind, Tag, record_event
from rgapp.auth.passwords import verify_password
from rgapp.models import Programme, User, UserLink, UserSession, UserStatus
from rgapp.models.rows import insert_row
from rgapp.provisioning.validation import email_key
from rgapp.tokens import hash_token, new_token

SESSION_LASTS = timedelta(hours=12)
SESSION_IDLE = timedelta(hours=2)
SEEN_EVERY = timedelta(minutes=5)


@dataclass(frozen=True)
class FederatedLogin:
    """What the identity provider called this login; single logout needs it (SAML core 3.7)."""

    integration_id: uuid.UUID
    name_id: str | None = None
    name_id_format: str | None = None
    name_qualifier: str | None = None
    sp_name_qualifier: str | None = None
    session_index: str | None = None
    not_on_or_after: datetime | None = None


def user_actor(user: User) -> Actor:
    """Return an employee as the actor of an audit event."""
    return Actor(ActorKind.USER, user.display_name, user.id)


def cookie_name(slug: str, *, https: bool) -> str:
    """Return the session cookie's name, one for each programme, so that two programmes never share a login."""
    return f"__Host-rg_user_{slug}" if https else f"rg_user_{slug}"


def open_session(
    session: Session,
    programme_id: uuid.UUID,
    user_id: uuid.UUID,
    *,
    user_agent: str,
    now: datetime,
    federated: FederatedLogin | None = None,
) -> str:
    """Open a session and return its token for the cookie; only the token's hash is kept.

    It ends after 12 hours, or when the identity provider says so (SessionNotOnOrAfter), whichever is first.
    """
    token = new_token()
    expires_at = now + SESSION_LASTS
    if federated and federated.not_on_or_after:
        expires_at = min(expires_at, federated.not_on_or_after)
    row = {
        "programme_id": programme_id,
        "token_hash": hash_token(token),
        "user_id": user_id,
        "integration_id": federated.integration_id if federated else None,
        "name_id": federated.name_id if federated else None,
        "name_id_format": federated.name_id_format if federated else None,
        "name_qualifier": federated.name_qualifier if federated else None,
        "sp_name_qualifier": federated.sp_name_qualifier if federated else None,
        "session_index": federated.session_index if federated else None,
        "created_at": now,
        "last_seen_at": now,
        "expires_at": expires_at,
        "user_agent": user_agent[:200],
    }
    insert_row(session, UserSession, row)
    return token


def user_of_session(
    session: Session, programme_id: uuid.UUID, token: str, *, now: datetime
) -> tuple[User, UserSession] | None:
    """Return whose session this is; a leaver's, an expired and an idle one is nobody's."""
    row = session.execute(
        select(User, UserSession)
        .join(UserSession, (UserSession.programme_id == User.programme_id) & (UserSession.user_id == User.id))
        .where(
            UserSession.programme_id == programme_id,
            UserSession.token_hash == hash_token(token),
            UserSession.expires_at > now,
            User.status == UserStatus.ACTIVE,
        )
    ).first()
    if row is None or row[1].last_seen_at + SESSION_IDLE <= now:
        return None
    return row[0], row[1]


def close_session(session: Session, programme_id: uuid.UUID, token: str) -> None:
    """End one session."""
    session.execute(
        delete(UserSession).where(UserSession.programme_id == programme_id, UserSession.token_hash == hash_token(token))
    )


def close_all_sessions(session: Session, user: User, actor: Actor, *, now: datetime) -> int:
    """End every session of a user; returns how many there were."""
    closed = session.execute(
        delete(UserSession).where(UserSession.programme_id == user.programme_id, UserSession.user_id == user.id)
    )
    count: int = closed.rowcount  # type: ignore[attr-defined]  # CursorResult has it.
    record_event(
        session,
        Tag.USER_SESSIONS_ENDED,
        actor,
        now=now,
        programme_id=user.programme_id,
        user_id=user.id,
        facts={"sessions": count},
    )
    return count


def authenticate(session: Session, programme: Programme, email: str, password: str) -> User | None:
    """Return the active user of this programme with this address and password, else None; both take the same time."""
    user = session.scalar(
        select(User).where(User.programme_id == programme.id, User.email_key == email_key(email.strip()))
    )
    usable = programme.password_sign_in and user is not None and user.status == UserStatus.ACTIVE
    matches = verify_password(user.password_hash if user is not None and usable else None, password)
    return user if matches else None


def note_password_sign_in(session: Session, user: User, *, now: datetime) -> None:
    """Note that somebody signed in with a password; sign-ins through a connection are kept as attempts."""
    user.last_sign_in_at = now
    record_event(
        session, Tag.USER_SIGNED_IN, user_actor(user), now=now, programme_id=user.programme_id, user_id=user.id
    )


def user_of_link(session: Session, programme: Programme, token: str, *, now: datetime) -> User | None:
    """Return whose password an unused, unexpired link sets, else None."""
    link = session.get(UserLink, (programme.id, hash_token(token)))
    if link is None or link.used_at is not None or link.expires_at <= now or not programme.password_sign_in:
        return None
    user = session.get(User, (programme.id, link.user_id))
    return user if user is not None and user.status == UserStatus.ACTIVE else None
