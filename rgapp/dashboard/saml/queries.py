"""What the pages of an inbound SAML connection read: how it was used, and attempts with filters and search."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Select, func, or_, select, tuple_
from sqlalchemy.orm import Session, defer

from rgapp.dashboard.kinds import Usage
from rgapp.dashboard.queries import last_used, uses_by_day
from rgapp.models import Integration, Programme, Purpose, SignInAttempt
from rgapp.provisioning.validation import email_key

PAGE = 50
TESTS = (Purpose.TEST, Purpose.PASTED)


@dataclass(frozen=True)
class Page:
    """One page of attempts, newest first; `next_cursor` leads to the older ones."""

    attempts: Sequence[SignInAttempt]
    next_cursor: str | None


def sign_ins(session: Session, owner: Programme, ids: Iterable[uuid.UUID], now: datetime) -> dict[uuid.UUID, Usage]:
    """Return how each connection was used for signing in; tests do not count. Two queries."""
    wanted, real = list(ids), SignInAttempt.purpose == Purpose.SIGN_IN
    days = uses_by_day(session, SignInAttempt, owner.id, wanted, owner.zone, now, real)
    last = last_used(session, SignInAttempt, owner.id, wanted, real)
    return {one: Usage(days[one], last.get(one)) for one in wanted}


def attempts(
    session: Session, integration: Integration, *, show: str = "all", wanted: str = "", cursor: str = ""
) -> Page:
    """Return a page of attempts; `show` is all, good, refused or tests."""
    query = of_integration(integration).where(*_shown(show))
    if wanted:
        query = query.where(_matches(wanted))
    if (edge := _read_cursor(cursor)) is not None:
        query = query.where(tuple_(SignInAttempt.at, SignInAttempt.id) < tuple_(*edge))
    light = defer(SignInAttempt.checks), defer(SignInAttempt.arrived)
    ordered = query.options(*light).order_by(SignInAttempt.at.desc(), SignInAttempt.id.desc())
    found = list(session.scalars(ordered.limit(PAGE + 1)))
    more = len(found) > PAGE
    return Page(found[:PAGE], _cursor(found[PAGE - 1]) if more else None)


def counts(session: Session, integration: Integration) -> dict[str, int]:
    """Return how many attempts each filter shows."""
    rows = session.execute(
        select(SignInAttempt.purpose, SignInAttempt.accepted, func.count())
        .where(
            SignInAttempt.programme_id == integration.programme_id,
            SignInAttempt.integration_id == integration.id,
        )
        .group_by(SignInAttempt.purpose, SignInAttempt.accepted)
    )
    found = {"all": 0, "good": 0, "refused": 0, "tests": 0}
    for purpose, accepted, count in rows:
        if purpose in TESTS:
            found["tests"] += count
        else:
            found["all"] += count
            found["good" if accepted else "refused"] += count
    return found


def attempt(session: Session, integration: Integration, reference: str) -> SignInAttempt | None:
    """Return the attempt of this integration with this reference code, however it was typed."""
    code = reference_of(reference)
    return session.scalar(of_integration(integration).where(SignInAttempt.reference == code)) if code else None


def last_tests(session: Session, integration: Integration, limit: int = 5) -> list[SignInAttempt]:
    """Return the newest dry runs."""
    query = of_integration(integration).where(SignInAttempt.purpose.in_(TESTS))
    return list(session.scalars(query.order_by(SignInAttempt.at.desc(), SignInAttempt.id.desc()).limit(limit)))


def of_integration(integration: Integration) -> Select[SignInAttempt]:
    """Select the attempts of one integration."""
    return select(SignInAttempt).where(
        SignInAttempt.programme_id == integration.programme_id,
        SignInAttempt.integration_id == integration.id,
    )


def reference_of(typed: str) -> str:
    """Return a typed reference code in its stored form, empty where it cannot be one."""
    plain = "".join(character for character in typed.upper() if character.isalnum())
    return f"{plain[:4]}-{plain[4:]}" if len(plain) == 8 and plain.isascii() else ""


def _shown(show: str) -> list[ColumnElement[bool]]:
    real = SignInAttempt.purpose == Purpose.SIGN_IN
    match show:
        case "good":
            return [real, SignInAttempt.accepted.is_(True)]
        case "refused":
            return [real, SignInAttempt.accepted.is_(False)]
        case "tests":
            return [SignInAttempt.purpose.in_(TESTS)]
        case _:
            return [real]


def _matches(wanted: str) -> ColumnElement[bool]:
    """Match a reference code, a whole e-mail address or Membership No., or a part of the person's name."""
    escaped = wanted.casefold().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    ways: list[ColumnElement[bool]] = [
        func.lower(SignInAttempt.person).like(f"%{escaped}%", escape="\\"),
        SignInAttempt.email_key.like(f"{escaped}%", escape="\\"),
        SignInAttempt.email_key == email_key(wanted),
        SignInAttempt.membership_no == wanted,
    ]
    if code := reference_of(wanted):
        ways.append(SignInAttempt.reference == code)
    return or_(*ways)


def _cursor(row: SignInAttempt) -> str:
    return f"{int(row.at.timestamp() * 1_000_000)}.{row.id.hex}"


def _read_cursor(cursor: str) -> tuple[datetime, uuid.UUID] | None:
    moment, _, row_id = cursor.partition(".")
    try:
        at = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=int(moment))
        return at, uuid.UUID(hex=row_id)
    except (ValueError, OverflowError):
        return None
