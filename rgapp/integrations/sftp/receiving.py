"""How a file that has arrived becomes a run."""

import uuid
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from rgapp.integrations.sync import runs
from rgapp.models import Integration


def receive(
    session: Session, integration: Integration, *, path: Path, name: str, digest: bytes, now: datetime
) -> uuid.UUID:
    """Make a run of a file, in the caller's transaction; returns its id."""
    return runs.receive(session, integration, now=now, path=path, name=name, content_digest=digest).id
