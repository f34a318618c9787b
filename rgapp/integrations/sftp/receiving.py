"""How a file that has arrived becomes a run."""

import uuid
from datetime import datetime

from sqlalchemy.orm import Session

from rgapp.models import Integration, SyncRun
from rgapp.models.base import new_id


def receive(
    session: Session, integration: Integration, *, path: str, file: str, size_bytes: int, now: datetime
) -> uuid.UUID:
    """Make a run of a file, in the caller's transaction; returns its id."""
    run = SyncRun(
        programme_id=integration.programme_id,
        id=new_id(),
        integration_id=integration.id,
        file=file,
        path=path,
        size_bytes=size_bytes,
        received_at=now,
    )
    session.add(run)
    session.flush()
    return run.id
