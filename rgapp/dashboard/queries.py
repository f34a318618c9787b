"""What the frame of the dashboard reads: uses by day, the live settings of all integrations, versions, last editor."""

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Integer, and_, case, cast, func, select
from sqlalchemy.orm import Session

from rgapp.dashboard.kinds import Day
from rgapp.models import AuditEvent, Integration, IntegrationVersion

DAYS = 14
WEEK = 7


def uses_by_day(
    session: Session,
    model: Any,
    programme_id: uuid.UUID,
    ids: Iterable[uuid.UUID],
    zone: ZoneInfo,
    now: datetime,
    *conditions: ColumnElement[bool],
) -> dict[uuid.UUID, list[Day]]:
    """Return good and refused uses of the last days, days as the programme's people count them; one query.

    `model` is the table of uses, with `programme_id`, `integration_id`, `at` and `accepted`.
    """
    wanted = list(ids)
    today = now.astimezone(zone).date()
    days = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    found = {integration_id: [(day, 0, 0) for day in days] for integration_id in wanted}
    if not wanted:
        return found
    edges = [datetime.combine(day, time.min, zone).astimezone(UTC) for day in [*days, today + timedelta(days=1)]]
    number = case(*[(model.at < edge, index) for index, edge in enumerate(edges[1:])], else_=len(days))
    # A subquery, because PostgreSQL takes an expression with parameters for a new one when it is repeated.
    numbered = (
        select(model.integration_id, cast(number, Integer).label("bucket"), model.accepted)
        .where(
            model.programme_id == programme_id,
            model.integration_id.in_(wanted),
            model.at >= edges[0],
            *conditions,
        )
        .subquery()
    )
    columns = numbered.c.integration_id, numbered.c.bucket, numbered.c.accepted
    rows = session.execute(select(*columns, func.count()).group_by(*columns))
    for integration_id, index, accepted, count in rows:
        if index < len(days):
            day, good, refused = found[integration_id][index]
            found[integration_id][index] = (day, good + count, refused) if accepted else (day, good, refused + count)
    return found


def last_used(
    session: Session,
    model: Any,
    programme_id: uuid.UUID,
    ids: Iterable[uuid.UUID],
    *conditions: ColumnElement[bool],
) -> dict[uuid.UUID, datetime]:
    """Return when each integration was used last, by one query that reads one row of each; `model` as above."""
    last = (
        select(model.at)
        .where(model.programme_id == programme_id, model.integration_id == Integration.id, *conditions)
        .order_by(model.at.desc())
        .limit(1)
        .correlate(Integration)
        .scalar_subquery()
    )
    wanted = Integration.programme_id == programme_id, Integration.id.in_(list(ids))
    return {row[0]: row[1] for row in session.execute(select(Integration.id, last).where(*wanted)) if row[1]}


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


def versions(session: Session, integration: Integration) -> list[IntegrationVersion]:
    """Return the published versions, newest first."""
    query = select(IntegrationVersion).where(
        IntegrationVersion.programme_id == integration.programme_id,
        IntegrationVersion.integration_id == integration.id,
    )
    return list(session.scalars(query.order_by(IntegrationVersion.number.desc()).limit(100)))


def last_editor(session: Session, integration: Integration) -> AuditEvent | None:
    """Return the newest event about this integration, and not about one of its people: who changed it, and when."""
    query = select(AuditEvent).where(
        AuditEvent.programme_id == integration.programme_id,
        AuditEvent.integration_id == integration.id,
        AuditEvent.user_id.is_(None),
    )
    return session.scalar(query.order_by(AuditEvent.id.desc()).limit(1))
