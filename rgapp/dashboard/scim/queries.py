"""What the pages of a SCIM integration read: requests by filter and search, how it was used, and its tokens."""

import uuid
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session, defer

from rgapp.dashboard.kinds import Usage
from rgapp.dashboard.queries import last_used, uses_by_day
from rgapp.models import Alert, Integration, Programme, SCIMRequest, SCIMToken
from rgapp.paging import Key, Page, fetch
from rgapp.provisioning.record import OutcomeKind
from rgapp.provisioning.validation import email_key

# Greater than every character that an address can have; a prefix becomes a range that an index answers.
LAST_CHARACTER = "\U0010ffff"
NEWEST_FIRST = (Key(SCIMRequest.at, descending=True), Key(SCIMRequest.id, descending=True))


def usage(session: Session, owner: Programme, ids: Iterable[uuid.UUID], now: datetime) -> dict[uuid.UUID, Usage]:
    """Return how each integration was used; requests while listening do not count. Two queries."""
    wanted, real = list(ids), SCIMRequest.listening.is_(False)
    days = uses_by_day(session, SCIMRequest, owner.id, wanted, owner.zone, now, real)
    last = last_used(session, SCIMRequest, owner.id, wanted, real)
    return {one: Usage(days[one], last.get(one)) for one in wanted}


def requests(
    session: Session, integration: Integration, *, show: str, wanted: str, after: str | None, before: str | None
) -> Page[SCIMRequest]:
    """Return a page of requests, newest first; `show` is changes, all, good, refused, left or listening."""
    query = of_integration(integration).where(*_shown(show))
    if wanted:
        query = query.where(_matches(session, integration, wanted))
    light = query.options(defer(SCIMRequest.changes), defer(SCIMRequest.arrived))
    return fetch(session, light, NEWEST_FIRST, after=after, before=before)


def counts(session: Session, integration: Integration) -> dict[str, int]:
    """Return how many requests each filter shows; read from the index alone."""
    rows = session.execute(
        select(SCIMRequest.accepted, SCIMRequest.listening, func.count())
        .where(
            SCIMRequest.programme_id == integration.programme_id,
            SCIMRequest.integration_id == integration.id,
        )
        .group_by(SCIMRequest.accepted, SCIMRequest.listening)
    )
    found = {"all": 0, "good": 0, "refused": 0, "listening": 0}
    for accepted, listening, count in rows:
        if listening:
            found["listening"] += count
        else:
            found["all"] += count
            found["good" if accepted else "refused"] += count
    return found


def request_of(session: Session, integration: Integration, request_id: uuid.UUID) -> SCIMRequest | None:
    """Return one request of this integration, else None."""
    found = session.get(SCIMRequest, (integration.programme_id, request_id))
    return found if found is not None and found.integration_id == integration.id else None


def listened(session: Session, integration: Integration, limit: int) -> Sequence[SCIMRequest]:
    """Return the newest requests that came while nothing was written, and what was pasted."""
    query = of_integration(integration).where(SCIMRequest.listening.is_(True))
    return session.scalars(query.order_by(SCIMRequest.at.desc(), SCIMRequest.id.desc()).limit(limit)).all()


def last_with_fields(session: Session, integration: Integration, limit: int) -> Sequence[SCIMRequest]:
    """Return the newest requests that described a person and had to be explained, with what arrived in them."""
    query = of_integration(integration).where(
        SCIMRequest.method.in_(("POST", "PUT", "PATCH", "PASTED", "AGAIN")),
        or_(SCIMRequest.listening.is_(True), SCIMRequest.accepted.is_(False)),
    )
    return session.scalars(query.order_by(SCIMRequest.at.desc()).limit(limit)).all()


def tokens_of(session: Session, programme_id: uuid.UUID, ids: Collection[uuid.UUID]) -> list[SCIMToken]:
    """Return the tokens of these integrations that nobody revoked, newest first; one query."""
    query = select(SCIMToken).where(
        SCIMToken.programme_id == programme_id,
        SCIMToken.integration_id.in_(list(ids)),
        SCIMToken.revoked_at.is_(None),
    )
    return list(session.scalars(query.order_by(SCIMToken.id.desc())))


def alerts_of(session: Session, programme_id: uuid.UUID, ids: Collection[uuid.UUID]) -> list[Alert]:
    """Return the alerts about these integrations that nobody has settled, newest first; one query."""
    query = select(Alert).where(
        Alert.programme_id == programme_id, Alert.settled_at.is_(None), Alert.integration_id.in_(list(ids))
    )
    return list(session.scalars(query.order_by(Alert.raised_at.desc()).limit(20)))


def of_integration(integration: Integration) -> Select[SCIMRequest]:
    """Select the requests of one integration."""
    return select(SCIMRequest).where(
        SCIMRequest.programme_id == integration.programme_id, SCIMRequest.integration_id == integration.id
    )


def _shown(show: str) -> list[ColumnElement[bool]]:
    real = SCIMRequest.listening.is_(False)
    match show:
        case "changes":
            return [real, or_(SCIMRequest.outcome != "read", SCIMRequest.accepted.is_(False))]
        case "good":
            return [real, SCIMRequest.accepted.is_(True)]
        case "refused":
            return [real, SCIMRequest.accepted.is_(False)]
        case "left":
            return [real, SCIMRequest.outcome == OutcomeKind.DEACTIVATED]
        case "listening":
            return [SCIMRequest.listening.is_(True)]
        case _:
            return [real]


def _matches(session: Session, integration: Integration, wanted: str) -> ColumnElement[bool]:
    """Match an e-mail address, a whole Membership No., a path, or else parts of a name or path.

    The first three have an index of their own or begin where the text does; only the last reads the whole log.
    """
    if "@" in wanted:
        begins = email_key(wanted)
        return and_(SCIMRequest.email_key >= begins, SCIMRequest.email_key < begins + LAST_CHARACTER)
    text = _escaped(wanted.casefold())
    if wanted.startswith("/"):
        return func.lower(SCIMRequest.path).like(f"{text}%", escape="\\")
    number = SCIMRequest.membership_no == wanted
    if session.scalar(select(of_integration(integration).where(number).exists())):
        return number
    inside = f"%{text}%"
    return or_(
        func.lower(SCIMRequest.person).like(inside, escape="\\"),
        func.lower(SCIMRequest.path).like(inside, escape="\\"),
    )


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
