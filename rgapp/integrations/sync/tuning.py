"""What a run changes about its process and its connection, for it handles many rows and little else."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from rgapp.database import PAGES_IN_LOG

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
