"""How a run ends: applied, held or failed, each with its event, and a mail to the admins where they should look."""

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.orm import Session

from rgapp.audit import Tag, record_event
from rgapp.audit.service import SYSTEM
from rgapp.integrations.sync.holds import Hold
from rgapp.integrations.sync.lease import Lease
from rgapp.integrations.sync.runs import latest_written
from rgapp.integrations.sync.work import Counts, Work
from rgapp.mail.outbox import MailKind, put_for_admins
from rgapp.models import Integration, RunState, SyncRun
from rgapp.wording_sync import reason_words

# What the other side says, or does not say, for a while; the pull is tried again within the hour.
PASSES: Final = frozenset(
    {"later", "busy", "unavailable", "unreachable", "timeout", "moving", "status", "unknown_host"}
)
PATIENCE: Final = timedelta(hours=30)
COUNTED: Final = ("created", "updated", "reactivated", "deactivated", "refused")


def is_hold(reason: str) -> bool:
    """Tell whether a run has this reason because it is held."""
    return reason in set(Hold)


def finish(work: Work, state: RunState, *, reason: str, facts: dict[str, Any]) -> None:
    """End a run that was gone through. Commits."""
    _end(work, state, reason, facts)
    if not work.preview:
        counts = work.counts
        _record(work, Tag.SYNC_APPLIED, {name: getattr(counts, name) for name in COUNTED})
        if counts.refused:
            _tell(work.session, work.lease, RunState.APPLIED, reason, facts, counts, work.actor.label, work.clock())
    work.session.commit()
    work.said()


def hold(work: Work, reason: str, facts: dict[str, Any]) -> None:
    """Hold a run until an admin has looked. Commits."""
    _end(work, RunState.HELD, reason, facts)
    counts = work.counts
    _record(work, Tag.SYNC_HELD, {"reason": str(reason), "leavers": counts.leavers, "refused": counts.refused})
    _tell(work.session, work.lease, RunState.HELD, reason, facts, counts, work.actor.label, work.clock())
    work.session.commit()
    work.said()


def hold_again(session: Session, lease: Lease, *, now: datetime) -> None:
    """Put a released run back where a newer one was applied before its turn: it can only be discarded. Commits.

    Raises `LeaseLost`.
    """
    lease.keep(session, now, state=RunState.HELD, finished_at=now, released_at=None, release_asked_at=None)
    run = session.get_one(SyncRun, (lease.programme_id, lease.run_id), populate_existing=True)
    run.lease = run.lease_until = run.release_asked_by = None
    run.settled_by = ""
    session.commit()


def fail(session: Session, lease: Lease, reason: str, facts: dict[str, Any], *, now: datetime) -> None:
    """End a run that could not be read. Commits.

    Raises `LeaseLost`.
    """
    session.rollback()
    lease.keep(session, now, state=RunState.FAILED, reason=reason, facts=facts, finished_at=now)
    run = session.get_one(SyncRun, (lease.programme_id, lease.run_id), populate_existing=True)
    run.lease = run.lease_until = None
    if not run.preview:
        integration = session.get_one(Integration, (run.programme_id, run.integration_id))
        name = integration.live_name or integration.name
        told = {"name": name, "run": str(run.id), "file": run.file, "reason": facts.get("cause", reason)}
        record_event(
            session,
            Tag.SYNC_FAILED,
            SYSTEM,
            now=now,
            programme_id=run.programme_id,
            integration_id=run.integration_id,
            facts=told,
        )
        if run.path is not None:
            _tell(session, lease, RunState.FAILED, reason, facts, Counts(), name, now)
        elif not _may_pass(session, run, facts, now):
            # A pull fails again and again until somebody has seen to it: one mail a day says so.
            once_key = f"pull:{integration.id.hex}:{facts.get('code', reason)}:{now:%Y%m%d}"
            _tell(session, lease, RunState.FAILED, reason, facts, Counts(), name, now, once_key=once_key)
    session.commit()


def _may_pass(session: Session, run: SyncRun, facts: dict[str, Any], now: datetime) -> bool:
    """Tell whether a pull failed for what mostly passes by itself, while the last one was applied not long ago."""
    if facts.get("code") not in PASSES:
        return False
    earlier = latest_written(session, run)
    return earlier is not None and now - (earlier.finished_at or earlier.received_at) < PATIENCE


def _end(work: Work, state: RunState, reason: str, facts: dict[str, Any]) -> None:
    now = work.clock()
    work.counts.share = 100
    work.counts.phase = ""
    work.keep(state=state, reason=reason, facts=facts, finished_at=now)
    run = work.session.get_one(SyncRun, (work.programme_id, work.lease.run_id), populate_existing=True)
    run.lease = run.lease_until = None
    if not work.preview:
        integration = work.session.get_one(Integration, (run.programme_id, run.integration_id))
        integration.last_activity_at = now


def _record(work: Work, tag: Tag, facts: dict[str, Any]) -> None:
    run = work.session.get_one(SyncRun, (work.programme_id, work.lease.run_id))
    record_event(
        work.session,
        tag,
        work.actor,
        now=work.clock(),
        programme_id=run.programme_id,
        integration_id=run.integration_id,
        facts={"name": work.actor.label, "run": str(run.id), "file": run.file, **facts},
    )


def _tell(
    session: Session,
    lease: Lease,
    state: RunState,
    reason: str,
    facts: dict[str, Any],
    counts: Counts,
    name: str,
    now: datetime,
    *,
    once_key: str = "",
) -> None:
    """Write one mail to each admin about a run; when a released one is held or has errors again, another one."""
    run = session.get_one(SyncRun, (lease.programme_id, lease.run_id))
    data = {
        "integration_name": name,
        "integration_id": str(run.integration_id),
        "run_id": str(run.id),
        "file": run.file,
        "state": state.value,
        "reason": str(reason),
        "sentence": reason_words(reason, facts) if reason else "",
        "rows": counts.row_count,
        "refused": counts.refused,
        "leavers": counts.leavers,
        "created": counts.created,
        "updated": counts.updated,
    }
    put_for_admins(
        session,
        MailKind.SYNC_RUN,
        programme_id=run.programme_id,
        once_key=once_key or f"run:{run.id.hex}:{state.value}",
        now=now,
        data=data,
    )
