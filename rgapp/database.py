"""How transactions begin on SQLite: write-ahead log, and writers that queue instead of failing half-way."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from flask import Flask, request
from sqlalchemy import Connection, Dialect, event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from rgapp.extensions import db
from rgapp.turnstile import QueuedConnection

BUSY_TIMEOUT_MS = 15_000
# The log of SQLite's writes grows to 64 MB, not 4, before its pages go into the file. Most of them are the same few,
# the ends of indexes, and are copied once instead of four times.
PAGES_IN_LOG = 16_000
# A transaction that reads first and writes later fails at once on SQLite when somebody wrote in between. So whatever
# may write takes the write lock when it begins; only requests with a safe method read without it.
_reads_only: ContextVar[bool] = ContextVar("reads_only", default=False)


def init_app(app: Flask) -> None:
    """Install the connection and transaction hooks, and mark requests with a safe method as reading."""

    @app.before_request
    def choose_transaction() -> None:
        _reads_only.set(request.method in {"GET", "HEAD", "OPTIONS"})

    @app.teardown_request
    def forget_choice(_: BaseException | None) -> None:
        _reads_only.set(False)


@contextmanager
def writing() -> Iterator[None]:
    """Let a request with a safe method write: what it read so far ends, and a writing transaction may begin."""
    db.session.commit()
    token = _reads_only.set(False)
    try:
        yield
        db.session.commit()
    finally:
        _reads_only.reset(token)


@contextmanager
def reading() -> Iterator[None]:
    """Let code outside a request read without the write lock; a write inside fails."""
    token = _reads_only.set(True)
    try:
        yield
    finally:
        _reads_only.reset(token)


def end_reading(session: Session) -> None:
    """Let a transaction that has only read so far go on as one that writes.

    On SQLite that is another transaction, which takes the lock when it begins. On PostgreSQL it is the same one: it
    holds no lock that anybody waits for, and beginning another would only take two more trips to the server.
    """
    if session.get_bind().dialect.name == "sqlite":
        session.commit()


def pause_reading(session: Session) -> None:
    """Do as `end_reading` does, for less: nothing may be asked of the session before `go_on_writing`."""
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        driver: Any = connection.connection.driver_connection
        driver.commit()


def go_on_writing(session: Session) -> None:
    """Go on after `pause_reading` with a transaction that writes; on SQLite it takes the lock now."""
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        _begin(connection, "BEGIN IMMEDIATE")


def begin_writing() -> None:
    """Let a request with a safe method write from here on: what it read so far ends."""
    db.session.commit()
    _reads_only.set(False)


@contextmanager
def without_lock() -> Iterator[None]:
    """Let a request that may write do slow work first: it reads, and holds nobody up meanwhile."""
    db.session.commit()
    with reading():
        yield
        db.session.commit()


@event.listens_for(Engine, "connect")
def _prepare_sqlite(connection: Any, _: Any) -> None:
    if not isinstance(connection, sqlite3.Connection):
        return
    connection.isolation_level = None  # We begin transactions ourselves, below.
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute(f"PRAGMA wal_autocheckpoint = {PAGES_IN_LOG}")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


@event.listens_for(Engine, "begin")
def _begin_sqlite(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        _begin(connection, "BEGIN" if _reads_only.get() else "BEGIN IMMEDIATE")


def _begin(connection: Connection, how: str) -> None:
    driver: Any = connection.connection.driver_connection
    try:
        if how == "BEGIN":
            driver.execute(how)
        else:
            driver.begin_writing()
    except sqlite3.OperationalError as error:
        raise OperationalError(how, None, error) from error


@event.listens_for(Engine, "do_connect")
def _queue_on_sqlite(dialect: Dialect, _: Any, __: list[Any], options: dict[str, Any]) -> None:
    if dialect.name == "sqlite":
        options["factory"] = QueuedConnection
