"""For how long nothing was applied of a pull that should have come by now."""

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, func, select

from rgapp.integrations.pulls.schedule import Schedule
from rgapp.models import Integration, IntegrationVersion, RunState, SyncRun

#: How long a pull of each schedule may be away before that is silence: its time, and a day to be put right in.
PATIENCE: Final = {
    Schedule.HOURLY: timedelta(days=1),
    Schedule.DAILY: timedelta(days=2),
    Schedule.WEEKLY: timedelta(days=8),
    Schedule.MONTHLY: timedelta(days=32),
}


def last_good() -> ColumnElement[datetime]:
    """Return when something was applied last, else when it was first published, for a query about integrations.

    Of the runs it reads the newest ones only, as far as the first that was applied.
    """
    applied = (
        select(SyncRun.finished_at)
        .where(
            SyncRun.programme_id == Integration.programme_id,
            SyncRun.integration_id == Integration.id,
            SyncRun.preview.is_(False),
            SyncRun.state == RunState.APPLIED,
        )
        .order_by(SyncRun.id.desc())
        .limit(1)
        .correlate(Integration)
        .scalar_subquery()
    )
    published = (
        select(func.min(IntegrationVersion.published_at))
        .where(
            IntegrationVersion.programme_id == Integration.programme_id,
            IntegrationVersion.integration_id == Integration.id,
        )
        .correlate(Integration)
        .scalar_subquery()
    )
    return func.coalesce(applied, published)


def silent_days(schedule: Any, since: datetime, now: datetime) -> int:
    """Return for how many days nothing was applied, 0 while that is nothing unusual."""
    patience = PATIENCE[Schedule(schedule)] if schedule in set(Schedule) else PATIENCE[Schedule.DAILY]
    silence = now - since
    return silence.days if silence > patience else 0
