"""What the page of one person reads: details with their owners, open sessions, conflicts, and one timeline."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from rgapp.auth.users import SESSION_IDLE
from rgapp.models import (
    AuditEvent,
    Integration,
    MailStatus,
    OutboxMail,
    Programme,
    Purpose,
    SCIMRequest,
    SignInAttempt,
    User,
    UserSession,
)
from rgapp.provisioning import Field, Refusal
from rgapp.provisioning.ownership import owned_fields
from rgapp.templating import day_and_month, long_date
from rgapp.wording import FIELD_LABELS
from rgapp.wording_events import SOURCE_LABELS, gap_words

MOST_SESSIONS = 50
MOST_CONFLICTS = 5
ITEMS = 40


@dataclass(frozen=True)
class Detail:
    """One field of a person: its value, who gave it and when, who owns it, and why it is empty."""

    field: Field
    label: str
    value: str | None
    origin: str
    owner: str | None
    gap: str | None


@dataclass(frozen=True)
class OpenSession:
    """One signed-in browser; `through` is the connection, None for a password."""

    row: UserSession
    through: str | None


@dataclass(frozen=True)
class History:
    """The rows of one stretch of a person's timeline, newest first, and from where the older ones follow."""

    events: Sequence[AuditEvent]
    attempts: Sequence[SignInAttempt]
    requests: Sequence[SCIMRequest]
    mails: Sequence[OutboxMail]
    older_than: datetime | None


def get_user(session: Session, programme: Programme, user_id: uuid.UUID) -> User | None:
    """Return a user of this programme, else None: the same for a foreign one and one that is not there."""
    return session.get(User, (programme.id, user_id))


def details_of(session: Session, user: User, programme: Programme, *, now: datetime) -> list[Detail]:
    """Return the person's fields in our order."""
    owned = owned_fields(session, user, by_others_than=None)
    return [_detail(user, field, field in owned, programme, now) for field in Field]


def _detail(user: User, field: Field, owned: bool, programme: Programme, now: datetime) -> Detail:
    value = getattr(user, field.value)
    source = user.field_sources.get(field.value) or {}
    gap = None
    if value is None:
        gap = gap_words(str(user.gaps.get(field.value, "")))
        if field is Field.EMAIL:
            gap = "It was passed on to another person, because this one had left."
    return Detail(
        field=field,
        label=FIELD_LABELS[field],
        value=long_date(value) if isinstance(value, date) else value,
        origin=origin_of(source, programme, now=now) if value is not None else "",
        owner=str(source.get("name")) if owned else None,
        gap=gap,
    )


def origin_of(source: dict[str, str], programme: Programme, *, now: datetime) -> str:
    """Say who gave a value and when: "From Okta, 3 May"; with the year where it is another one."""
    if not source:
        return ""
    hand = source.get("source") == "hand"
    words = f"Entered by {source.get('name')}" if hand else f"From {source.get('name')}"
    at = datetime.fromisoformat(source["at"]).astimezone(programme.zone).date()
    today = now.astimezone(programme.zone).date()
    return f"{words}, {day_and_month(at) if at.year == today.year else long_date(at)}"


def open_sessions(session: Session, user: User, *, now: datetime) -> list[OpenSession]:
    """Return the sessions that still work, last used first."""
    rows = session.execute(
        select(UserSession, Integration.name)
        .outerjoin(
            Integration,
            (Integration.programme_id == UserSession.programme_id) & (Integration.id == UserSession.integration_id),
        )
        .where(*_open(user, now))
        .order_by(UserSession.last_seen_at.desc())
        .limit(MOST_SESSIONS)
    )
    return [OpenSession(row, name) for row, name in rows]


def count_sessions(session: Session, user: User, *, now: datetime) -> int:
    """Count the sessions that still work."""
    return session.scalar(select(func.count()).select_from(UserSession).where(*_open(user, now))) or 0


def _open(user: User, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        UserSession.programme_id == user.programme_id,
        UserSession.user_id == user.id,
        UserSession.expires_at > now,
        UserSession.last_seen_at > now - SESSION_IDLE,
    )


def conflicts_of(session: Session, user: User) -> list[SignInAttempt]:
    """Return the latest refused sign-ins of other people that came with this person's e-mail address."""
    if user.email_key is None:
        return []
    return list(
        session.scalars(
            select(SignInAttempt)
            .where(
                SignInAttempt.programme_id == user.programme_id,
                SignInAttempt.email_key == user.email_key,
                SignInAttempt.purpose == Purpose.SIGN_IN,
                SignInAttempt.reason == Refusal.EMAIL_CONFLICT,
                or_(SignInAttempt.membership_no.is_(None), SignInAttempt.membership_no != user.membership_no),
            )
            .order_by(SignInAttempt.at.desc())
            .limit(MOST_CONFLICTS)
        )
    )


def claims_of(session: Session, user: User) -> list[SCIMRequest]:
    """Return the latest refused requests in which a directory gave this person's e-mail address to somebody else."""
    if user.email_key is None:
        return []
    return list(
        session.scalars(
            select(SCIMRequest)
            .where(
                SCIMRequest.programme_id == user.programme_id,
                SCIMRequest.email_key == user.email_key,
                SCIMRequest.listening.is_(False),
                SCIMRequest.reason == Refusal.EMAIL_CONFLICT,
                or_(SCIMRequest.membership_no.is_(None), SCIMRequest.membership_no != user.membership_no),
            )
            .order_by(SCIMRequest.at.desc())
            .limit(MOST_CONFLICTS)
        )
    )


def history_of(session: Session, user: User, *, before: datetime | None = None) -> History:
    """Return one stretch of the timeline from its sources, each read through its own index."""
    events = _events(session, user, before)
    attempts = _attempts(session, user, before)
    requests = _requests(session, user, before)
    mails = _mails(session, user, before)
    done = [*(e.at for e in events), *(a.at for a in attempts), *(r.at for r in requests)]
    times = sorted((*done, *(m.created_at for m in mails)), reverse=True)
    if len(times) <= ITEMS:
        return History(events, attempts, requests, mails, None)
    # What happened at one instant (an account and its mail) stays together on one page.
    oldest = times[ITEMS - 1]
    return History(
        [event for event in events if event.at >= oldest],
        [attempt for attempt in attempts if attempt.at >= oldest],
        [request for request in requests if request.at >= oldest],
        [mail for mail in mails if mail.created_at >= oldest],
        oldest if times[-1] < oldest else None,
    )


def _events(session: Session, user: User, before: datetime | None) -> Sequence[AuditEvent]:
    wanted = select(AuditEvent).where(AuditEvent.programme_id == user.programme_id, AuditEvent.user_id == user.id)
    if before is not None:
        wanted = wanted.where(AuditEvent.at < before)
    return session.scalars(wanted.order_by(AuditEvent.id.desc()).limit(ITEMS + 1)).all()


def _attempts(session: Session, user: User, before: datetime | None) -> Sequence[SignInAttempt]:
    wanted = select(SignInAttempt).where(
        SignInAttempt.programme_id == user.programme_id,
        SignInAttempt.purpose == Purpose.SIGN_IN,
        or_(SignInAttempt.user_id == user.id, SignInAttempt.membership_no == user.membership_no),
    )
    if before is not None:
        wanted = wanted.where(SignInAttempt.at < before)
    return session.scalars(wanted.order_by(SignInAttempt.at.desc()).limit(ITEMS + 1)).all()


def _requests(session: Session, user: User, before: datetime | None) -> Sequence[SCIMRequest]:
    """Return what directories sent about the person; that they looked her up tells nobody anything."""
    wanted = select(SCIMRequest).where(
        SCIMRequest.programme_id == user.programme_id,
        or_(SCIMRequest.user_id == user.id, SCIMRequest.membership_no == user.membership_no),
        SCIMRequest.listening.is_(False),
        or_(SCIMRequest.outcome != "read", SCIMRequest.accepted.is_(False)),
    )
    if before is not None:
        wanted = wanted.where(SCIMRequest.at < before)
    return session.scalars(wanted.order_by(SCIMRequest.at.desc()).limit(ITEMS + 1)).all()


def _mails(session: Session, user: User, before: datetime | None) -> Sequence[OutboxMail]:
    wanted = select(OutboxMail).where(OutboxMail.programme_id == user.programme_id, OutboxMail.user_id == user.id)
    if before is not None:
        wanted = wanted.where(OutboxMail.created_at < before)
    return session.scalars(wanted.order_by(OutboxMail.id.desc()).limit(ITEMS + 1)).all()


def waiting_welcome(session: Session, user: User) -> OutboxMail | None:
    """Return a welcome e-mail that is still on its way, else None."""
    return session.scalar(
        select(OutboxMail)
        .where(
            OutboxMail.programme_id == user.programme_id,
            OutboxMail.user_id == user.id,
            OutboxMail.kind == "welcome",
            OutboxMail.status.in_((MailStatus.WAITING, MailStatus.SENDING)),
        )
        .limit(1)
    )


def integration_names(session: Session, programme_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Return the names of the integrations of these programmes, in one query."""
    rows = session.execute(
        select(Integration.id, Integration.name).where(Integration.programme_id.in_(set(programme_ids)))
    )
    return {row.id: row.name for row in rows}


def source_label(user: User, names: dict[uuid.UUID, str]) -> str:
    """Name where an account comes from: the integration's own name, or "By hand"."""
    if user.source_integration_id is not None and user.source_integration_id in names:
        return names[user.source_integration_id]
    return SOURCE_LABELS.get(user.source, user.source)
