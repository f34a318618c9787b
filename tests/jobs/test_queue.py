"""The queue: where it lives, what wakes the mailer, what expires, and the worker as a real process."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest
from flask import Flask
from huey import MemoryHuey, SqliteHuey
from sqlalchemy import func, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from rgapp.auth.users import open_session
from rgapp.extensions import db
from rgapp.jobs import tasks
from rgapp.jobs.logs import LOGGERS
from rgapp.jobs.queue import make_queue
from rgapp.jobs.waker import Waker
from rgapp.mail.outbox import WAITING_MAIL
from rgapp.models import MailStatus, OutboxMail, StaffSession, UserLink, UserSession
from tests.conftest import ENVIRONMENT, NOW
from tests.factories import Factory

ROOT = Path(__file__).parents[2]


def test_the_address_chooses_the_queue(tmp_path: Path) -> None:
    assert isinstance(make_queue(f"sqlite:///{tmp_path / 'queue.db'}"), SqliteHuey)
    assert isinstance(make_queue("memory:"), MemoryHuey)
    assert isinstance(make_queue("redis://x", immediate=True), MemoryHuey)
    with pytest.raises(ValueError, match="no queue we know: 'carrier'"):
        make_queue("carrier://pigeon")


def test_every_scheduled_task_runs(app: Flask, make: Factory) -> None:
    """Each task by its own name, as the worker calls it, on an empty programme."""
    make.programme("acme")
    make.session.commit()
    app.config["MAIL_FOLDER"] = str(Path(app.instance_path) / "mail")
    registry = app.extensions["queue"]._registry
    names = sorted(type(task).__name__ for task in registry.periodic_tasks)
    assert names == [
        "certificate_alerts",
        "delete_expired",
        "look_for_runs",
        "refresh_metadata",
        "send_mails_each_minute",
        "silence_alerts",
        "token_alerts",
    ]
    for task in registry.periodic_tasks:
        task.execute()
    app.extensions["send_mails"].call_local()


def test_mail_wakes_the_mailer_once_the_transaction_is_committed(app: Flask, make: Factory) -> None:
    woken: list[int] = []
    app.extensions["waker"] = SimpleNamespace(wake=lambda: woken.append(1))
    app.config["TESTING"] = False
    programme = make.programme("acme")
    make.session.commit()
    make.user(programme, welcome_email=True)
    assert (woken, make.session.info.get(WAITING_MAIL)) == ([], True)
    make.session.commit()
    make.session.commit()
    assert woken == [1]
    make.user(programme, welcome_email=True)
    make.session.rollback()
    make.session.commit()
    assert woken == [1]


def timers() -> list[threading.Timer]:
    """Return the wakers' timers that run."""
    return [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]


def run_timers() -> None:
    """Wait until every timer has run."""
    for timer in timers():
        timer.join(30)


def test_many_commits_of_a_moment_ask_for_one_delivery() -> None:
    asked: list[int] = []
    waker = Waker(lambda: asked.append(1), delay=0.05)
    for _ in range(50):
        waker.wake()
    assert len(timers()) == 1
    run_timers()
    assert asked == [1]


def test_a_commit_while_a_delivery_is_asked_for_asks_again() -> None:
    """The worker may have looked already when that mail was committed."""
    asked: list[int] = []

    def ask() -> None:
        asked.append(1)
        if len(asked) == 1:
            waker.wake()

    waker = Waker(ask, delay=0.0)
    waker.wake()
    run_timers()
    run_timers()
    assert asked == [1, 1]


def test_a_queue_that_hangs_holds_up_no_commit() -> None:
    reached, released = threading.Event(), threading.Event()

    def hang() -> None:
        reached.set()
        assert released.wait(30)

    waker = Waker(hang, delay=0.0)
    waker.wake()
    assert reached.wait(30)
    waker.wake()  # Returns although the queue hangs.
    released.set()
    run_timers()


def test_a_queue_that_is_away_loses_no_mail(app: Flask, make: Factory, caplog: pytest.LogCaptureFixture) -> None:
    def away() -> None:
        raise ConnectionError

    app.extensions["send_mails"] = away
    app.config["TESTING"] = False
    make.user(make.programme("acme"), welcome_email=True)
    make.session.commit()
    run_timers()
    assert "mailer not woken" in caplog.text
    assert "Traceback" not in caplog.text
    assert make.session.scalar(select(func.count()).select_from(OutboxMail)) == 1


@pytest.mark.parametrize("address", ["redis://127.0.0.1:1/0", "postgresql://rgapp@127.0.0.1:1/queue"])
def test_the_application_starts_although_the_queue_is_away(make_app: Callable[..., Flask], address: str) -> None:
    app = make_app(RGAPP_ENV="development", RGAPP_QUEUE_URL=address)
    answer = app.test_client().get("/readyz")
    assert (answer.status_code, answer.text) == (503, "not ready: queue\n")


@pytest.mark.parametrize("logger", LOGGERS)
def test_the_worker_says_in_one_line_without_values_that_a_server_is_away(
    app: Flask, caplog: pytest.LogCaptureFixture, logger: str
) -> None:
    make_queue(f"sqlite:///{app.instance_path}/queue.db").create_consumer()
    away = OperationalError("UPDATE", {}, psycopg.OperationalError("jane@acme.example"))
    for error in (away, RuntimeError("a mistake of ours")):
        try:
            raise error
        except Exception:
            logging.getLogger(logger).exception("Task %s failed.", 7)
    short, long = caplog.records
    assert (short.getMessage(), short.exc_info) == ("Task 7 failed. OperationalError", None)
    assert long.exc_info is not None
    assert "jane" not in caplog.text


def test_what_has_expired_is_deleted_and_nothing_else(session: Session, make: Factory) -> None:
    programme = make.programme("acme")
    user = make.user(programme)
    make.staff_session(make.staff(programme))
    for hours in (0, 12):
        open_session(session, programme.id, user.id, user_agent="", now=NOW + timedelta(hours=hours))
    for token, expires in (("a" * 64, NOW), ("b" * 64, NOW + timedelta(days=30))):
        link = UserLink(programme_id=programme.id, token_hash=token, user_id=user.id, created_at=NOW)
        link.expires_at = expires
        session.add(link)
    session.commit()
    now = NOW + timedelta(hours=13, minutes=1)
    assert [tasks.delete_expired(session, now=now) for _ in range(2)] == [3, 0]
    assert len(session.scalars(select(UserSession)).all()) == 1
    assert session.scalars(select(StaffSession)).all() == []
    assert [link.token_hash for link in session.scalars(select(UserLink))] == ["b" * 64]


@pytest.fixture
def worker(app: Flask, make: Factory) -> Callable[[], "subprocess.Popen[str]"]:
    """Return a function that starts the real worker on the test's database."""

    def start() -> "subprocess.Popen[str]":
        environment = ENVIRONMENT | {"INSTANCE": app.instance_path, "PATH": os.environ["PATH"]}
        environment["RGAPP_ENV"] = "development"
        environment["RGAPP_DATABASE_URL"] = app.config["SQLALCHEMY_DATABASE_URI"]
        return subprocess.Popen(
            [sys.executable, "-m", "flask", "worker", "--workers", "1"],
            cwd=ROOT,
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def test_the_worker_delivers_and_ends_when_it_is_told_to(
    app: Flask, make: Factory, worker: Callable[[], "subprocess.Popen[str]"]
) -> None:
    make.user(make.programme("acme"), welcome_email=True)
    make.session.commit()
    process = worker()
    try:
        queue = make_queue(f"sqlite:///{Path(app.instance_path) / 'queue.db'}")
        ask = queue.task(retries=0, name="send_mails")(lambda: None)
        ask()
        deadline = time.monotonic() + 60
        while _status(make.session) != MailStatus.SENT:
            assert process.poll() is None, process.stderr and process.stderr.read()
            assert time.monotonic() < deadline, "the worker delivered nothing"
            time.sleep(0.1)  # Another process works; there is nothing to wait on but the outcome.
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        process.communicate()
    assert len(list((Path(app.instance_path) / "mail").glob("*.eml"))) == 1


def _status(session: Session) -> str | None:
    session.rollback()
    with db.engine.connect() as connection:
        found = connection.execute(text("SELECT status FROM outbox_mails")).scalar()
        connection.rollback()
    return found
