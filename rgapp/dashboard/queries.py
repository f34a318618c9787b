"""What the dashboard reads: counts of sign-ins by day, attempts with filters and search, versions."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Integer, Select, and_, case, cast, func, or_, select, tuple_
from sqlalchemy.orm import Session, defer

from rgapp.models import AuditEvent, Integration, IntegrationVersion, Purpose, SignInAttempt
from rgapp.provisioning.validation import email_key

DAYS = 14
WEEK = 7
PAGE = 50
TESTS = (Purpose.TEST, Purpose.PASTED)
Day = tuple[date, int, int]


@dataclass(frozen=True)
class Page:
    """One page of attempts, newest first; `next_cursor` leads to the older ones."""

    attempts: Sequence[SignInAttempt]
    next_cursor: str | None


def sign_ins_by_day(
    session: Session, programme_id: uuid.UUID, ids: Iterable[uuid.UUID], zone: ZoneInfo, now: datetime
) -> dict[uuid.UUID, list[Day]]:
    """Return good and refused sign-ins of the last days, days as the programme's people count them; one query."""
    wanted = list(ids)
    today = now.astimezone(zone).date()
    days = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    empty = {integration_id: [(day, 0, 0) for day in days] for integration_id in wanted}
    if not wanted:
        return empty
    edges = [datetime.combine(day, time.min, zone).astimezone(UTC) for day in [*days, today + timedelta(days=1)]]
    number = case(*[(SignInAttempt.at < edge, index) for index, edge in enumerate(edges[1:])], else_=len(days))
    # A subquery, because PostgreSQL takes an expression with parameters for a new one when it is repeated.
    numbered = (
        select(SignInAttempt.integration_id, cast(number, Integer).label("bucket"), SignInAttempt.accepted)
        .where(
            SignInAttempt.programme_id == programme_id,
            SignInAttempt.integration_id.in_(wanted),
            SignInAttempt.at >= edges[0],
            SignInAttempt.purpose == Purpose.SIGN_IN,
        )
        .subquery()
    )
    columns = numbered.c.integration_id, numbered.c.bucket, numbered.c.accepted
    rows = session.execute(select(*columns, func.count()).group_by(*columns))
    for integration_id, index, accepted, count in rows:
        if index < len(days):
            day, good, refused = empty[integration_id][index]
            empty[integration_id][index] = (day, good + count, refused) if accepted else (day, good, refused + count)
    return empty


def last_activity(
    session: Session, programme_id: uuid.UUID, ids: Iterable[uuid.UUID]
) -> dict[uuid.UUID, tuple[datetime, datetime | None]]:
    """Return when each integration was last used, and last used well."""
    rows = session.execute(
        select(
            SignInAttempt.integration_id,
            func.max(SignInAttempt.at),
            func.max(case((SignInAttempt.accepted, SignInAttempt.at))),
        )
        .where(
            SignInAttempt.programme_id == programme_id,
            SignInAttempt.integration_id.in_(list(ids)),
            SignInAttempt.purpose == Purpose.SIGN_IN,
        )
        .group_by(SignInAttempt.integration_id)
    )
    return {integration_id: (last, good) for integration_id, last, good in rows}


def live_settings_of(session: Session, programme_id: uuid.UUID) -> dict[uuid.UUID, dict[str, Any]]:
    """Return the live settings of every integration of a programme that has any; one query."""
    rows = session.execute(
        select(IntegrationVersion.integration_id, IntegrationVersion.settings)
        .join(
            Integration,
            and_(
                Integration.programme_id == IntegrationVersion.programme_id,
                Integration.id == IntegrationVersion.integration_id,
                Integration.live_version == IntegrationVersion.number,
            ),
        )
        .where(IntegrationVersion.programme_id == programme_id)
    )
    return {row[0]: row[1] for row in rows}


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


def versions(session: Session, integration: Integration) -> list[IntegrationVersion]:
    """Return the published versions, newest first."""
    query = select(IntegrationVersion).where(
        IntegrationVersion.programme_id == integration.programme_id,
        IntegrationVersion.integration_id == integration.id,
    )
    return list(session.scalars(query.order_by(IntegrationVersion.number.desc()).limit(100)))


def last_editor(session: Session, integration: Integration) -> AuditEvent | None:
    """Return the newest event about this integration: who changed it, and when."""
    query = select(AuditEvent).where(
        AuditEvent.programme_id == integration.programme_id, AuditEvent.integration_id == integration.id
    )
    return session.scalar(query.order_by(AuditEvent.id.desc()).limit(1))


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
