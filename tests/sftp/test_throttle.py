"""Wrong passwords: they slow down who guesses, and nobody else."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from rgapp.sftp import throttle as module
from rgapp.sftp.throttle import FORGOTTEN_SECONDS, FREE_FAILURES, LONGEST_PAUSE_SECONDS, Throttle, network_of
from tests import loops


class Time:
    """A clock that moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now, self.slept = 0.0, []

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


def wrong() -> Awaitable[bool]:
    """Find a password wrong."""
    return asyncio.sleep(0, result=False)


def right() -> Awaitable[bool]:
    """Find a password right."""
    return asyncio.sleep(0, result=True)


@pytest.fixture
def time() -> Time:
    """Return a clock."""
    return Time()


@pytest.fixture
def attempt(time: Time) -> Callable[..., bool]:
    """Return a way to try a password."""
    made = Throttle(lambda: time.now, time.sleep)

    def attempt(
        compare: Callable[[], Awaitable[bool]], username: str = "acme-1", address: str = "10.0.0.1", known: bool = False
    ) -> bool:
        return loops.run(made.attempt(username, address, known=known, compare=compare))

    return attempt


def test_the_first_wrong_ones_cost_nothing(attempt: Callable[..., bool], time: Time) -> None:
    assert [attempt(wrong) for _ in range(FREE_FAILURES)] == [False] * FREE_FAILURES
    assert time.slept == []


def test_pauses_grow_up_to_the_longest(attempt: Callable[..., bool], time: Time) -> None:
    for _ in range(FREE_FAILURES + 8):
        attempt(wrong)
    assert time.slept[:4] == [0.5, 1.0, 2.0, 4.0]
    assert max(time.slept) == LONGEST_PAUSE_SECONDS


def test_a_right_one_ends_the_pauses(attempt: Callable[..., bool], time: Time) -> None:
    for _ in range(FREE_FAILURES + 2):
        attempt(wrong)
    assert attempt(right)
    time.slept.clear()
    assert not attempt(wrong)
    assert time.slept == []


def test_guesses_from_elsewhere_do_not_slow_a_known_address(attempt: Callable[..., bool], time: Time) -> None:
    for _ in range(FREE_FAILURES + 5):
        attempt(wrong, address="10.9.9.9")
    time.slept.clear()
    assert attempt(right, known=True)
    assert time.slept == []


def test_many_accounts_from_one_address_are_slowed_by_address(attempt: Callable[..., bool], time: Time) -> None:
    for number in range(30):
        attempt(wrong, username=f"acme-{number}")
    assert time.slept
    time.slept.clear()
    attempt(wrong, username="acme-99", address="10.0.0.2")
    assert time.slept == []


def test_everything_is_forgotten_after_a_while(attempt: Callable[..., bool], time: Time) -> None:
    for _ in range(FREE_FAILURES + 3):
        attempt(wrong)
    time.now += FORGOTTEN_SECONDS
    time.slept.clear()
    attempt(wrong)
    assert time.slept == []


def test_passwords_of_one_account_are_compared_one_after_the_other(time: Time) -> None:
    made, inside, most = Throttle(lambda: time.now, time.sleep), 0, 0

    async def compare() -> bool:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(0)
        inside -= 1
        return False

    async def flood() -> list[bool]:
        return await asyncio.gather(
            *(made.attempt("acme-1", f"10.0.0.{n}", known=False, compare=compare) for n in range(50))
        )

    assert not any(loops.run(flood()))
    assert most == 1


def test_a_flood_is_refused_without_being_compared(time: Time) -> None:
    made, compared = Throttle(lambda: time.now, time.sleep), 0

    async def compare() -> bool:
        nonlocal compared
        compared += 1
        return False

    async def flood() -> None:
        for _ in range(20):
            await asyncio.gather(*(made.attempt("acme-1", "10.0.0.1", known=False, compare=compare) for _ in range(50)))

    loops.run(flood())
    assert compared < 200


def test_memory_has_an_end(time: Time, monkeypatch: pytest.MonkeyPatch, attempt: Callable[..., bool]) -> None:
    monkeypatch.setattr(module, "MOST_REMEMBERED", 10)
    for number in range(100):
        attempt(wrong, username=f"acme-{number}", address=f"10.0.0.{number}")


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_whom_an_address_stands_for(address: str, network: str) -> None:
    assert network_of(address) == network
