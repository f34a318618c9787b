"""How many may be connected, and who makes room; passwords that were right a moment ago."""

import uuid
from typing import Any

import pytest

from rgapp.integrations.sftp.credentials import Opening
from rgapp.sftp import house as module
from rgapp.sftp.house import House


class Visitor:
    """A connection."""

    def __init__(
        self, network: str = "10.0.0.1", *, wrong: int = 0, opened: Opening | None = None, at: float = 0
    ) -> None:
        self.network, self.wrong_passwords, self.opened = network, wrong, opened
        self.came_at = self.used_at = at
        self.aborted = False

    def abort(self) -> None:
        """End it."""
        self.aborted = True


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> House:
    """Return a house with room for few."""
    monkeypatch.setattr(module, "MOST_STRANGERS_OF_ADDRESS", 3)
    monkeypatch.setattr(module, "MOST_STRANGERS", 5)
    monkeypatch.setattr(module, "MOST_CONNECTIONS", 4)
    services: Any = None
    return House(services)


def opening(*hashes: str) -> Opening:
    """Return an account."""
    return Opening(uuid.uuid4(), uuid.uuid4(), "acme-7k2m9q", hashes)


def test_one_too_many_of_an_address_is_not_let_in(house: House) -> None:
    assert all(house.admit(Visitor()) for _ in range(3))
    assert not house.admit(Visitor())
    assert house.admit(Visitor("10.0.0.2"))


def test_who_failed_a_password_first_makes_room(house: House) -> None:
    first, second = Visitor(wrong=1, at=1), Visitor(wrong=3, at=2)
    for each in (second, first, Visitor(at=0)):
        house.admit(each)
    assert house.admit(Visitor())
    assert (first.aborted, second.aborted) == (True, False)
    assert first not in house.guests


def test_strangers_in_all_have_a_limit(house: House) -> None:
    admitted = [house.admit(Visitor(f"10.0.0.{number}")) for number in range(6)]
    assert admitted == [True] * 5 + [False]


def test_everybody_has_a_limit(house: House) -> None:
    account = opening()
    admitted = [house.admit(Visitor(f"10.0.0.{number}", opened=account)) for number in range(10)]
    assert admitted == [True] * 9 + [False]
    assert house.of_account("acme-7k2m9q") == 9


def test_a_right_password_is_remembered_for_its_address_and_until_it_changes(house: House) -> None:
    account = opening("hash")
    assert not house.is_remembered(account, "10.0.0.1", "secret")
    house.remember(account, "10.0.0.1", "secret")
    assert house.is_remembered(account, "10.0.0.1", "secret")
    assert not house.is_remembered(account, "10.0.0.1", "other")
    assert not house.is_remembered(account, "10.0.0.2", "secret")
    assert not house.is_remembered(opening("other hash"), "10.0.0.1", "secret")


def test_memory_has_an_end(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_REMEMBERED", 2)
    account = opening("hash")
    for number in range(5):
        house.remember(account, f"10.0.0.{number}", "secret")
        assert house.is_news("acme-7k2m9q", f"10.0.0.{number}", None)
    assert house.is_remembered(account, "10.0.0.4", "secret")
    assert not house.is_news("acme-7k2m9q", "10.0.0.4", None)
