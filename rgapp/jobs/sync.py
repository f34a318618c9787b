"""Work on sync runs off the request path: woken when one arrives, and each minute for what was left."""

import shutil
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from rgapp.clock import utcnow
from rgapp.database import reading
from rgapp.integrations.sync import runs
from rgapp.integrations.sync.engine import Tools, work_on_next, work_on_preview
from rgapp.integrations.sync.work import Progress
from rgapp.models import RunState, SyncRun
from rgapp.turnstile import bell_of

SETTLED: Final = (RunState.APPLIED, RunState.FAILED, RunState.DISCARDED)


def sync_folder() -> Path:
    """Return the private folder in which runs keep what they need meanwhile."""
    return Path(current_app.instance_path) / "sync"


def kept_files(integration_id: uuid.UUID) -> Path:
    """Return where files that came by the terminal stay as they are; those that were uploaded are in the spool."""
    return sync_folder() / "files" / integration_id.hex


def tools_of(session: Session, progress: Progress | None = None) -> Tools:
    """Return what working on runs needs."""
    engine = session.get_bind().engine
    return Tools(
        folder=sync_folder(),
        sealer=current_app.extensions["sealer"],
        clock=utcnow,
        progress=progress,
        outbound_allow=current_app.config["OUTBOUND_ALLOW"],
        bell=bell_of(engine.url.database) if engine.dialect.name == "sqlite" else None,
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


def delete_old_files(session: Session, *, now: datetime, kept: timedelta) -> int:
    """Delete files that came by the terminal and whose runs were settled so long ago; returns how many went.

    The file of a run that is held stays, for it may be released; one without a run goes too, after that time.
    """
    count = 0
    for path in (sync_folder() / "files").glob("*/*"):
        query = select(SyncRun.state, SyncRun.finished_at).where(
            SyncRun.integration_id == uuid.UUID(path.parent.name), SyncRun.path == str(path)
        )
        with reading():
            run = session.execute(query).first()
            session.rollback()
        if run is None:
            over_since = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        elif run.state in SETTLED and run.finished_at is not None:
            over_since = run.finished_at
        else:
            continue
        if over_since <= now - kept:
            path.unlink(missing_ok=True)
            count += 1
    return count


def delete_settled_pulls(session: Session) -> int:
    """Delete what was kept of pulls whose runs were settled meanwhile, or are gone; returns how many went."""
    count = 0
    for path in (sync_folder() / "pulls").glob("*"):
        query = select(SyncRun.state).where(SyncRun.id == uuid.UUID(path.name))
        with reading():
            state = session.scalar(query)
            session.rollback()
        if state is None or state in SETTLED:
            shutil.rmtree(path, ignore_errors=True)
            count += 1
    return count
