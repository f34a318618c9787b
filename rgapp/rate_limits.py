"""Where rate limits are counted: one table for all web processes, so that nothing else has to run beside them."""

import hashlib
import logging
import os
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from limits.storage import MemoryStorage, Storage
from sqlalchemy import Connection, Engine, Table, case, create_engine, delete, event, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import CreateIndex, CreateTable

from rgapp.clock import utcnow
from rgapp.models import RateLimit

logger = logging.getLogger(__name__)
T = TypeVar("T")
TABLE: Table = RateLimit.__table__  # type: ignore[assignment]  # It is declared as any FromClause.
BUSY_TIMEOUT_MS = 500
REST_SECONDS = 5.0


class SQLStorage(Storage):
    """Counts in SQL: on PostgreSQL in the application's database, on SQLite in a file of its own.

    Each count is one statement that adds and returns, on a connection of its own which commits at once: it neither
    waits for a request's transaction nor holds one up, and no two processes read the same count. While the database
    does not answer within half a second, each process counts in its own memory and asks again after five seconds:
    who guesses then has as many tries as there are processes, but never as many as they like, and nobody is kept out
    because a counter cannot be reached.
    """

    STORAGE_SCHEME = ["sqlite", "postgresql", "postgresql+psycopg"]  # noqa: RUF012 - the base class reads it so.

    def __init__(self, uri: str, wrap_exceptions: bool = False, **_: Any) -> None:
        super().__init__(uri, wrap_exceptions)
        self._url = make_url(uri)
        self._engine: Engine | None = None
        self._lock = threading.Lock()
        self._memory = MemoryStorage()
        self._resting_until = 0.0

    @property
    def base_exceptions(self) -> type[Exception]:
        """Return what a failing database raises."""
        return SQLAlchemyError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Add to a counter, which begins anew when its time is over; returns the sum."""
        return self._ask(lambda found: _add(found, key, expiry, amount), lambda: self._memory.incr(key, expiry, amount))

    def get(self, key: str) -> int:
        """Return a counter, 0 where there is none or its time is over."""
        wanted = select(TABLE.c.hits).where(TABLE.c.key == hashed(key), TABLE.c.expires_at > utcnow())
        return self._ask(lambda found: found.scalar(wanted) or 0, lambda: self._memory.get(key))

    def get_expiry(self, key: str) -> float:
        """Return when a counter begins anew, in seconds of the epoch."""
        wanted = select(TABLE.c.expires_at).where(TABLE.c.key == hashed(key))
        end = self._ask(lambda found: found.scalar(wanted), lambda: None)
        return end.timestamp() if end is not None else self._memory.get_expiry(key)

    def check(self) -> bool:
        """Tell whether the database answers."""
        self._resting_until = 0.0
        return self._ask(lambda found: found.scalar(select(1)) == 1, lambda: False)

    def reset(self) -> int:
        """Forget every counter; returns how many there were."""
        self._memory.reset()
        return self._ask(lambda found: found.execute(delete(TABLE)).rowcount, lambda: 0)

    def clear(self, key: str) -> None:
        """Forget one counter."""
        self._memory.clear(key)
        self._ask(lambda found: found.execute(delete(TABLE).where(TABLE.c.key == hashed(key))), lambda: None)

    def delete_expired(self, *, now: datetime) -> int:
        """Delete the counters whose time is over; returns how many there were."""
        return self._ask(
            lambda found: found.execute(delete(TABLE).where(TABLE.c.expires_at <= now)).rowcount, lambda: 0
        )

    def dispose(self) -> None:
        """Close the connections."""
        if self._engine is not None:
            self._engine.dispose()

    def _ask(self, question: Callable[[Connection], T], otherwise: Callable[[], T]) -> T:
        if time.monotonic() < self._resting_until:
            return otherwise()
        try:
            with self._connected().begin() as connection:
                return question(connection)
        except SQLAlchemyError as error:
            self._resting_until = time.monotonic() + REST_SECONDS
            logger.warning("rate limits are counted in memory for now: %s", type(error).__name__)
            return otherwise()

    def _connected(self) -> Engine:
        with self._lock:  # Made on first use: no connection crosses a fork, and commands open none.
            if self._engine is None:
                sqlite_file = self._url.get_backend_name() == "sqlite"
                self._engine = _sqlite_engine(self._url) if sqlite_file else _postgresql_engine(self._url)
            return self._engine


def hashed(key: str) -> str:
    """Return a counter's key as it is stored: it names networks and accounts, and may be of any length."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


def _add(connection: Connection, key: str, expiry: int, amount: int) -> int:
    now = utcnow()
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    row = dialect.insert(TABLE).values(key=hashed(key), hits=amount, expires_at=now + timedelta(seconds=expiry))
    over = TABLE.c.expires_at <= now
    added = row.on_conflict_do_update(
        index_elements=[TABLE.c.key],
        set_={
            "hits": case((over, row.excluded.hits), else_=TABLE.c.hits + row.excluded.hits),
            "expires_at": case((over, row.excluded.expires_at), else_=TABLE.c.expires_at),
        },
    ).returning(TABLE.c.hits)
    return int(connection.execute(added).scalar_one())


def _sqlite_engine(url: URL) -> Engine:
    """Open the file, made with its table where it is new; counters may be lost, so no write waits for a disk."""
    file = Path(str(url.database))
    file.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
    engine = create_engine(url, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: Any) -> None:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA synchronous = OFF")

    with engine.begin() as connection:
        connection.execute(CreateTable(TABLE, if_not_exists=True))
        for index in TABLE.indexes:
            connection.execute(CreateIndex(index, if_not_exists=True))
    return engine


def _postgresql_engine(url: URL) -> Engine:
    """Connect to the application's database with a small pool of its own: a request may hold a connection already."""
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,
        pool_size=2,
        max_overflow=2,
        pool_timeout=2,
        pool_pre_ping=True,
        connect_args={"connect_timeout": 2},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: Any) -> None:
        connection.execute(f"SET statement_timeout = {BUSY_TIMEOUT_MS}")
        connection.commit()

    return engine
