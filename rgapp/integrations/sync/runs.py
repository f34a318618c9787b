"""Runs from their arrival to their end: taken up strictly in order of arrival, one at a time for each integration."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from rgapp.integrations.sync.holds import Hold
from rgapp.integrations.sync.lease import LASTS, Lease, is_held, new_lease_token, put_down
from rgapp.models import Integration, RunPhase, RunState, SyncLeaver, SyncRun
from rgapp.models.base import new_id

OPEN: Final = (RunState.RECEIVED, RunState.RUNNING)
WAITING_RUN: Final = "rgapp.waiting_run"
FILE_NAME_LENGTH = 255


def receive(
    session: Session,
    integration: Integration,
    *,
    now: datetime,
    path: Path | None = None,
    name: str = "",
    content_digest: bytes | None = None,
    wants_full: bool = False,
    preview_of: dict[str, Any] | None = None,
) -> SyncRun:
    """Note the arrival of a file (`path`, which must stay as it is until the run has ended), or ask for a pull.

    `content_digest` identifies the bytes of the file. `preview_of` are settings whose outcome is only looked at:
    nothing is written, and the run stands in no history. Flushes; once the caller has committed, the queue is woken.
    """
    run = SyncRun(
        programme_id=integration.programme_id,
        id=new_id(),
        integration_id=integration.id,
        file=(name or (path.name if path else ""))[-FILE_NAME_LENGTH:],
        path=str(path) if path else None,
        size_bytes=path.stat().st_size if path else None,
        content_digest=content_digest,
        wants_full=wants_full,
        preview=preview_of is not None,
        settings=preview_of,
        received_at=now,
    )
    session.add(run)
    session.flush()
    wake(session, run)
    return run


def wake(session: Session, run: SyncRun) -> None:
    """Let the queue look at a run once this transaction is committed."""
    session.info.setdefault(WAITING_RUN, set()).add((run.programme_id, run.integration_id))


def claim(
    session: Session, programme_id: uuid.UUID, integration_id: uuid.UUID, *, now: datetime
) -> tuple[SyncRun, Lease] | None:
    """Take the oldest open run of an integration to work on it; None where there is none, or somebody works on one.

    What was begun comes first: an older run that was released meanwhile waits for its end. Commits.
    """
    query = _of(programme_id, integration_id).where(SyncRun.state.in_(OPEN), SyncRun.preview.is_(False))
    # Of two who are here at once the second one asks after the first has committed, and sees what that one took.
    session.scalars(query.with_only_columns(SyncRun.id).order_by(SyncRun.id).with_for_update()).all()
    first = query.order_by((SyncRun.state == RunState.RUNNING).desc(), SyncRun.id).limit(1)
    return _take(session, session.scalar(first.execution_options(populate_existing=True)), now)


def claim_preview(
    session: Session, programme_id: uuid.UUID, run_id: uuid.UUID, *, now: datetime
) -> tuple[SyncRun, Lease] | None:
    """Take one preview to work on it; it waits for no other run. Commits."""
    query = select(SyncRun).where(SyncRun.programme_id == programme_id, SyncRun.id == run_id, SyncRun.preview)
    return _take(session, session.scalar(query.where(SyncRun.state.in_(OPEN)).with_for_update()), now)


def _take(session: Session, run: SyncRun | None, now: datetime) -> tuple[SyncRun, Lease] | None:
    if run is None or is_held(run, now):
        session.rollback()
        return None
    lease = Lease(run.programme_id, run.id, new_lease_token())
    try:
        run.lease, run.lease_until = lease.token, now + LASTS
        run.state, run.started_at, run.tries = RunState.RUNNING, run.started_at or now, run.tries + 1
        session.commit()
    except BaseException:
        put_down(lease.token)
        raise
    return run, lease


def let_go(session: Session, lease: Lease, *, counts: bool = True) -> bool:
    """End a lease before its time, after a failure that was no decision: the run is taken up again. Commits.

    A try that does not count was ended by something else than the run itself. Tells whether nobody needs what the run
    has left beside it: the next one begins anew, or the run was deleted.
    """
    session.rollback()
    run = session.get(SyncRun, (lease.programme_id, lease.run_id), with_for_update=True, populate_existing=True)
    is_ours = run is not None and run.lease == lease.token
    begins_anew = run is None or (is_ours and run.phase == RunPhase.CHECK)
    if run is not None and is_ours:
        run.lease = run.lease_until = None
        run.tries -= not counts and run.tries > 0
    session.commit()
    return begins_anew


def waiting(session: Session, *, now: datetime) -> list[tuple[uuid.UUID, uuid.UUID]]:
    """Return the integrations, with their programmes, whose oldest open run nobody works on."""
    query = select(SyncRun).where(SyncRun.state.in_(OPEN), SyncRun.preview.is_(False)).order_by(SyncRun.id)
    oldest: dict[tuple[uuid.UUID, uuid.UUID], SyncRun] = {}
    for run in session.scalars(query.execution_options(yield_per=500)):
        oldest.setdefault((run.programme_id, run.integration_id), run)
    return [place for place, run in oldest.items() if not is_held(run, now)]


def waiting_previews(session: Session, *, now: datetime) -> list[tuple[uuid.UUID, uuid.UUID]]:
    """Return the previews, with their programmes, on which nobody works."""
    found = session.scalars(select(SyncRun).where(SyncRun.state.in_(OPEN), SyncRun.preview).order_by(SyncRun.id))
    return [(run.programme_id, run.id) for run in found if not is_held(run, now)]


def get(session: Session, programme_id: uuid.UUID, run_id: uuid.UUID) -> SyncRun | None:
    """Return a run of this programme as it is now, else None."""
    return session.get(SyncRun, (programme_id, run_id), populate_existing=True)


def history(
    session: Session,
    programme_id: uuid.UUID,
    integration_id: uuid.UUID,
    *,
    limit: int = 50,
    before: uuid.UUID | None = None,
) -> Sequence[SyncRun]:
    """Return the runs of an integration, newest first, without previews; those older than `before`."""
    query = _of(programme_id, integration_id).where(SyncRun.preview.is_(False))
    if before is not None:
        query = query.where(SyncRun.id < before)
    return session.scalars(
        query.order_by(SyncRun.id.desc()).limit(limit).execution_options(populate_existing=True)
    ).all()


def latest_written(session: Session, run: SyncRun) -> SyncRun | None:
    """Return the newest other run of the same integration that was applied, or at least in part."""
    query = _of(run.programme_id, run.integration_id).where(_written(), SyncRun.id != run.id)
    found: SyncRun | None = session.scalar(query.order_by(SyncRun.id.desc()).limit(1))
    return found


def latest_pull(session: Session, run: SyncRun) -> SyncRun | None:
    """Return the newest other run of the same integration that was applied as a whole."""
    query = _of(run.programme_id, run.integration_id).where(
        SyncRun.state == RunState.APPLIED, SyncRun.preview.is_(False), SyncRun.id != run.id
    )
    found: SyncRun | None = session.scalar(query.order_by(SyncRun.id.desc()).limit(1))
    return found


def is_superseded(session: Session, run: SyncRun) -> bool:
    """Tell whether a newer run of the same integration was applied, or at least in part."""
    query = _of(run.programme_id, run.integration_id).where(_written(), SyncRun.id > run.id)
    return session.scalar(query.limit(1)) is not None


def pending_removals(session: Session, run: SyncRun) -> int:
    """Return how many people other runs of the programme are about to take out, which the guard has let pass."""
    query = (
        select(func.count())
        .select_from(SyncLeaver)
        .join(SyncRun, (SyncRun.programme_id == SyncLeaver.programme_id) & (SyncRun.id == SyncLeaver.run_id))
        .where(
            SyncRun.programme_id == run.programme_id,
            SyncRun.id != run.id,
            SyncRun.state == RunState.RUNNING,
            SyncRun.phase != RunPhase.CHECK,
            SyncRun.released_at.is_(None),
            SyncRun.reason.not_in(list(Hold)),
            SyncLeaver.gone.is_(False),
        )
    )
    return session.scalar(query) or 0


def _written() -> ColumnElement[bool]:
    # Of some that are held the leavers alone wait; one that was given up may have written as far as it came.
    return ((SyncRun.state == RunState.APPLIED) | SyncRun.checked_at.is_not(None)) & SyncRun.preview.is_(False)


def _of(programme_id: uuid.UUID, integration_id: uuid.UUID) -> Any:
    return select(SyncRun).where(SyncRun.programme_id == programme_id, SyncRun.integration_id == integration_id)
