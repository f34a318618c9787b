"""Any order of the same rows, cut off anywhere and taken up again: the same people, and each mail once."""

import errno
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, event, func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm.exc import ObjectDeletedError

from rgapp.extensions import db
from rgapp.integrations.sync import runs, stage
from rgapp.integrations.sync.engine import work_on_preview
from rgapp.integrations.sync.forgetting import forget_runs
from rgapp.integrations.sync.lease import LASTS, LASTS_WHILE_ALIVE, LeaseLost, is_held, put_down
from rgapp.integrations.sync.tools import run_folder
from rgapp.models import (
    AuditEvent,
    Base,
    Deactivation,
    FeedRecord,
    OutboxMail,
    RunState,
    SyncLeaver,
    SyncProblem,
    SyncRun,
    User,
)
from rgapp.turnstile import Bell
from tests.conftest import NOW
from tests.integrations.sync.tables import Desk, TableSettings, counts, row

DAY = timedelta(days=1)


class Cut(BaseException):
    """The process dies here."""


@contextmanager
def cut_off(at: int) -> Iterator[list[int]]:
    """Raise at one of the statements or commits to come; yields how many came until now."""
    passed = [0]

    def step(_connection: Any, cursor: Any = None, *_: Any) -> None:
        passed[0] += 1
        if passed[0] == at:
            if isinstance(cursor, psycopg.ServerCursor):
                cursor.close()  # Where a process dies, its cursors die with it.
            raise Cut

    event.listen(db.engine, "before_cursor_execute", step)
    event.listen(db.engine, "commit", step)
    try:
        yield passed
    finally:
        event.remove(db.engine, "before_cursor_execute", step)
        event.remove(db.engine, "commit", step)


def work_through(desk: Desk, cuts: Sequence[int]) -> None:
    """Work on a run that is cut off again and again."""
    for at in cuts:
        try:
            with cut_off(at):
                desk.work()
        except Cut:
            desk.session.rollback()
    desk.work()


def state(desk: Desk) -> dict[str, Any]:
    """Return what the runs made of the people."""
    desk.session.expire_all()
    users = desk.session.scalars(select(User).order_by(User.membership_no)).all()
    names = {user.id: user.membership_no for user in users}
    return {
        "users": [
            (
                user.membership_no,
                user.email,
                user.first_name,
                user.last_name,
                user.date_of_birth,
                user.status,
                user.gaps,
            )
            for user in users
        ],
        "mails": sorted(names[mail.user_id] for mail in desk.session.scalars(select(OutboxMail)) if mail.user_id),
        "events": sorted(
            (names[each.user_id], each.tag) for each in desk.session.scalars(select(AuditEvent)) if each.user_id
        ),
        "deactivations": sorted(names[each.user_id] for each in desk.session.scalars(select(Deactivation))),
        "records": sorted((each.key, each.present) for each in desk.session.scalars(select(FeedRecord))),
        "runs": [
            (run.state, run.reason, counts(run), run.leavers, run.problems)
            for run in desk.session.scalars(select(SyncRun).order_by(SyncRun.id))
        ],
    }


def clear(desk: Desk) -> None:
    """Begin anew: nobody is there."""
    desk.session.rollback()
    for model in (SyncLeaver, SyncProblem, SyncRun, FeedRecord, Deactivation, OutboxMail, AuditEvent, User):
        table: type[Base] = model
        desk.session.execute(delete(table))
    desk.session.commit()
    desk.now = NOW


PERSON = st.tuples(
    st.integers(1, 8),
    st.sampled_from(["Jane", "John", "", "R2D2"]),
    st.sampled_from([None, None, None, 1, 2, 3]),  # Whose address it takes.
)
FILE = st.lists(PERSON, min_size=1, max_size=8, unique_by=lambda person: person[0])


def rows_of(people: Sequence[tuple[int, str, int | None]]) -> list[list[str]]:
    return [
        row(number, first=first, **({"email": f"p{taken}@acme.example"} if taken else {}))
        for number, first, taken in people
    ]


@pytest.mark.parametrize("batch", [1, 3])
@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],  # Shrinking such runs takes minutes.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(FILE, min_size=1, max_size=3), st.data())
def test_any_order_and_any_interruption_end_the_same(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, batch: int, files: list[Any], data: st.DataObject
) -> None:
    monkeypatch.setattr(stage, "BATCH", batch)
    desk.programme.guard_people = 100
    found = []
    for interrupted in (False, True):
        clear(desk)
        for people in files:
            desk.now += DAY
            rows = rows_of(data.draw(st.permutations(people)) if interrupted else people)
            desk.receive(desk.file(*rows))
            cuts = data.draw(st.lists(st.integers(1, 60), max_size=4)) if interrupted else []
            work_through(desk, cuts)
        found.append(state(desk))
    for ended in found:  # The same people in another order are other bytes, so only one of the two may be named so.
        ended["runs"] = [(each[0], each[1].replace("same_file", ""), *each[2:]) for each in ended["runs"]]
    assert found[0] == found[1]


def test_a_run_can_be_cut_off_at_every_single_step(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each file does everything that there is: creates, updates, swaps, passes on, takes out and refuses."""
    monkeypatch.setattr(stage, "BATCH", 4)
    desk.programme.guard_people = 100
    desk.make.staff(desk.programme)
    before = [row(number) for number in range(1, 5)]
    after = [
        row(1, email="p2@acme.example"),
        row(2, email="p1@acme.example"),
        row(3, last="Baker"),
        row(7, email="p4@acme.example"),
        row(8),
        row(9, email="nonsense"),
        row(8),
    ]
    wanted = None
    at = 0
    while True:
        clear(desk)
        desk.send(*before)
        desk.now += DAY
        desk.receive(desk.file(*after))
        cut = True
        try:
            with cut_off(at):
                desk.work()
            cut = False
        except Cut:
            desk.session.rollback()
            desk.work()
        found = state(desk)
        wanted = wanted or found
        assert found == wanted, f"cut off at step {at}"
        assert found["runs"][-1][0] == RunState.APPLIED
        if not cut and at:
            break
        at += 1
    assert at > 40


def test_what_was_staged_is_not_needed_to_go_on(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another machine takes over, or the folder is gone: the file is checked again, and nothing is written twice."""
    monkeypatch.setattr(stage, "BATCH", 2)
    monkeypatch.setattr(stage, "TIMES_WITHOUT_LOCK", 1)
    desk.receive(desk.file(*(row(number) for number in range(1, 9))))

    def third_batch(connection: Connection) -> None:
        if connection.scalar(select(func.count()).select_from(User)) >= 6:
            raise Cut

    event.listen(db.engine, "commit", third_batch)
    with pytest.raises(Cut):
        desk.work()
    event.remove(db.engine, "commit", third_batch)
    desk.session.rollback()
    assert 0 < len(desk.statuses()) < 8
    for path in desk.folder.glob("runs/*/staged-*"):
        path.unlink()
    run = desk.work()
    assert run is not None
    assert (run.state, counts(run)) == (RunState.APPLIED, {"created": 8})
    assert sorted(desk.welcomes()) == [f"p{number}@acme.example" for number in range(1, 9)]


def test_who_comes_while_a_file_is_written_is_met_and_nobody_is_written_twice(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The transaction that meets her has a batch behind it that was good, and is done again as a whole."""
    monkeypatch.setattr(stage, "BATCH", 2)
    monkeypatch.setattr(stage, "TIMES_WITHOUT_LOCK", 1)
    desk.bell = Bell(str(desk.folder / "some.db"))
    desk.receive(desk.file(*(row(number) for number in range(1, 9))))
    checked = stage.Stage.end

    def somebody_comes(staged: stage.Stage) -> None:
        checked(staged)
        desk.make.user(desk.programme, membership_no="P4", email="p4@acme.example")
        desk.session.commit()

    monkeypatch.setattr(stage.Stage, "end", somebody_comes)
    run = desk.work()
    assert run is not None
    assert run.state == RunState.APPLIED
    assert counts(run) == {"created": 7, "updated": 1}
    assert sorted(desk.welcomes()) == [f"p{number}@acme.example" for number in range(1, 9) if number != 4]
    assert desk.records() == {f"P{number}": True for number in range(1, 9)}


def test_a_run_that_ends_every_process_is_given_up_for_the_next(desk: Desk) -> None:
    desk.receive(desk.file(row(1)))
    for _ in range(10):
        with pytest.raises(Cut), cut_off(8):
            desk.work()
        desk.session.rollback()
    run = desk.work()
    assert run is not None
    assert (run.state, run.reason) == (RunState.FAILED, "given_up")
    assert desk.send(row(2)).state == RunState.APPLIED


def test_while_the_disk_is_full_a_run_waits_and_leaves_nothing_behind(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    run = desk.receive(desk.file(row(1)))
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(stage.Stage, "end", full)
        for _ in range(12):
            with pytest.raises(OSError, match="No space left"):
                desk.work()
            assert not run_folder(desk.tools.folder, run.id).exists()
    done = desk.work()
    assert done is not None
    assert (done.id, done.state, counts(done)) == (run.id, RunState.APPLIED, {"created": 1})


def away(*_: Any, **__: Any) -> None:
    raise OperationalError("SELECT 1", {}, Exception("the database is away"))


def test_a_run_that_could_not_be_given_back_is_taken_up_again_at_the_next_look(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = desk.receive(desk.file(row(1)))
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(stage.Stage, "end", away)
        meanwhile.setattr(runs, "let_go", away)
        with pytest.raises(OperationalError):
            desk.work()
    desk.session.rollback()
    assert run.lease is not None
    assert runs.waiting(desk.session, now=desk.now) == [(desk.programme.id, desk.integration.id)]
    done = desk.work()
    assert done is not None
    assert (done.id, done.state, counts(done)) == (run.id, RunState.APPLIED, {"created": 1})


def test_nobody_takes_a_run_on_which_this_process_works(desk: Desk) -> None:
    desk.receive(desk.file(row(1)))
    claimed = runs.claim(desk.session, desk.programme.id, desk.integration.id, now=desk.now)
    assert claimed is not None
    assert runs.claim(desk.session, desk.programme.id, desk.integration.id, now=desk.now + 2 * LASTS) is None
    assert runs.waiting(desk.session, now=desk.now + 2 * LASTS) == []
    put_down(claimed[1].token)


def test_another_process_that_is_there_is_left_alone_for_some_minutes(desk: Desk) -> None:
    run = desk.receive(desk.file(row(1)))
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        started = Path(f"/proc/{other.pid}/stat").read_text().rpartition(")")[2].split()[19]
        run.lease = f"{socket.gethostname()[:100]}:{other.pid}:{started}:token"
        run.lease_until = desk.now + LASTS
        assert is_held(run, desk.now + 2 * LASTS)
        assert not is_held(run, desk.now + LASTS_WHILE_ALIVE)
        other.communicate(b"\n")
    assert not is_held(run, desk.now)


def test_who_works_on_a_preview_that_is_forgotten_leaves_nothing_behind(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = desk.send(row(1))
    run = desk.receive(desk.file(row(1)), preview_of=TableSettings().model_dump())
    run_id = run.id
    end = stage.Stage.end

    def forgotten(of: stage.Stage) -> None:
        end(of)
        forget_runs(desk.session, desk.integration, previews=True)
        desk.session.commit()

    monkeypatch.setattr(stage.Stage, "end", forgotten)
    with pytest.raises((LeaseLost, ObjectDeletedError)):
        work_on_preview(desk.session, desk.programme.id, run_id, desk.tools)
    assert not run_folder(desk.tools.folder, run_id).exists()
    assert [each.id for each in desk.session.scalars(select(SyncRun))] == [published.id]
