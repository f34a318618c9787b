"""What an admin decides about a held run: to release it, with a second person where one is wanted, or to discard it."""

from datetime import datetime
from enum import StrEnum
from pathlib import Path

from sqlalchemy.orm import Session

from rgapp.audit import Actor, Tag, record_event
from rgapp.integrations.sync import runs
from rgapp.integrations.sync.holds import DISCARD_ONLY
from rgapp.models import Integration, Programme, RunPhase, RunState, SyncRun


class Obstacle(StrEnum):
    """Why a run cannot be released or discarded."""

    NOT_HELD = "not_held"
    SUPERSEDED = "superseded"
    FILE_GONE = "file_gone"
    NOTHING_TO_APPLY = "nothing_to_apply"
    SAME_PERSON = "same_person"


class CannotSettle(ValueError):
    """The run cannot be settled this way."""

    def __init__(self, obstacle: Obstacle) -> None:
        super().__init__(obstacle)
        self.obstacle = obstacle


class Settled(StrEnum):
    """What came of asking to release a run."""

    RELEASED = "released"
    NEEDS_SECOND_PERSON = "needs_second_person"


def obstacle_to_release(session: Session, run: SyncRun) -> Obstacle | None:
    """Return why a run cannot be released, whoever asks."""
    if run.state != RunState.HELD or run.preview:
        return Obstacle.NOT_HELD
    if runs.is_superseded(session, run):
        return Obstacle.SUPERSEDED
    if run.reason in DISCARD_ONLY:
        return Obstacle.NOTHING_TO_APPLY
    if run.path and not Path(run.path).is_file():
        return Obstacle.FILE_GONE
    return None


def release(session: Session, run: SyncRun, actor: Actor, *, now: datetime) -> Settled:
    """Let a held run be applied as it is, at its turn; flushes, and once the caller has committed the queue is woken.

    Where the programme wants a second person, the first one only asks. Raises `CannotSettle`.
    """
    session.refresh(run, with_for_update=True)
    obstacle = obstacle_to_release(session, run)
    if obstacle is not None:
        raise CannotSettle(obstacle)
    programme = session.get_one(Programme, run.programme_id)
    if programme.guard_second_person:
        if run.release_asked_at is None:
            run.release_asked_by, run.release_asked_at = actor.id, now
            _record(session, run, Tag.SYNC_RELEASE_ASKED, actor, now)
            return Settled.NEEDS_SECOND_PERSON
        if run.release_asked_by == actor.id:
            raise CannotSettle(Obstacle.SAME_PERSON)
    run.state, run.phase, run.released_at, run.settled_by = RunState.RECEIVED, RunPhase.CHECK, now, actor.label
    run.finished_at = None
    run.tries = 0
    _record(session, run, Tag.SYNC_RELEASED, actor, now)
    runs.wake(session, run)
    return Settled.RELEASED


def discard(session: Session, run: SyncRun, actor: Actor, *, now: datetime) -> None:
    """Put a held run away: nothing of it is applied any more. Flushes.

    Raises `CannotSettle`.
    """
    session.refresh(run, with_for_update=True)
    if run.state != RunState.HELD or run.preview:
        raise CannotSettle(Obstacle.NOT_HELD)
    run.state, run.settled_by, run.finished_at = RunState.DISCARDED, actor.label, now
    _record(session, run, Tag.SYNC_DISCARDED, actor, now)


def _record(session: Session, run: SyncRun, tag: Tag, actor: Actor, now: datetime) -> None:
    integration = session.get_one(Integration, (run.programme_id, run.integration_id))
    record_event(
        session,
        tag,
        actor,
        now=now,
        programme_id=run.programme_id,
        integration_id=run.integration_id,
        facts={
            "name": integration.live_name or integration.name,
            "run": str(run.id),
            "file": run.file,
            "leavers": run.leavers,
        },
    )
    session.flush()
