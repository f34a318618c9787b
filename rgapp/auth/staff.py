"""Staff accounts: create, programmes, one-time password link, sign in, sign out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from rgapp.audit import Actor, Tag, record_event
from rgapp.auth.password_history import earlier_hashes, store_password
from rgapp.auth.passwords import NewPassword, new_password, verify_password
from rgapp.auth.staff_events import record_access_event
from rgapp.auth.staff_events import staff_actor as staff_actor
from rgapp.auth.staff_sessions import drop_sessions
from rgapp.models import Programme, Role, Staff, StaffGrant, StaffLink, StaffSession
from rgapp.models.base import new_id
from rgapp.provisioning.validation import email_key
from rgapp.tokens import hash_token, new_token

SESSION_LASTS = timedelta(hours=12)
SESSION_IDLE = timedelta(hours=2)
SEEN_EVERY = timedelta(minutes=5)
LINK_LASTS = timedelta(days=3)


class StaffExists(ValueError):
    """Somebody has this e-mail address already."""


@dataclass(frozen=True)
class IssuedLink:
    """A one-time link's token, shown once, and when it stops working."""

    token: str
    expires_at: datetime


def create_staff(
    session: Session,
    *,
    email: str,
    name: str,
    role: Role,
    programmes: Sequence[Programme],
    actor: Actor,
    now: datetime,
) -> Staff:
    """Create a staff member; admins get the programmes named, the other roles see all.

    Raises `StaffExists` where the address is taken.
    """
    if session.scalar(select(Staff.id).where(Staff.email_key == email_key(email))) is not None:
        raise StaffExists(email)
    staff = Staff(id=new_id(), email=email, email_key=email_key(email), name=name, role=role, created_at=now)
    session.add(staff)
    session.flush()
    record_event(
        session,
        Tag.STAFF_CREATED,
        actor,
        now=now,
        programme_id=None,
        facts={"email": email, "role": str(role)},
    )
    for programme in programmes:
        grant(session, staff, programme, actor, now=now)
    return staff


def grant(session: Session, staff: Staff, programme: Programme, actor: Actor, *, now: datetime) -> None:
    """Let an admin run a programme; granting twice changes nothing."""
    if session.get(StaffGrant, (staff.id, programme.id)) is not None:
        return
    session.add(StaffGrant(staff_id=staff.id, programme_id=programme.id, granted_at=now))
    session.flush()
    record_event(session, Tag.STAFF_GRANTED, actor, now=now, programme_id=programme.id, facts={"email": staff.email})


def issue_link(session: Session, staff: Staff, actor: Actor, *, now: datetime) -> IssuedLink:
    """Make a one-time link to set a password; links issued before stop working."""
    session.execute(delete(StaffLink).where(StaffLink.staff_id == staff.id))
    token = new_token()
    session.add(StaffLink(token_hash=hash_token(token), staff_id=staff.id, created_at=now, expires_at=now + LINK_LASTS))
    session.flush()
    record_event(session, Tag.STAFF_LINK_ISSUED, actor, now=now, programme_id=None, facts={"email": staff.email})
    return IssuedLink(token, now + LINK_LASTS)


def staff_of_link(session: Session, token: str, *, now: datetime) -> Staff | None:
    """Return whose password an unused, unexpired link sets, else None."""
    link = session.get(StaffLink, hash_token(token))
    if link is None or link.used_at is not None or link.expires_at <= now:
        return None
    staff = session.get(Staff, link.staff_id)
    return staff if staff is not None and staff.deactivated_at is None else None


def check_password(session: Session, staff: Staff, password: str) -> NewPassword:
    """Check a new password of a staff member by every rule and hash it; slow, so hold no lock meanwhile.

    Raises `PasswordRejected`.
    """
    granted = [] if staff.sees_all else [programme.name for programme in programmes_of(session, staff)]
    return new_password(password, personal=[staff.email, staff.name, *granted], earlier=earlier_hashes(session, staff))


def set_password_by_link(session: Session, token: str, new: NewPassword, *, now: datetime) -> Staff | None:
    """Set the password and use the link up, ending every session; None where the link is not valid any more."""
    staff = staff_of_link(session, token, now=now)
    if staff is None:
        return None
    used = session.execute(
        update(StaffLink)
        .where(StaffLink.token_hash == hash_token(token), StaffLink.used_at.is_(None))
        .values(used_at=now)
    )
    if used.rowcount != 1:  # type: ignore[attr-defined]  # CursorResult has it. Another request was first.
        return None
    store_password(session, staff, new, now=now)
    ended = drop_sessions(session, staff)
    record_access_event(session, Tag.STAFF_PASSWORD_SET, staff, staff_actor(staff), now=now, sessions=ended)
    return staff


def change_password(
    session: Session, staff: Staff, new: NewPassword, *, now: datetime, keep: StaffSession | None = None
) -> int:
    """Set the password that somebody chose for themselves, ending links and other sessions; returns how many ended."""
    session.execute(delete(StaffLink).where(StaffLink.staff_id == staff.id))
    store_password(session, staff, new, now=now)
    ended = drop_sessions(session, staff, keep=keep)
    record_access_event(session, Tag.STAFF_PASSWORD_SET, staff, staff_actor(staff), now=now, sessions=ended)
    return ended


def set_password(session: Session, staff: Staff, password: str, actor: Actor, *, now: datetime) -> None:
    """Set a password directly (command line and demo), ending every session.

    Raises `PasswordRejected`.
    """
    store_password(session, staff, check_password(session, staff, password), now=now)
    drop_sessions(session, staff)
    record_access_event(session, Tag.STAFF_PASSWORD_SET, staff, actor, now=now)


def authenticate(session: Session, email: str, password: str) -> Staff | None:
    """Return the staff member with this address and password, else None; both take the same time."""
    staff = session.scalar(select(Staff).where(Staff.email_key == email_key(email.strip())))
    usable = staff is not None and staff.deactivated_at is None
    matches = verify_password(staff.password_hash if staff is not None and usable else None, password)
    return staff if matches else None


def still_stands(session: Session, staff: Staff) -> bool:
    """Tell whether the password that was compared is still theirs, and hold their row until the end of the transaction.

    Comparing takes a tenth of a second and holds no lock. What protects an account may change meanwhile, which ends
    its sessions: one that opens a moment later on what was true before would stay.
    """
    compared = staff.password_hash
    session.refresh(staff, with_for_update=True)
    return staff.password_hash == compared and staff.is_active


def open_session(session: Session, staff: Staff, *, user_agent: str, now: datetime, second_step: str = "") -> str:
    """Open a session and return its token for the cookie; only the token's hash is kept.

    `second_step` says by what the person proved to be who they are, besides the password.
    """
    token = new_token()
    session.add(
        StaffSession(
            token_hash=hash_token(token),
            staff_id=staff.id,
            created_at=now,
            last_seen_at=now,
            expires_at=now + SESSION_LASTS,
            user_agent=user_agent[:200],
        )
    )
    staff.last_sign_in_at = now
    facts = {"second_step": second_step} if second_step else None
    record_event(session, Tag.STAFF_SIGNED_IN, staff_actor(staff), now=now, programme_id=None, facts=facts)
    session.flush()
    return token


def staff_of_session(session: Session, token: str, *, now: datetime) -> tuple[Staff, StaffSession] | None:
    """Return who holds this session token, where the session is neither expired nor idle for too long."""
    row = session.execute(
        select(Staff, StaffSession)
        .join(StaffSession, StaffSession.staff_id == Staff.id)
        .where(StaffSession.token_hash == hash_token(token), StaffSession.expires_at > now)
    ).first()
    if row is None or row[0].deactivated_at is not None or row[1].last_seen_at + SESSION_IDLE <= now:
        return None
    return row[0], row[1]


def close_session(session: Session, token: str) -> None:
    """End one session."""
    session.execute(delete(StaffSession).where(StaffSession.token_hash == hash_token(token)))


def programmes_of(session: Session, staff: Staff, *, limit: int = 500) -> list[Programme]:
    """Return the programmes this person may see, by name."""
    wanted = select(Programme).order_by(Programme.name).limit(limit)
    if not staff.sees_all:
        wanted = wanted.join(StaffGrant, StaffGrant.programme_id == Programme.id).where(StaffGrant.staff_id == staff.id)
    return list(session.scalars(wanted))


def programme_for(session: Session, staff: Staff, slug: str) -> Programme | None:
    """Return a programme that this person may see, else None: the same for a foreign one and one that is not there."""
    wanted = select(Programme).where(Programme.slug == slug)
    if not staff.sees_all:
        wanted = wanted.join(StaffGrant, StaffGrant.programme_id == Programme.id).where(StaffGrant.staff_id == staff.id)
    return session.scalar(wanted)


def find_staff(session: Session, email: str) -> Staff | None:
    """Return the staff member with this address, else None."""
    return session.scalar(select(Staff).where(Staff.email_key == email_key(email)))
