"""The fault matrix: whatever goes wrong at whichever request of a pull, its end is that of a good pull, or nothing."""

from datetime import timedelta
from typing import Any

import pytest

from rgapp.integrations.bamboohr.api import Bamboo
from rgapp.integrations.bamboohr.feeds import BambooFeeds
from tests.integrations.bamboohr.house import House, MakeHouse, number

LATER = timedelta(hours=30)
FAULTS: dict[str, dict[str, Any]] = {
    "rate limit": {"kind": "rate", "seconds": 1},
    "rate limit until a time": {"kind": "rate", "seconds": 2, "as_date": True},
    "rate limit for long": {"kind": "rate", "seconds": 900},
    "unavailable": {"kind": "unavailable", "seconds": 1},
    "unavailable without a word": {"kind": "unavailable"},
    "error": {"kind": "error"},
    "gateway": {"kind": "gateway"},
    "garbage": {"kind": "garbage"},
    "a page for people": {"kind": "page"},
    "another schema": {"kind": "surprise"},
    "cut": {"kind": "cut"},
    "reset": {"kind": "reset"},
    "timeout": {"kind": "timeout", "seconds": 0.3},
    "expired": {"kind": "expired"},
    "forbidden": {"kind": "forbidden"},
    "redirect": {"kind": "redirect"},
}
# In one state somebody is called otherwise, and somebody else is there.
STATES: tuple[dict[str, Any], ...] = (
    {"put": {"104": {"lastName": "Carter"}, "102": {"status": "Active"}, "109": {"status": "Inactive"}}},
    {"put": {"104": {"lastName": "Newname"}, "102": {"status": "Inactive"}, "109": {"status": "Active"}}},
)


def expected(house: House) -> dict[str, tuple[str, str]]:
    """Return who should be active, with last name, as BambooHR has it."""
    company = house.simulated.company
    return {
        str(record["employeeNumber"]): (str(record["firstName"]), str(record["lastName"]))
        for record in company.records(company.ids())
        if record["status"] == "Active"
    }


def actual(house: House) -> dict[str, tuple[str, str]]:
    return {no: (values[1], values[2]) for no, values in house.people().items() if values[-1] == "active"}


def go_through(house: House, fault: dict[str, Any], *, once: bool, full: bool, sight: dict[str, Any]) -> list[str]:
    """Pull with the fault at each request in turn, or from it on, between two states; returns how the runs ended."""
    requests = 0
    ended = []
    at = 0
    while True:
        at += 1
        house.simulated.do(**STATES[at % 2], sight=sight, faults=[])
        before = actual(house)
        house.simulated.do(faults=[fault | ({"at": [at]} if once else {"since": at})])
        run = house.pull(full=full, later=LATER)
        requests = house.simulated.requests
        assert run.state in {"applied", "failed"}, (at, run.reason, run.facts)
        if run.state == "applied":
            assert actual(house) == expected(house), at
        else:
            assert actual(house) == before, at
            assert run.facts["cause"] == "incomplete_pull", run.facts
            assert run.facts["sentence"]
        ended.append(run.state)
        if requests < at:
            break
    house.simulated.do(**STATES[0], sight=sight, faults=[])
    assert house.pull(full=full, later=LATER).state == "applied"
    assert actual(house) == expected(house)
    return ended


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BambooFeeds, "page_size", 4)


PASSING = {
    "rate limit", "rate limit until a time", "unavailable", "unavailable without a word", "error", "gateway", "garbage",
    "a page for people", "cut", "reset", "timeout",
}  # fmt: skip


# One of each way to go wrong.
KINDS = {"rate limit", "rate limit for long", "error", "garbage", "another schema", "cut", "timeout"}


@pytest.mark.parametrize("name", FAULTS)
def test_once_in_a_full_pull(make_house: MakeHouse, name: str) -> None:
    house = make_house(10)
    house.pull()
    ended = go_through(house, FAULTS[name], once=True, full=True, sight={})
    assert len(ended) > 5
    if name in PASSING:
        assert set(ended) == {"applied"}


@pytest.mark.parametrize("name", FAULTS)
def test_from_then_on_in_a_full_pull(make_house: MakeHouse, name: str) -> None:
    house = make_house(10)
    house.pull()
    ended = go_through(house, FAULTS[name], once=False, full=True, sight={})
    assert ended[-1] == "applied"
    assert "failed" in ended


@pytest.mark.parametrize("name", sorted(KINDS | {"expired", "forbidden"}))
def test_once_under_a_consent(make_house: MakeHouse, name: str) -> None:
    house = make_house(10, key=False)
    house.consent()
    house.pull()
    ended = go_through(house, FAULTS[name], once=True, full=True, sight={})
    if name in PASSING:
        assert set(ended) == {"applied"}


@pytest.mark.parametrize("name", FAULTS)
def test_once_in_an_incremental_pull(make_house: MakeHouse, name: str) -> None:
    house = make_house(10)
    house.simulated.do(sight={"inactive": True})
    house.pull()
    ended = go_through(house, FAULTS[name], once=True, full=False, sight={"inactive": True})
    assert len(ended) > 5


@pytest.mark.parametrize("name", sorted(KINDS))
def test_once_where_people_are_read_one_by_one(make_house: MakeHouse, name: str) -> None:
    house = make_house(9)
    sight = {"datasets": False}
    house.simulated.do(sight=sight)
    house.pull()
    go_through(house, FAULTS[name], once=True, full=True, sight=sight)


@pytest.mark.parametrize("at", range(1, 8))
@pytest.mark.parametrize(
    "happens",
    [
        {"put": {"101": {"status": "Inactive"}}},
        {"delete": ["102"]},
        {"put": {"107": {"status": "Inactive"}}},
        {"put": {"111": {}}},
        {"put": {"103": {"lastName": "Newname"}}},
        {"delete": ["101"], "put": {"112": {}}},
    ],
)
def test_people_who_move_between_pages_are_neither_missed_nor_doubled(
    make_house: MakeHouse, happens: dict[str, Any], at: int
) -> None:
    """Somebody goes out while pages are read, the rest moves forward, and the next page's first would be missed."""
    house = make_house(10)
    house.pull()
    house.simulated.do(faults=[{"kind": "do", "at": [at], "do": happens}])
    run = house.pull(full=True)
    assert run.state == "applied"
    untouched = {number(key) for key in range(101, 111)} - {number(key) for key in (101, 102, 107)}
    assert untouched <= house.active()
    house.simulated.do(faults=[])
    house.pull(full=True, later=LATER)
    assert actual(house) == expected(house)


def test_a_list_that_keeps_moving_is_not_applied(make_house: MakeHouse) -> None:
    house = make_house(20)
    house.pull()
    script = [
        {"kind": "do", "path": "datasets/employee/data", "at": [at], "do": {"delete": [str(99 + at)]}}
        for at in range(4, 16, 2)
    ]
    house.simulated.do(faults=script)
    run = house.pull(full=True)
    assert (run.state, run.facts["code"]) == ("failed", "moving")
    assert len(house.active()) == 20


def test_a_page_that_comes_twice_is_not_taken_for_the_next(
    make_house: MakeHouse, monkeypatch: pytest.MonkeyPatch
) -> None:

    house = make_house(10)
    house.pull()
    page = Bamboo.page
    monkeypatch.setattr(Bamboo, "page", lambda self, places, at, size: page(self, places, 1, size=size))
    run = house.pull(full=True)
    assert (run.state, run.facts["code"]) == ("failed", "moving")
    assert len(house.active()) == 10


def test_a_long_wait_says_when_to_come_back(house: House) -> None:
    house.simulated.do(faults=[{"kind": "rate", "seconds": 900}])
    run = house.pull()
    assert (run.state, run.facts["code"]) == ("failed", "later")
    assert run.facts["retry_at"]
    assert house.simulated.requests == 1


def test_a_rate_limited_pull_finishes(make_house: MakeHouse) -> None:
    house = make_house(30)
    house.simulated.do(faults=[{"kind": "rate", "seconds": 30, "every": 2}])
    run = house.pull()
    assert (run.state, run.created) == ("applied", 30)
