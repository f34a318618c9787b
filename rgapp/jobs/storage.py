"""The queue's storages: what they need so that neither their start nor their end stops a web process."""

from typing import Any

import psycopg
from huey import PostgresHuey, RedisHuey, SqliteHuey
from huey.storage import PostgresStorage
from redis import ConnectionPool
from redis.backoff import NoBackoff
from redis.retry import Retry

from rgapp.jobs.schedule import SharedSchedule

CONNECT_SECONDS = 2
ANSWER_SECONDS = 5
LOCK_BUSY_SECONDS = 5


class SQLiteQueue(SharedSchedule, SqliteHuey):  # type: ignore[misc]  # huey carries no types.
    """A queue in a file of its own, for one machine."""


class PostgreSQLStorage(PostgresStorage):  # type: ignore[misc]
    """Connects when it is first used, and makes its tables then; a web process starts although the server is away."""

    def __init__(self, name: str, **options: Any) -> None:
        self._has_tables = False
        super().__init__(name, create_tables=False, connect_timeout=CONNECT_SECONDS, **options)

    def _create_connection(self) -> psycopg.Connection[Any]:
        connection: psycopg.Connection[Any] = self._connect()
        if not self._has_tables:
            with connection.transaction():
                # Of two processes that say CREATE TABLE IF NOT EXISTS at once one fails, so they do it in turn.
                connection.execute("SELECT pg_advisory_xact_lock(hashtext('rgapp.queue'))")
                for statement in self.ddl:
                    connection.execute(statement)
            self._has_tables = True
        return connection

    def enqueue(self, data: bytes, priority: float | None = None) -> None:
        """Put a task into the queue; a connection that a restart of the server ended is opened again once."""
        try:
            super().enqueue(data, priority)
        except psycopg.OperationalError:
            super().enqueue(data, priority)


class PostgreSQLQueue(SharedSchedule, PostgresHuey):  # type: ignore[misc]
    """A queue in PostgreSQL, which may be the application's database."""

    storage_class = PostgreSQLStorage


class RedisQueue(SharedSchedule, RedisHuey):  # type: ignore[misc]
    """A queue in Redis; what is in it is lost with Redis' memory, and nothing depends on it."""


def redis_pool(url: str) -> ConnectionPool:
    """Return connections that give up soon; a connection that a restart of the server ended is opened again once."""
    return ConnectionPool.from_url(
        url,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 1),
    )
