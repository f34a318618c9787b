"""When a feed is silent: nothing has arrived for longer than its own habit explains, whatever kind it is of."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from rgapp.models import Integration, SyncRun

# So many arrivals tell how often they come; of fewer a week is too long.
ENOUGH: Final = 3
TOO_LONG: Final = timedelta(days=7)
# What is looked at of a habit.
LATEST: Final = 15
SOME_HOURS: Final = timedelta(hours=12)


def silence(times: Sequence[datetime], now: datetime) -> timedelta | None:
    """Return for how long nothing arrived, where that is too long; None where all is well.

    `times` are those of the latest arrivals, newest first. Too long is longer than the longest gap in them, than twice
    the usual one, and than a day, by half a day.
    """
    if not times:
        return None
    since = now - times[0]
    if len(times) < ENOUGH:
        return since if since >= TOO_LONG else None
    gaps = [newer - older for newer, older in pairwise(times)]
    usual = max(*gaps, timedelta(seconds=2 * median(gap.total_seconds() for gap in gaps)), timedelta(days=1))
    return since if since > usual + SOME_HOURS else None


def latest_arrivals(session: Session, integration: Integration) -> list[tuple[uuid.UUID, datetime]]:
    """Return the latest runs of an integration with the time at which each arrived, newest first."""
    query = select(SyncRun.id, SyncRun.received_at).where(
        SyncRun.programme_id == integration.programme_id,
        SyncRun.integration_id == integration.id,
        SyncRun.preview.is_(False),
    )
    return [(run_id, at) for run_id, at in session.execute(query.order_by(SyncRun.id.desc()).limit(LATEST))]
