"""What is handed out of runs: their list as data, and the problems of one as CSV."""

import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from rgapp.models import SyncLeaver, SyncProblem, SyncRun
from rgapp.spreadsheets import BYTE_ORDER_MARK, csv_text
from rgapp.wording_sync import problem_words, reason_words

COUNTERS: Final = ("created", "updated", "unchanged", "reactivated", "deactivated", "refused", "warnings")
HEADER: Final = ("Row", "Refused", "Column", "Value", "Membership No.", "Reason")
AT_ONCE: Final = 1_000


def as_data(run: SyncRun) -> dict[str, Any]:
    """Return a run as `sync list --json` gives it; part of the public interface."""
    return {
        "id": str(run.id),
        "state": str(run.state),
        "file": run.file or None,
        "received": _time(run.received_at),
        "started": _time(run.started_at),
        "finished": _time(run.finished_at),
        **{name: getattr(run, name) for name in COUNTERS},
        "reason": reason_words(run.reason, run.facts) if run.reason else None,
    }


def problems_as_csv(session: Session, programme_id: uuid.UUID, run_id: uuid.UUID) -> Iterator[str]:
    """Yield the problems of a run as CSV, safe to open in a spreadsheet, a part at a time."""
    yield BYTE_ORDER_MARK + csv_text([HEADER])
    for found in _problems(session, programme_id, run_id):
        yield csv_text(
            (
                each.row_number or "",
                "yes" if each.refused else "no",
                each.column_name,
                each.cell,
                each.membership_no,
                problem_words(each.code, each.facts, each.column_name),
            )
            for each in found
        )


def problems(session: Session, programme_id: uuid.UUID, run_id: uuid.UUID, *, limit: int = 50) -> list[SyncProblem]:
    """Return the first problems of a run: refused rows, then warnings, each in order."""
    query = select(SyncProblem).where(SyncProblem.programme_id == programme_id, SyncProblem.run_id == run_id)
    return list(session.scalars(query.order_by(SyncProblem.refused.desc(), SyncProblem.number).limit(limit)))


def leavers(session: Session, programme_id: uuid.UUID, run_id: uuid.UUID, *, limit: int = 50) -> list[SyncLeaver]:
    """Return the first of those whom a run would take out or took out."""
    query = select(SyncLeaver).where(SyncLeaver.programme_id == programme_id, SyncLeaver.run_id == run_id)
    return list(session.scalars(query.order_by(SyncLeaver.key).limit(limit)))


def _problems(session: Session, programme_id: uuid.UUID, run_id: uuid.UUID) -> Iterator[list[SyncProblem]]:
    last = 0
    query = select(SyncProblem).where(SyncProblem.programme_id == programme_id, SyncProblem.run_id == run_id)
    while found := list(
        session.scalars(query.where(SyncProblem.number > last).order_by(SyncProblem.number).limit(AT_ONCE))
    ):
        last = found[-1].number
        yield found
        session.expunge_all()


def _time(value: datetime | None) -> str | None:
    return value.isoformat() if value else None
