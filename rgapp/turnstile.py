"""Who writes to a SQLite file stands in one queue for each process, first come, first served.

SQLite itself lets those who wait ask again, later each time: who came first may be served last. The queue decides
about their order only; what keeps writers apart is SQLite's lock, as ever. Other processes hear that somebody waits
by a bell.
"""

import fcntl
import os
import sqlite3
import time
import weakref
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock
from typing import Any, Final

# So long who writes much leaves the lock to those who wait for it.
COURTESY_SECONDS: Final = 0.12
LOOKS_AGAIN_SECONDS: Final = 0.002


_patient: ContextVar[bool] = ContextVar("patient", default=False)


@contextmanager
def patiently() -> Iterator[None]:
    """Write in the background: whoever writes much makes way between two transactions, but hurries with none for us."""
    token = _patient.set(True)
    try:
        yield
    finally:
        _patient.reset(token)


class Turnstile:
    """A lock that is handed on in the order in which it was asked for."""

    def __init__(self) -> None:
        self._guard = Lock()
        self._taken = False
        self._queue: deque[Lock] = deque()

    def acquire(self, seconds: float) -> bool:
        """Wait for at most so many seconds; tells whether the lock is ours."""
        with self._guard:
            if not self._taken:
                self._taken = True
                return True
            if not seconds:
                return False
            ticket = Lock()
            ticket.acquire()
            self._queue.append(ticket)
        try:
            if ticket.acquire(timeout=seconds):
                return True
        except BaseException:  # Somebody pressed Ctrl-C, say: who does not wait any more must not be handed it.
            if not self._leave(ticket):
                self.release()
            raise
        return not self._leave(ticket)  # Else it was handed to us in this very moment.

    def _leave(self, ticket: Lock) -> bool:
        """Leave the queue; False where the lock was handed to us already."""
        with self._guard:
            if ticket in self._queue:
                self._queue.remove(ticket)
                return True
        return False

    def release(self) -> None:
        """Hand the lock to who waits longest."""
        with self._guard:
            if self._queue:
                self._queue.popleft().release()
            else:
                self._taken = False


class Bell:
    """Who waits for the write lock of a SQLite file rings, so that a process that writes much hears it, and makes way.

    It is a lock on a file beside the database: shared by all who wait, and gone with their processes. Who is patient
    locks another one.
    """

    def __init__(self, database: str) -> None:
        """Open the bell of a database file."""
        names = (f"{database}-bell", f"{database}-bell-later")
        self._files = [os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600) for name in names]
        self.close = weakref.finalize(self, _close, self._files)

    def ring(self) -> None:
        """Say that we wait."""
        fcntl.flock(self._files[_patient.get()], fcntl.LOCK_SH)

    def rest(self) -> None:
        """Say that we wait no more."""
        for file in self._files:
            fcntl.flock(file, fcntl.LOCK_UN)

    def rings(self) -> bool:
        """Tell whether anybody else waits who is not patient."""
        return _is_locked(self._files[False])

    def make_way(self) -> None:
        """Let those write who wait, the patient ones too, between two transactions."""
        time.sleep(0)
        until = time.monotonic() + COURTESY_SECONDS
        while any(map(_is_locked, self._files)) and time.monotonic() < until:
            time.sleep(LOOKS_AGAIN_SECONDS)


def _is_locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(file, fcntl.LOCK_UN)
    return False


def _close(files: Sequence[int]) -> None:
    for file in files:
        os.close(file)


def bell_of(database: str | None) -> Bell | None:
    """Return the bell of a database, None where it is in no file or its folder cannot be written to."""
    if not database or database.startswith((":", "file:")):
        return None
    try:
        return Bell(database)
    except OSError:
        return None


_turnstiles: dict[str, Turnstile] = {}


class QueuedConnection(sqlite3.Connection):
    """A connection whose writing transactions wait for those of this process, then for those of others."""

    def __init__(self, database: str, *args: Any, **options: Any) -> None:
        super().__init__(database, *args, **options)
        self._turnstile = _turnstiles.setdefault(database, Turnstile())
        self._holds = False
        self._bell = bell_of(database)

    def begin_writing(self) -> None:
        """Begin a transaction that writes; raises sqlite3.OperationalError after `busy_timeout`."""
        if self._bell is None:
            self._begin_writing()
            return
        self._bell.ring()
        try:
            self._begin_writing()
        finally:
            self._bell.rest()

    def _begin_writing(self) -> None:
        if not self._turnstile.acquire(0) and not self._turnstile.acquire(self._patience()):
            raise sqlite3.OperationalError("database is locked")
        self._holds = True
        try:
            self._take_lock()
        except BaseException:
            self._leave()
            raise

    def _take_lock(self) -> None:
        """Take SQLite's lock, and look for it often: SQLite itself would wait longer after each look, up to 100 ms."""
        patience = self._patience()
        until = time.monotonic() + patience
        self.execute("PRAGMA busy_timeout = 0")
        try:
            while True:
                try:
                    self.execute("BEGIN IMMEDIATE")
                    return
                except sqlite3.OperationalError as error:
                    if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                        raise
                time.sleep(LOOKS_AGAIN_SECONDS)
        finally:
            self.execute(f"PRAGMA busy_timeout = {round(patience * 1000)}")

    def _patience(self) -> float:
        milliseconds: int = self.execute("PRAGMA busy_timeout").fetchone()[0]
        return milliseconds / 1000

    def commit(self) -> None:
        """Commit, and let the next one in."""
        super().commit()
        self._leave()

    def rollback(self) -> None:
        """Roll back, and let the next one in."""
        try:
            super().rollback()
        finally:
            self._leave()

    def close(self) -> None:
        """Close the connection, which ends what it had begun, and let the next one in."""
        try:
            super().close()
        finally:
            if self._bell is not None:
                self._bell.close()
            self._leave(ended=True)

    def _leave(self, *, ended: bool = False) -> None:
        if self._holds and (ended or not self.in_transaction):
            self._holds = False
            self._turnstile.release()
