"""What pages read about pulls: the way in of many integrations, and when something of each was applied last."""

import uuid
from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from rgapp.integrations.pulls import silence
from rgapp.models import Integration, Programme, PullAccess, SyncRun


def ways_in(session: Session, owner: Programme, ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, PullAccess]:
    """Return what is kept of the ways in of these integrations."""
    query = select(PullAccess).where(PullAccess.programme_id == owner.id, PullAccess.integration_id.in_(list(ids)))
    return {row.integration_id: row for row in session.scalars(query)}


def last_good(session: Session, owner: Programme, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, datetime]:
    """Return when something of each of these integrations was applied last; else when it was first published."""
    query = select(Integration.id, silence.last_good()).where(
        Integration.programme_id == owner.id, Integration.id.in_(list(ids)), Integration.live_version.is_not(None)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def newest_run(session: Session, programme_id: uuid.UUID, integration_id: uuid.UUID) -> SyncRun | None:
    """Return the newest run of an integration, without previews."""
    query = select(SyncRun).where(
        SyncRun.programme_id == programme_id, SyncRun.integration_id == integration_id, SyncRun.preview.is_(False)
    )
    return session.scalar(query.order_by(SyncRun.id.desc()).limit(1))
