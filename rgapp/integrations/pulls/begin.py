"""Pulls begin: by schedule, by hand, and on the day that somebody starts or has left; one at a time."""

import uuid
from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from rgapp.integrations.pulls.schedule import HOUR, Schedule, due, wants_full
from rgapp.integrations.sync import runs
from rgapp.models import Integration, IntegrationVersion, Programme, PullAccess, RunState, SyncRun

#: In the marks of a pull, the next day on which somebody whom it saw begins or has left.
NEXT_DAY: Final = "next_day"


def begin(session: Session, integration: Integration, *, now: datetime, full: bool) -> SyncRun:
    """Ask for a pull, unless one waits or is at work: then that one is returned. Flushes.

    One that waits becomes `full` where that is wanted.
    """
    session.refresh(integration, with_for_update=True)
    waiting: SyncRun | None = session.scalar(
        _runs_of(integration.programme_id, integration.id)
        .where(SyncRun.state.in_(runs.OPEN))
        .order_by(SyncRun.id.desc())
        .limit(1)
    )
    if waiting is None:
        return runs.receive(session, integration, now=now, wants_full=full)
    if full and waiting.state == RunState.RECEIVED:
        waiting.wants_full = True
        session.flush()
    return waiting


def due_now(session: Session, kinds: Collection[str], *, now: datetime) -> list[tuple[uuid.UUID, uuid.UUID]]:
    """Return the live integrations of these kinds, with their programmes, whose next pull should begin."""
    last = (
        select(SyncRun.id)
        .where(
            SyncRun.programme_id == Integration.programme_id,
            SyncRun.integration_id == Integration.id,
            SyncRun.preview.is_(False),
        )
        .order_by(SyncRun.id.desc())
        .limit(1)
        .correlate(Integration)
        .scalar_subquery()
    )
    query = (
        select(
            Integration.programme_id,
            Integration.id,
            IntegrationVersion.settings,
            Programme.timezone,
            SyncRun.received_at,
            SyncRun.finished_at,
            SyncRun.state,
            SyncRun.pulled,
            SyncRun.facts,
            PullAccess.problem,
        )
        .join(Programme, Programme.id == Integration.programme_id)
        .join(
            IntegrationVersion,
            (IntegrationVersion.programme_id == Integration.programme_id)
            & (IntegrationVersion.integration_id == Integration.id)
            & (IntegrationVersion.number == Integration.live_version),
        )
        .outerjoin(SyncRun, (SyncRun.programme_id == Integration.programme_id) & (SyncRun.id == last))
        .outerjoin(
            PullAccess,
            (PullAccess.programme_id == Integration.programme_id) & (PullAccess.integration_id == Integration.id),
        )
        .where(Integration.kind.in_(list(kinds)), Integration.enabled)
        .order_by(Integration.programme_id, Integration.id)
    )
    return [(row.programme_id, row.id) for row in session.execute(query) if _is_due(row, now)]


def begin_due(session: Session, programme_id: uuid.UUID, integration_id: uuid.UUID, *, now: datetime) -> SyncRun:
    """Begin a pull that is due, as a full one where the day has not had one yet. Flushes."""
    integration = session.get_one(Integration, (programme_id, integration_id))
    programme = session.get_one(Programme, programme_id)
    settings = session.scalar(
        select(IntegrationVersion.settings).where(
            IntegrationVersion.programme_id == programme_id,
            IntegrationVersion.integration_id == integration_id,
            IntegrationVersion.number == integration.live_version,
        )
    )
    last_full = session.scalar(
        _runs_of(programme_id, integration_id)
        .with_only_columns(SyncRun.received_at)
        .where(SyncRun.full.is_(True), SyncRun.state.in_((RunState.APPLIED, RunState.HELD, RunState.DISCARDED)))
        .order_by(SyncRun.id.desc())
        .limit(1)
    )
    full = wants_full(_schedule(settings), last_full, now, programme.zone)
    return begin(session, integration, now=now, full=full)


def _is_due(row: Any, now: datetime) -> bool:
    if row.state in runs.OPEN:
        return False
    zone = ZoneInfo(row.timezone)
    if due(_schedule(row.settings), row.received_at, now, zone):
        return True
    # What failed and may go well by itself is tried again; a key that opens nothing is not.
    if row.state == RunState.FAILED and not row.problem and now >= _again_at(row):
        return True
    today = now.astimezone(zone).date()
    return row.received_at.astimezone(zone).date() < today and _day(row.pulled) <= today


def _again_at(row: Any) -> datetime:
    """Return when a pull that failed is tried again: when the other side said, within a day, else in an hour."""
    failed: datetime = row.finished_at or row.received_at
    try:
        asked = datetime.fromisoformat(row.facts["retry_at"])
        return min(max(asked, failed), failed + timedelta(days=1))
    except (KeyError, TypeError, ValueError):
        return failed + HOUR


def _day(pulled: Any) -> date:
    """Return the day that the last pull noted; one that never comes where there is none."""
    try:
        return date.fromisoformat(pulled["marks"][NEXT_DAY])
    except (KeyError, TypeError, ValueError):
        return date.max


def _schedule(settings: Any) -> Schedule:
    try:
        return Schedule((settings or {}).get("schedule") or Schedule.DAILY)
    except ValueError:
        return Schedule.DAILY


def _runs_of(programme_id: uuid.UUID, integration_id: uuid.UUID) -> Any:
    return select(SyncRun).where(
        SyncRun.programme_id == programme_id, SyncRun.integration_id == integration_id, SyncRun.preview.is_(False)
    )
