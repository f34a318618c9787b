"""Everybody who is connected: how many there may be, which passwords were right, and who has to go."""

import hashlib
import hmac
import secrets
import time
from typing import Final, Protocol

from sqlalchemy.exc import SQLAlchemyError

from rgapp.clock import utcnow
from rgapp.integrations.sftp import credentials
from rgapp.integrations.sftp.credentials import Opening
from rgapp.sftp.limits import MOST_CONNECTIONS, MOST_STRANGERS, MOST_STRANGERS_OF_ADDRESS
from rgapp.sftp.services import Services
from rgapp.sftp.throttle import Throttle

# A password that was right a moment ago, from the same address, is not hashed again: clients open many connections.
REMEMBERED_SECONDS: Final = 300.0
MOST_REMEMBERED: Final = 5_000


class Guest(Protocol):
    """A connection, as far as the house has to know it; `opened` is None before it has signed in."""

    opened: Opening | None
    network: str
    came_at: float
    used_at: float
    wrong_passwords: int

    def abort(self) -> None:
        """End the connection at once."""


class House:
    """Everybody who is connected, and what they share."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.throttle = Throttle(time.monotonic)
        self.guests: set[Guest] = set()
        self._secret = secrets.token_bytes(32)
        self._right: dict[tuple[str, str], tuple[float, bytes]] = {}
        self._noted: dict[tuple[str, str, str | None], float] = {}

    def admit(self, guest: Guest) -> bool:
        """Take a new connection in; where there are too many, the oldest that failed a password makes room."""
        if len(self.guests) >= MOST_CONNECTIONS + MOST_STRANGERS:
            return False
        strangers = [each for each in self.guests if each.opened is None]
        neighbours = [each for each in strangers if each.network == guest.network]
        for those, most in ((neighbours, MOST_STRANGERS_OF_ADDRESS), (strangers, MOST_STRANGERS)):
            if len(those) >= most:
                failed = [each for each in those if each.wrong_passwords]
                if not failed:
                    return False
                oldest = min(failed, key=lambda each: each.came_at)
                oldest.abort()
                self.guests.discard(oldest)
        self.guests.add(guest)
        return True

    def of_account(self, username: str) -> int:
        """Return how many connections an account has."""
        return sum(each.opened is not None and each.opened.username == username for each in self.guests)

    def is_remembered(self, opened: Opening, network: str, password: str) -> bool:
        """Tell whether this password was right for this account from this address a moment ago."""
        until, digest = self._right.get((opened.username, network), (0.0, b""))
        return time.monotonic() < until and hmac.compare_digest(digest, self._digest(opened, password))

    def remember(self, opened: Opening, network: str, password: str) -> None:
        """Remember a right password for a moment, as a digest under a key that is in this process alone."""
        if len(self._right) >= MOST_REMEMBERED:
            self._right.clear()
        until = time.monotonic() + REMEMBERED_SECONDS
        self._right[opened.username, network] = until, self._digest(opened, password)

    def is_news(self, username: str, address: str, fingerprint: str | None) -> bool:
        """Tell whether a sign-in should be noted: a client that comes each second writes once a minute."""
        now, key = time.monotonic(), (username, address, fingerprint)
        if now - self._noted.get(key, float("-inf")) < credentials.USE_NOTED_EVERY.total_seconds():
            return False
        if len(self._noted) >= MOST_REMEMBERED:
            self._noted.clear()
        self._noted[key] = now
        return True

    def _digest(self, opened: Opening, password: str) -> bytes:
        # The hashes are part of it: a password that was changed is not remembered.
        said = "\0".join((*opened.password_hashes, password)).encode("utf-8", "replace")
        return hashlib.blake2b(said, key=self._secret).digest()


async def shut_out(house: House, *, idle_seconds: float) -> None:
    """End connections that do nothing, and those of accounts that may not be opened any more."""
    now = time.monotonic()
    for guest in tuple(house.guests):
        if guest.opened is None:
            continue
        if now - guest.used_at > idle_seconds or not await _may_stay(house.services, guest.opened.username):
            guest.abort()


async def _may_stay(services: Services, username: str) -> bool:
    try:
        return await services.read(lambda session: credentials.opening(session, username, now=utcnow())) is not None
    except SQLAlchemyError:
        return True  # Nobody is shut out for the database being away.
