"""What the server's coroutines call that would make others wait: disk, database and passwords, each in its threads."""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from rgapp.clock import utcnow
from rgapp.database import reading
from rgapp.extensions import db
from rgapp.integrations.sftp import arrivals, examples
from rgapp.integrations.sftp.arrivals import Receive
from rgapp.integrations.sftp.plain import PlainFolder, plain_usernames
from rgapp.integrations.sftp.spool import Folder, usernames
from rgapp.sftp.desk import Desk
from rgapp.sftp.limits import HALF_FILES_KEPT_SECONDS, Quota

logger = logging.getLogger(__name__)
T = TypeVar("T")
DISK_THREADS: Final = 16
DATABASE_THREADS: Final = 4
PASSWORD_THREADS: Final = 2
# How long a client waits for its file to be handed over, so that a run is there when its upload ends; if the database
# takes longer, the file is handed over later.
HANDED_OVER_SECONDS: Final = 3.0


class Services:
    """Threads, the desks of the accounts, and the way of finished files into the database."""

    def __init__(
        self, app: Flask, spool: Path, quota: Quota, receive: Receive, *, kept: timedelta = arrivals.FILES_KEPT
    ) -> None:
        self._app, self.spool, self._quota, self._receive, self._kept = app, spool, quota, receive, kept
        self._disk = ThreadPoolExecutor(DISK_THREADS, "disk")
        self._database = ThreadPoolExecutor(DATABASE_THREADS, "database")
        self._passwords = ThreadPoolExecutor(PASSWORD_THREADS, "passwords")
        self._desks: dict[str, Desk] = {}
        self._turns: dict[str, asyncio.Lock] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    async def disk(self, function: Callable[..., T], *args: Any) -> T:
        """Run something on the disk."""
        return await asyncio.get_running_loop().run_in_executor(self._disk, function, *args)

    async def password(self, function: Callable[..., T], *args: Any) -> T:
        """Compare a password: slow on purpose, and few at a time."""
        return await asyncio.get_running_loop().run_in_executor(self._passwords, function, *args)

    async def read(self, function: Callable[[Session], T]) -> T:
        """Ask the database something.

        Raises `SQLAlchemyError`.
        """
        return await asyncio.get_running_loop().run_in_executor(self._database, self._transaction, function, False)

    async def write(self, function: Callable[[Session], T]) -> T:
        """Do something in a transaction of its own, which is committed.

        Raises `SQLAlchemyError`.
        """
        return await asyncio.get_running_loop().run_in_executor(self._database, self._transaction, function, True)

    async def desk(self, username: str) -> Desk:
        """Return the desk of an account, the same for all its connections."""
        if username not in self._desks:
            made = await self.disk(lambda: Desk(Folder(self.spool, username), self._quota))
            self._desks.setdefault(username, made)
        return self._desks[username]

    async def arrived(self, username: str) -> None:
        """Hand over what has arrived, and wait for that a little."""
        task = asyncio.create_task(self.hand_over(username))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await asyncio.wait({task}, timeout=HANDED_OVER_SECONDS)

    async def hand_over(self, username: str) -> bool:
        """Hand over what has arrived of one account; False where the database is away: it is tried each minute."""
        async with self._turns.setdefault(username, asyncio.Lock()):
            folder = Folder(self.spool, username)
            try:
                entries = await self.read(lambda session: arrivals.waiting(session, folder))
                digests = {entry.id: await self.disk(arrivals.digest_of, entry) for entry in entries}
                if not entries:
                    return True
                handed = await self.write(
                    lambda session: arrivals.hand_over(session, folder, self._receive, digests, now=utcnow())
                )
            except FileNotFoundError:
                return False  # A file was deleted meanwhile; the next round sees what is left.
            except SQLAlchemyError as error:
                logger.warning("files of %s wait: the database is away (%s)", username, type(error).__name__)
                return False
            for each in handed:
                logger.info("%s: %s bytes arrived, run %s", username, each.entry.size, each.run_id or "none (example)")
            return True

    async def round(self, *, now: float | None = None) -> None:
        """Look after every account: take what other servers left, hand over what waits, forget what is old."""
        at = time.time() if now is None else now
        for username in await self.disk(plain_usernames, self.spool):
            await self._guarded(username, self._take_plain(username, at))
        for username in await self.disk(usernames, self.spool):
            await self._guarded(username, self._look_after(username, at))

    def running_uploads(self) -> int:
        """Return how many accounts are being sent to."""
        return sum(desk.is_busy for desk in self._desks.values())

    async def close(self) -> None:
        """Let what is handed over come to its end, and end the threads."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=HANDED_OVER_SECONDS)
        for pool in (self._disk, self._passwords, self._database):
            pool.shutdown(wait=True, cancel_futures=True)

    async def _look_after(self, username: str, at: float) -> None:
        desk = await self.desk(username)
        await self.disk(lambda: desk.sweep(before=at - HALF_FILES_KEPT_SECONDS))
        example = examples.folder_of(self.spool, username)
        await self.disk(lambda: examples.forget_old(example, before=utcnow() - arrivals.EXAMPLE_KEPT))
        await self.hand_over(username)
        await self.read(
            lambda session: arrivals.tidy(
                session, desk.folder, now=utcnow(), kept=self._kept, most_bytes=self._quota.settled_bytes
            )
        )

    async def _take_plain(self, username: str, at: float) -> None:
        plain = PlainFolder(self.spool, username)
        # Somebody may keep something else beside the accounts.
        if plain.exists() and await self.read(lambda session: arrivals.is_account(session, username)):
            await self.disk(lambda: plain.take(now=at))

    async def _guarded(self, username: str, work: Any) -> None:
        """Let one account's trouble not keep the others waiting."""
        try:
            await work
        except (SQLAlchemyError, OSError, ValueError) as error:
            logger.warning("the spool of %s could not be looked after: %s", username, type(error).__name__)

    def _transaction(self, function: Callable[[Session], T], writes: bool) -> T:
        with self._app.app_context():
            try:
                if writes:
                    result = function(db.session())
                    db.session.commit()
                    return result
                with reading():
                    return function(db.session())
            finally:
                db.session.rollback()
                db.session.remove()
