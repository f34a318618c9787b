"""Work on sync runs off the request path: woken when one arrives, and each minute for what was left."""

import time
import uuid
from pathlib import Path
from typing import Final

from flask import current_app
from sqlalchemy.orm import Session

from rgapp.clock import utcnow
from rgapp.integrations.sync import runs
from rgapp.integrations.sync.engine import Tools, work_on_next, work_on_preview
from rgapp.integrations.sync.work import Progress

# SQLite lets one writer in at a time, and the others look again every few milliseconds: they need a gap to find.
GAP_SECONDS: Final = 0.005


def sync_folder() -> Path:
    """Return the private folder in which runs keep what they need meanwhile."""
    return Path(current_app.instance_path) / "sync"


def tools_of(session: Session, progress: Progress | None = None) -> Tools:
    """Return what working on runs needs."""
    on_sqlite = session.get_bind().dialect.name == "sqlite"
    return Tools(
        folder=sync_folder(),
        sealer=current_app.extensions["sealer"],
        clock=utcnow,
        progress=progress,
        wait=_let_others_write if on_sqlite else None,
    )


def process_runs(session: Session, programme_id: uuid.UUID, integration_id: uuid.UUID) -> int:
    """Work on the runs of an integration until none is open; returns how many were brought to an end."""
    tools, done = tools_of(session), 0
    while work_on_next(session, programme_id, integration_id, tools) is not None:
        done += 1
    return done


def process_previews(session: Session) -> int:
    """Work on the previews on which nobody works; returns how many were brought to an end."""
    tools, done = tools_of(session), 0
    for programme_id, run_id in runs.waiting_previews(session, now=utcnow()):
        done += work_on_preview(session, programme_id, run_id, tools) is not None
    return done


def _let_others_write() -> None:
    time.sleep(GAP_SECONDS)
