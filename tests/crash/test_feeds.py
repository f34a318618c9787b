"""A worker killed at any point of a run: the next one brings it to its end, and each person's mail is written once."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, func, select

from rgapp.clock import utcnow
from rgapp.extensions import db
from rgapp.integrations.registry import KINDS
from rgapp.integrations.sync import runs
from rgapp.models import AuditEvent, FeedRecord, Integration, MailStatus, OutboxMail, Programme, RunState, SyncRun, User
from tests.conftest import NOW
from tests.crash import faults
from tests.crash.house import House, wait_until
from tests.factories import Factory
from tests.integrations.sync.tables import HEADER, KIND, TableKind, TableSettings, row

PEOPLE = 2_300  # More than one step writes, wherever.
RUN = r"UPDATE sync_runs\b"
# When it dies, and how often it passes the point before. A COMMIT counts where its transaction wrote to the run.
POINTS = {
    "after the run was taken up": ("after", "COMMIT", 0),
    "after the check began": ("after", "COMMIT", 1),
    "before the check ends": ("before", "COMMIT", 3),
    "after the check": ("after", "COMMIT", 3),
    "before the first batch is committed": ("before", "COMMIT", 4),
    "after the first batch": ("after", "COMMIT", 4),
    "in the middle of a batch": ("before", RUN, 5),
    "late": ("before", "COMMIT", 6),
}


@pytest.fixture
def table(home: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return a way to send a table of people whose numbers begin with a word."""
    monkeypatch.setitem(KINDS, KIND, TableKind())

    def send(word: str) -> tuple[Any, Any]:
        path = home.folder / f"{word}.csv"
        people = [row(f"{word}{number}") for number in range(PEOPLE)]
        path.write_text("\n".join(",".join(cells) for cells in [HEADER, *people]) + "\n")
        with home.app.app_context():
            session = db.session()
            make = Factory(session, NOW)
            programme = session.scalars(select(Programme)).one()
            made: Integration = make.integration(
                programme, TableSettings().model_dump(), name=word, kind=KIND, provider=KIND
            )
            run = runs.receive(session, made, now=utcnow(), path=Path(path))
            session.info.clear()
            session.commit()
            db.engine.dispose()
            return run.id, (str(made.programme_id), str(made.id))

    yield send
    with home.session() as session:  # Thousands of mails would go before those of the next tests.
        session.execute(delete(OutboxMail).where(OutboxMail.status == MailStatus.WAITING))
        session.commit()


@pytest.mark.parametrize("point", POINTS)
def test_a_worker_that_dies_leaves_a_run_that_the_next_one_ends(home: House, table: Any, point: str) -> None:
    word = f"K{list(POINTS).index(point)}X"
    run_id, place = table(word)
    when, what, skip = POINTS[point]
    faults.arm(home.fuse, when, what, skip=skip, since=RUN if what == "COMMIT" else "")
    home.app.extensions["process_runs"](*place)
    assert home.ended("worker") == -signal.SIGKILL
    home.start_worker()
    home.app.extensions["process_runs"](*place)

    def ended() -> bool:
        with home.session() as session:
            return session.scalar(select(SyncRun.state).where(SyncRun.id == run_id)) == RunState.APPLIED

    wait_until("the run ends", ended)
    with home.session() as session:
        run = session.scalars(select(SyncRun).where(SyncRun.id == run_id)).one()
        assert (run.created, run.unchanged, run.refused) == (PEOPLE, 0, 0)
        ids = select(User.id).where(User.membership_no.startswith(word))

        def count(model: Any, *where: Any) -> int:
            return session.scalar(select(func.count()).select_from(model).where(*where)) or 0

        assert count(User, User.membership_no.startswith(word)) == PEOPLE
        assert count(AuditEvent, AuditEvent.user_id.in_(ids), AuditEvent.tag == "user:created") == PEOPLE
        assert count(OutboxMail, OutboxMail.user_id.in_(ids)) == PEOPLE
        assert count(FeedRecord, FeedRecord.user_id.in_(ids)) == PEOPLE
