"""Pulls that are cut off: what was completely pulled is fed, what was not is pulled again from its beginning."""

import pytest

from rgapp.integrations.bamboohr.api import Bamboo
from rgapp.integrations.bamboohr.feeds import BambooFeeds
from rgapp.integrations.sync.apply import Applier
from rgapp.integrations.sync.check import Checker
from tests.integrations.bamboohr.house import House, MakeHouse, counts


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def house(make_house: MakeHouse, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setattr(BambooFeeds, "page_size", 4)
    return make_house(10)


def test_a_pull_that_was_complete_is_not_pulled_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Checker, "go", die)
        house.ask()
        with pytest.raises(Killed):
            house.work()
    house.simulated.do(faults=[])
    done = house.work()
    assert done is not None
    assert (done.state, counts(done)) == ("applied", {"created": 10})
    assert house.simulated.requests == 0


def test_a_pull_that_was_cut_off_begins_anew(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    page = Bamboo.page

    def dying(self: Bamboo, places: dict[str, str], at: int, *, size: int) -> object:
        if at == 3:
            raise Killed
        return page(self, places, at, size=size)

    with monkeypatch.context() as patched:
        patched.setattr(Bamboo, "page", dying)
        run = house.ask()
        with pytest.raises(Killed):
            house.work()
    assert house.people() == {}
    house.session.refresh(run)
    assert run.phase == "check"
    done = house.work()
    assert done is not None
    assert (done.state, counts(done)) == ("applied", {"created": 10})


def test_a_pull_that_was_being_written_goes_on_without_asking(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Applier, "go", die)
        house.ask()
        with pytest.raises(Killed):
            house.work()
    house.simulated.do(faults=[{"kind": "error"}])
    done = house.work()
    assert done is not None
    assert (done.state, counts(done)) == ("applied", {"created": 10})
    assert house.simulated.requests == 0
    assert list((house.folder / "pulls").glob("*")) == []


def test_what_was_pulled_under_other_settings_is_pulled_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Checker, "go", die)
        house.ask()
        with pytest.raises(Killed):
            house.work()
    house.publish(filters={"country": ["Germany"]})
    done = house.work()
    assert done is not None
    assert done.created == 2


def test_a_long_pull_keeps_its_run(house: House) -> None:
    house.simulated.do(faults=[{"kind": "rate", "at": [3], "seconds": 50}])
    run = house.pull()
    assert run.state == "applied"
    assert any(0 < share < 100 for share in house.shares)
