"""The gate: who may come in, by key or by password."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import asyncssh
from sqlalchemy.exc import SQLAlchemyError

from rgapp.clock import utcnow
from rgapp.integrations.sftp import credentials, passwords
from rgapp.integrations.sftp.credentials import Opening
from rgapp.sftp.channel import SFTPChannel
from rgapp.sftp.desk import Desk
from rgapp.sftp.house import House
from rgapp.sftp.limits import (
    MOST_CONNECTIONS_OF_ACCOUNT,
    MOST_KEYS_TRIED_OF_CONNECTION,
    MOST_SESSIONS_OF_CONNECTION,
    MOST_WRONG_PASSWORDS_OF_CONNECTION,
)
from rgapp.sftp.session import Session
from rgapp.sftp.throttle import network_of

logger = logging.getLogger(__name__)

LATER: Final = "The service cannot look this account up just now: try again later."
NO_SPOOL: Final = "The service cannot take files just now: try again later."


class Gate(asyncssh.SSHServer):
    """One connection, from its first byte to its end."""

    def __init__(self, house: House) -> None:
        self._house, self._services = house, house.services
        self._connection: asyncssh.SSHServerConnection | None = None
        self.network, self._address = "", ""
        self.came_at = self.used_at = time.monotonic()
        self.opened: Opening | None = None
        self.wrong_passwords = self._keys_tried = self._sessions = 0
        self._fingerprint: str | None = None
        self._candidate: Opening | None = None
        self._desk: Desk | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Count a connection, or end it where there are too many."""
        self._connection = conn
        self._address = str(conn.get_extra_info("peername", ("",))[0])
        self.network = network_of(self._address)
        if not self._house.admit(self):
            logger.warning("too many connections: one from %s was ended", self.network)
            conn.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a connection; what it was uploading is cut where its requests are read."""
        self._house.guests.discard(self)

    def abort(self) -> None:
        """End the connection at once."""
        if self._connection is not None:
            self._connection.abort()

    def begin_auth(self, username: str) -> bool:
        """Ask everybody for a key or a password."""
        return True

    def public_key_auth_supported(self) -> bool:
        """Take keys."""
        return True

    def password_auth_supported(self) -> bool:
        """Take passwords."""
        return True

    async def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """Tell whether a key opens the account; the library checks afterwards that the client holds it."""
        with _told():
            return await self._is_key_right(username, key)

    async def validate_password(self, username: str, password: str) -> bool:
        """Tell whether a password opens the account; after wrong ones the answer takes longer and longer."""
        with _told():
            return await self._is_password_right(username, password)

    async def _is_key_right(self, username: str, key: asyncssh.SSHKey) -> bool:
        self._keys_tried += 1
        if self._keys_tried > MOST_KEYS_TRIED_OF_CONNECTION:
            raise asyncssh.DisconnectError(asyncssh.DISC_NO_MORE_AUTH_METHODS_AVAILABLE, "Too many keys were tried.")
        opened = await self._look_up(username)
        if opened is None:
            return False
        fingerprint = key.get_fingerprint("sha256")
        line = await self._services.read(lambda session: credentials.key_with(session, opened, fingerprint))
        known = line is not None and asyncssh.import_public_key(line).public_data == key.public_data
        return known and await self._prepare(opened, fingerprint)

    async def _is_password_right(self, username: str, password: str) -> bool:
        opened = await self._look_up(username)
        if opened is not None and self._house.is_remembered(opened, self.network, password):
            return await self._prepare(opened, None)
        known = opened is not None and self._address in opened.known_from
        right = await self._house.throttle.attempt(
            username[:100], self._address, known=known, compare=lambda: self._compare(opened, password)
        )
        if right and opened is not None:
            self._house.remember(opened, self.network, password)
            return await self._prepare(opened, None)
        self.wrong_passwords += 1
        logger.info("a password was refused from %s", self.network)
        if self.wrong_passwords >= MOST_WRONG_PASSWORDS_OF_CONNECTION:
            raise asyncssh.DisconnectError(asyncssh.DISC_NO_MORE_AUTH_METHODS_AVAILABLE, "Too many wrong passwords.")
        return False

    async def auth_completed(self) -> None:
        """Let the client in, unless its account has too many connections already."""
        opened, fingerprint = self._candidate, self._fingerprint
        assert opened is not None and self._connection is not None  # noqa: S101, PT018 - something was right.
        if self._house.of_account(opened.username) >= MOST_CONNECTIONS_OF_ACCOUNT:
            self._connection.disconnect(asyncssh.DISC_TOO_MANY_CONNECTIONS, "This account has too many connections.")
            return
        self.opened = opened
        if not self._house.is_news(opened.username, self._address, fingerprint):
            return
        try:
            await self._services.write(
                lambda session: credentials.note_sign_in(
                    session, opened, address=self._address, fingerprint=fingerprint, now=utcnow()
                )
            )
        except SQLAlchemyError as error:
            logger.warning("a sign-in was not noted: %s", type(error).__name__)

    def session_requested(self) -> Any:
        """Open a channel for SFTP; a few may be open at once."""
        if self.opened is None or self._desk is None or self._sessions >= MOST_SESSIONS_OF_CONNECTION:
            return False
        self._sessions += 1
        desk = self._desk
        return SFTPChannel(lambda chan: Session(chan, desk, self._services, self.touch), self._session_ended)

    def touch(self) -> None:
        """Note that the client did something."""
        self.used_at = time.monotonic()

    def _session_ended(self) -> None:
        self._sessions -= 1

    async def _prepare(self, opened: Opening, fingerprint: str | None) -> bool:
        """Have everything ready before the client hears that it is in: it may ask for its files at once."""
        try:
            self._desk = await self._services.desk(opened.username)
        except OSError as error:
            logger.error("the spool cannot be used", exc_info=error)
            raise asyncssh.DisconnectError(asyncssh.DISC_SERVICE_NOT_AVAILABLE, NO_SPOOL) from error
        self._candidate, self._fingerprint = opened, fingerprint
        return True

    async def _look_up(self, username: str) -> Opening | None:
        return await self._services.read(lambda session: credentials.opening(session, username, now=utcnow()))

    async def _compare(self, opened: Opening | None, password: str) -> bool:
        """Compare with each password that works; an account that is none takes as long."""
        for stored in (opened.password_hashes if opened is not None else ()) or (None,):
            if await self._services.password(passwords.verify, stored, password):
                return True
        return False


@contextmanager
def _told() -> Iterator[None]:
    """Let a client whose account cannot be looked up hear that it is not its fault; the library would say nothing."""
    try:
        yield
    except SQLAlchemyError as error:
        logger.warning("an account could not be looked up: %s", type(error).__name__)
        raise asyncssh.DisconnectError(asyncssh.DISC_SERVICE_NOT_AVAILABLE, LATER) from error
    except asyncssh.DisconnectError:
        raise
    except Exception as error:
        logger.exception("a sign-in failed for a reason of ours")
        raise asyncssh.DisconnectError(asyncssh.DISC_SERVICE_NOT_AVAILABLE, LATER) from error
