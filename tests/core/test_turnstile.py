"""The queue of those who write to one SQLite file: in order, with an end to waiting, and never left shut."""

import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Event

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from rgapp.extensions import db
from rgapp.turnstile import COURTESY_SECONDS, Bell, QueuedConnection, Turnstile, bell_of, patiently
from tests.factories import Factory

LONG = 30.0


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a file with one table."""
    with closing(sqlite3.connect(tmp_path / "some.db")) as made:
        made.execute("CREATE TABLE notes (text)")
    return tmp_path / "some.db"


@pytest.fixture
def one(file: Path) -> Iterator[QueuedConnection]:
    """Return a connection that writes now."""
    with closing(opened(file)) as connection:
        connection.begin_writing()
        yield connection


def opened(file: Path) -> QueuedConnection:
    connection = QueuedConnection(str(file), isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA busy_timeout = 50")
    return connection


def may_write(file: Path) -> bool:
    with closing(opened(file)) as connection:
        try:
            connection.begin_writing()
        except sqlite3.OperationalError:
            return False
        return True


def test_who_waits_longest_is_next() -> None:
    turnstile, served = Turnstile(), list[int]()
    assert turnstile.acquire(0)

    def wait(number: int, in_line: Event) -> None:
        in_line.set()
        assert turnstile.acquire(LONG)
        served.append(number)
        turnstile.release()

    with ThreadPoolExecutor(5) as pool:
        waiting: list[Future[None]] = []
        for number in range(5):
            in_line = Event()
            waiting.append(pool.submit(wait, number, in_line))
            assert in_line.wait(LONG)
            while len(turnstile._queue) <= number:
                pass
        turnstile.release()
        for each in waiting:
            each.result(LONG)
    assert served == [0, 1, 2, 3, 4]


def test_who_gives_up_is_not_served_later() -> None:
    turnstile = Turnstile()
    assert turnstile.acquire(0)
    assert not turnstile.acquire(0)
    assert not turnstile.acquire(0.01)
    turnstile.release()
    assert turnstile.acquire(0)


@pytest.mark.parametrize("in_this_moment", [False, True])
def test_who_is_interrupted_while_waiting_leaves_the_queue(
    monkeypatch: pytest.MonkeyPatch, in_this_moment: bool
) -> None:
    turnstile = Turnstile()
    assert turnstile.acquire(0)

    class Interrupted:
        """A place in the queue at which somebody presses Ctrl-C, perhaps just when it is their turn."""

        def acquire(self, timeout: float | None = None) -> bool:
            if timeout is None:
                return True
            if in_this_moment:
                turnstile.release()
            raise KeyboardInterrupt

        def release(self) -> None:
            pass

    monkeypatch.setattr("rgapp.turnstile.Lock", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        turnstile.acquire(LONG)
    if not in_this_moment:
        turnstile.release()
    assert turnstile.acquire(0)


@pytest.mark.parametrize("end", ["commit", "rollback", "close"])
def test_the_end_of_a_transaction_lets_the_next_one_in(one: QueuedConnection, file: Path, end: str) -> None:
    one.execute("INSERT INTO notes VALUES ('x')")
    assert not may_write(file)
    getattr(one, end)()
    assert may_write(file)


def test_a_transaction_that_could_not_begin_stands_in_nobodys_way(file: Path) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert not may_write(file)
        other.rollback()
    assert may_write(file)


def test_other_files_have_other_queues(one: QueuedConnection, tmp_path: Path) -> None:
    assert may_write(tmp_path / "another.db")


@pytest.mark.sqlite
def test_two_sessions_of_one_thread_wait_for_each_other_only_so_long(
    app: Flask, make: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.programme("acme")
    monkeypatch.setattr(QueuedConnection, "_patience", lambda _: 0.05)
    with Session(db.engine) as other:
        with pytest.raises(OperationalError, match="locked"):
            other.execute(text("UPDATE programmes SET name = 'Other'"))
        other.rollback()
        make.session.commit()
        other.execute(text("UPDATE programmes SET name = 'Other'"))
        other.commit()


@pytest.mark.sqlite
def test_a_connection_that_is_given_up_lets_the_next_one_in(app: Flask, make: Factory) -> None:
    make.programme("acme")
    make.session.connection().invalidate()
    make.session.rollback()
    with Session(db.engine) as other:
        other.execute(text("UPDATE programmes SET name = 'Other'"))
        other.commit()


def test_who_waits_for_the_lock_is_heard_until_it_is_had(file: Path, one: QueuedConnection) -> None:
    """A process that writes much ends its transaction then."""
    bell, done = Bell(str(file)), Event()
    assert not bell.rings()

    def write() -> None:
        with closing(opened(file)) as other:
            other.execute(f"PRAGMA busy_timeout = {int(LONG * 1000)}")
            other.begin_writing()
            done.wait(LONG)
            other.rollback()

    with ThreadPoolExecutor() as pool:
        writing = pool.submit(write)
        while not bell.rings():
            assert not writing.done()
        one.rollback()
        bell.make_way()
        assert not bell.rings()
        done.set()
        writing.result(LONG)


def test_who_is_patient_is_let_in_and_does_not_hurry_anybody(file: Path) -> None:
    """A load makes way for the mails that it causes, but does not cut its transactions short for them."""
    mailer, bell = Bell(str(file)), Bell(str(file))
    with patiently():
        mailer.ring()
    assert not bell.rings()
    started = time.monotonic()
    bell.make_way()
    assert time.monotonic() - started >= COURTESY_SECONDS
    mailer.rest()
    started = time.monotonic()
    bell.make_way()
    assert time.monotonic() - started < COURTESY_SECONDS


def test_nobody_is_waited_for_long(file: Path) -> None:
    stuck, bell = Bell(str(file)), Bell(str(file))
    stuck.ring()
    started = time.monotonic()
    bell.make_way()
    assert time.monotonic() - started >= COURTESY_SECONDS
    stuck.close()
    assert not bell.rings(), "what held the lock is gone with its file"


def test_a_database_in_no_file_has_no_bell(tmp_path: Path) -> None:
    assert bell_of(None) is None
    assert bell_of(":memory:") is None
    assert bell_of(str(tmp_path / "nowhere" / "some.db")) is None
