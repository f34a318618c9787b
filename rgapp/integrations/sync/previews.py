"""Previews of a feed's settings: the newest one counts, earlier ones are forgotten, and none outlives its draft."""

import uuid
from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from rgapp.models import Integration, SyncLeaver, SyncProblem, SyncRun


def newest(session: Session, integration: Integration) -> SyncRun | None:
    """Return the newest preview of an integration, None where there is none."""
    query = select(SyncRun).where(
        SyncRun.programme_id == integration.programme_id,
        SyncRun.integration_id == integration.id,
        SyncRun.preview.is_(True),
    )
    return session.scalar(query.order_by(SyncRun.id.desc()).limit(1))


def forget(session: Session, integration: Integration) -> None:
    """Delete the previews of an integration with all that they found; whoever works on one gives up. Flushes."""
    of_integration = (
        SyncRun.programme_id == integration.programme_id,
        SyncRun.integration_id == integration.id,
        SyncRun.preview.is_(True),
    )
    ids: Sequence[uuid.UUID] = session.scalars(select(SyncRun.id).where(*of_integration)).all()
    for model in (SyncProblem, SyncLeaver):
        session.execute(delete(model).where(model.programme_id == integration.programme_id, model.run_id.in_(ids)))
    session.execute(delete(SyncRun).where(*of_integration))
    session.flush()
