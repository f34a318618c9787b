"""Previews of a feed's settings: the newest one counts."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from rgapp.models import Integration, SyncRun


def newest(session: Session, integration: Integration) -> SyncRun | None:
    """Return the newest preview of an integration, None where there is none."""
    query = select(SyncRun).where(
        SyncRun.programme_id == integration.programme_id,
        SyncRun.integration_id == integration.id,
        SyncRun.preview.is_(True),
    )
    return session.scalar(query.order_by(SyncRun.id.desc()).limit(1))
