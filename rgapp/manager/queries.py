"""What Reward Manager's own pages read: programmes to choose from, audit events, and who has access."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rgapp.models import AuditEvent, Programme, Role, SignInAttempt, Staff, StaffGrant, User
from rgapp.paging import Key, Page, fetch
from rgapp.tokens import read_reference
from rgapp.wording_events import EventGroup, tags_of

MOST_PROGRAMMES = 100
NEWEST_FIRST = (Key(AuditEvent.id, True),)


@dataclass(frozen=True)
class EventFilter:
    """Which audit events a reader asked for: a kind, what one staff member did, or what happened to one person."""

    group: EventGroup | None = None
    actor_id: uuid.UUID | None = None
    user_id: uuid.UUID | None = None


def find_programmes(session: Session, staff: Staff, search: str) -> list[Programme]:
    """Return the programmes that this person may see and whose name or address has the text, by name."""
    wanted = select(Programme).order_by(Programme.name).limit(MOST_PROGRAMMES + 1)
    if not staff.sees_all:
        wanted = wanted.join(StaffGrant, StaffGrant.programme_id == Programme.id).where(StaffGrant.staff_id == staff.id)
    if text := " ".join(search.split())[:100].replace("\x00", ""):
        named = func.lower(Programme.name).contains(text.lower(), autoescape=True)
        wanted = wanted.where(named | Programme.slug.contains(text.lower(), autoescape=True))
    return list(session.scalars(wanted))


def events_page(
    session: Session, programme: Programme, wanted: EventFilter, *, after: str | None, before: str | None
) -> Page[AuditEvent]:
    """Return one page of a programme's audit events, newest first."""
    statement = select(AuditEvent).where(AuditEvent.programme_id == programme.id)
    if wanted.group is not None:
        statement = statement.where(AuditEvent.tag.in_([str(tag) for tag in tags_of(wanted.group)]))
    if wanted.actor_id is not None:
        statement = statement.where(AuditEvent.actor_id == wanted.actor_id)
    if wanted.user_id is not None:
        statement = statement.where(AuditEvent.user_id == wanted.user_id)
    return fetch(session, statement, NEWEST_FIRST, after=after, before=before)


def people_by_id(session: Session, programme: Programme, ids: Iterable[uuid.UUID | None]) -> dict[uuid.UUID, User]:
    """Return these users of a programme, in one query."""
    wanted = {found for found in ids if found is not None}
    if not wanted:
        return {}
    rows = session.scalars(select(User).where(User.programme_id == programme.id, User.id.in_(wanted)))
    return {user.id: user for user in rows}


def find_attempt(session: Session, programme: Programme, code: str) -> SignInAttempt | None:
    """Return this programme's sign-in attempt with a reference code, however it was typed."""
    reference = read_reference(code)
    if reference is None:
        return None
    return session.scalar(
        select(SignInAttempt).where(SignInAttempt.programme_id == programme.id, SignInAttempt.reference == reference)
    )


def staff_with_access(session: Session, programme: Programme) -> Sequence[tuple[Staff, StaffGrant]]:
    """Return the admins of a programme with their grants, by name."""
    rows = session.execute(
        select(Staff, StaffGrant)
        .join(StaffGrant, StaffGrant.staff_id == Staff.id)
        .where(StaffGrant.programme_id == programme.id, Staff.deactivated_at.is_(None))
        .order_by(Staff.name, Staff.id)
    )
    return [(row[0], row[1]) for row in rows]


def actors_of(session: Session, programme: Programme) -> Sequence[Staff]:
    """Return the staff whose doings can be asked for: this programme's admins and the operators."""
    granted = select(StaffGrant.staff_id).where(StaffGrant.programme_id == programme.id)
    rows = select(Staff).where(Staff.id.in_(granted) | (Staff.role == Role.OPERATOR)).order_by(Staff.name).limit(200)
    return session.scalars(rows).all()
