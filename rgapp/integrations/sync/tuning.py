"""What a run changes about its process and its connection, for it handles many rows and little else."""

import gc
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from rgapp.database import PAGES_IN_LOG
from rgapp.models import AuditEvent, FeedRecord, OutboxMail, User

logger = logging.getLogger(__name__)
# After so many rows of a run statistics are gathered, and again each time that it has written so many times as many.
FIRST_GATHERED: Final = 2_000
GATHERED_AGAIN: Final = 8
GATHERED: Final = tuple(model.__tablename__ for model in (User, AuditEvent, OutboxMail, FeedRecord))
# Somebody may be at a table for hours, with an index say, and the load does without.
LONGEST_WAIT_MS: Final = 1_000
SQLITE_CACHE_KB: Final = 65_536
OBJECTS_BETWEEN_COLLECTIONS: Final = 200_000


@contextmanager
def few_collections() -> Iterator[None]:
    """Let the garbage collector look rarely: rows are many objects and no cycles, so it finds nothing."""
    usual = gc.get_threshold()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def write_much(session: Session) -> None:
    """Prepare the connection for many rows, on SQLite."""
    if session.get_bind().dialect.name == "sqlite":
        # People come in no order of names, so each row touches other pages of the indexes.
        session.execute(text(f"PRAGMA cache_size = -{SQLITE_CACHE_KB}"))
        # Before anybody else has to: who signs in shall not copy what we have written.
        session.execute(text(f"PRAGMA wal_autocheckpoint = {PAGES_IN_LOG * 3 // 4}"))


def commit_lazily(session: Session) -> None:
    """Let PostgreSQL say of this transaction that it is committed before it is on the disk.

    Should the server die within the next half second the run goes on from the checkpoint before, with which everything
    that was written behind it is gone too. Whoever depends on it, like a mail that is sent, commits later and waits for
    both.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SET LOCAL synchronous_commit = off"))


class Statistics:
    """Has PostgreSQL look at the tables that a run fills.

    It does so by itself, but once a minute. A first load has written a million people by then; whoever signs in
    meanwhile has her account looked up by the plan that was made, and kept, when the table was empty: by any index.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._next = FIRST_GATHERED if session.get_bind().dialect.name == "postgresql" else None

    def written(self, rows: int) -> None:
        """Gather them where it is time, in transactions of their own; `rows` have been written so far. Commits."""
        if self._next is None or rows < self._next:
            return
        while self._next <= rows:
            self._next *= GATHERED_AGAIN
        for table in GATHERED:
            self._gather(table)

    def _gather(self, table: str) -> None:
        """Gather those of one table; a load does without where that is not to be had now."""
        try:
            self._session.execute(text(f"SET LOCAL lock_timeout = {LONGEST_WAIT_MS}"))
            self._session.execute(text(f"ANALYZE {table}"))
            self._session.commit()
        except OperationalError as error:
            self._session.rollback()
            if error.connection_invalidated:
                raise
            logger.warning("no statistics of %s: %s", table, type(error.orig).__name__)
