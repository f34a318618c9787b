"""Slow down who guesses passwords, by account and by address, without letting them lock anybody out.

Passwords of one account are compared one after the other, and after some wrong ones with a growing pause before each.
Who comes from an address where the account signed in before waits in a line of their own: the guesses of strangers do
not slow them down. Keys are never slowed: nobody guesses one.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address
from typing import Final

FREE_FAILURES: Final = 3
FREE_FAILURES_OF_ADDRESS: Final = 20
FIRST_PAUSE_SECONDS: Final = 0.5
LONGEST_PAUSE_SECONDS: Final = 8.0
# After this long without a wrong password everything is forgotten.
FORGOTTEN_SECONDS: Final = 15 * 60.0
# Who would have to wait longer than this is refused, after a moment, without a look at the password.
LONGEST_WAIT_SECONDS: Final = 20.0
LONGEST_LINE: Final = 120
MOST_REMEMBERED: Final = 20_000


@dataclass
class _Line:
    """Wrong passwords of an account or an address, and who waits to try."""

    failures: int = 0
    failed_at: float = 0.0
    waiting: int = 0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Throttle:
    """Counts wrong passwords in this process's memory."""

    def __init__(self, clock: Callable[[], float], sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._clock, self._sleep = clock, sleep
        self._lines: OrderedDict[tuple[str, str], _Line] = OrderedDict()

    async def attempt(
        self, username: str, address: str, *, known: bool, compare: Callable[[], Awaitable[bool]]
    ) -> bool:
        """Return whether a password is right, as `compare` finds once it is its turn."""
        network = network_of(address)
        account = self._line("account", f"{username} from {network}" if known else username)
        origin = self._line("address", network)

        def pause() -> float:
            of_address = 0.0 if known else self._pause(origin, FREE_FAILURES_OF_ADDRESS)
            return max(self._pause(account, FREE_FAILURES), of_address)

        if account.waiting >= LONGEST_LINE or (account.waiting + 1) * pause() > LONGEST_WAIT_SECONDS:
            await self._sleep(pause())
            return False
        account.waiting += 1
        try:
            async with account.turn:
                if seconds := pause():
                    await self._sleep(seconds)
                right = await compare()
                if right:
                    account.failures = 0
                else:
                    self._count(account)
                    self._count(origin)
                return right
        finally:
            account.waiting -= 1

    def _line(self, what: str, key: str) -> _Line:
        line = self._lines.setdefault((what, key), _Line())
        self._lines.move_to_end((what, key))
        if len(self._lines) > MOST_REMEMBERED:
            idle = next((name for name, each in self._lines.items() if not each.waiting and each is not line), None)
            if idle is not None:
                del self._lines[idle]
        return line

    def _pause(self, line: _Line, free: int) -> float:
        if line.failures and self._clock() - line.failed_at >= FORGOTTEN_SECONDS:
            line.failures = 0
        over = line.failures - free
        return 0.0 if over < 0 else min(FIRST_PAUSE_SECONDS * 2 ** min(over, 10), LONGEST_PAUSE_SECONDS)

    def _count(self, line: _Line) -> None:
        line.failures, line.failed_at = line.failures + 1, self._clock()


def network_of(address: str) -> str:
    """Return whom an address stands for: itself, or the /64 that one customer of a network has in IPv6."""
    try:
        read = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(read, IPv6Address):
        return str(read)
    return str(read.ipv4_mapped) if read.ipv4_mapped else f"{IPv6Address(int(read) >> 64 << 64)}/64"
