"""Pulls from the simulated BambooHR through the engine: who is there, who changed, who left, and what is held."""

from datetime import timedelta
from typing import Any

import pytest

from rgapp.audit.service import COMMAND_LINE
from rgapp.integrations.sync import settling
from tests.integrations.bamboohr.house import House, MakeHouse, counts, number

DAY = timedelta(days=1)


def test_the_first_pull_makes_everybody(house: House) -> None:
    run = house.pull()
    assert (run.state, run.reason) == ("applied", "")
    assert run.full is True
    assert counts(run) == {"created": 12}
    assert house.people()[number(101)] == (
        "femi.lopez.1@acme.example", "Femi", "Lopez", "1960-05-17", "active",
    )  # fmt: skip


def test_a_second_pull_reads_only_who_changed(house: House) -> None:
    house.pull()
    house.simulated.do(put={"105": {"lastName": "Newname"}}, faults=[])
    run = house.pull()
    assert run.full is False
    assert counts(run) == {"updated": 1}
    assert house.people()[number(105)][2] == "Newname"
    assert [path for path in house.simulated.paths if "/employees/" in path] == [
        "GET /api/v1/employees/changed",
        "GET /api/v1/employees/105",
    ]


def test_a_pull_without_changes_is_applied_and_changes_nothing(house: House) -> None:
    house.pull()
    run = house.pull(later=timedelta(hours=30))
    assert (run.state, run.full, counts(run)) == ("applied", False, {})


def test_a_full_pull_takes_out_who_is_gone(house: House) -> None:
    house.pull()
    house.simulated.do(delete=["103"], put={"104": {"status": "Inactive"}})
    run = house.pull(full=True)
    assert run.full is True
    assert counts(run) == {"unchanged": 10, "deactivated": 2}
    assert {number(103), number(104)}.isdisjoint(house.active())


def test_an_incremental_pull_takes_out_who_became_inactive(house: House) -> None:
    house.simulated.do(sight={"inactive": True})
    house.pull()
    house.simulated.do(put={"104": {"status": "Inactive"}})
    run = house.pull()
    assert (run.full, counts(run)) == (False, {"deactivated": 1})
    assert number(104) not in house.active()


@pytest.mark.parametrize("told", [{"delete": ["104"]}, {"put": {"104": {"status": "Inactive"}}}])
def test_an_incremental_pull_that_misses_somebody_reads_everybody(house: House, told: dict[str, Any]) -> None:
    """Whoever is gone, or no longer shown, is out with this pull and not with the next full one."""
    house.pull()
    house.simulated.do(**told)
    run = house.pull()
    assert (run.full, counts(run)) == (True, {"unchanged": 11, "deactivated": 1})
    assert number(104) not in house.active()
    house.simulated.do(settle=True)
    house.simulated.do(**told)
    assert house.pull().full is False


def test_who_is_listed_but_not_shown_stays_with_a_warning(house: House) -> None:
    house.simulated.do(sight={"datasets": False})
    house.pull()
    house.simulated.do(put={"104": {"lastName": "Newname"}}, sight={"datasets": False, "unshown": ["104"]})
    run = house.pull()
    assert (run.state, counts(run)) == ("applied", {"unchanged": 12, "warnings": 1})
    assert house.problems(run) == [("unreadable_record", "employee 104", False)]
    assert number(104) in house.active()


def test_somebody_who_begins_later_waits_for_the_day(house: House) -> None:
    first_day = (house.now + 3 * DAY).date()
    house.simulated.do(put={"113": {"hireDate": first_day.isoformat()}})
    run = house.pull()
    assert counts(run) == {"created": 12}
    assert run.pulled is not None
    assert run.pulled["marks"]["next_day"] == first_day.isoformat()
    house.pull(full=True, later=2 * DAY)
    assert number(113) not in house.active()
    house.pull(full=True, later=DAY)
    assert number(113) in house.active()


@pytest.mark.parametrize("days", [1, 2])
def test_who_begins_is_not_missed_by_a_pull_of_the_changes(house: House, days: int) -> None:
    """Nobody changes on the day itself, so the list of changes does not name who begins or has left."""
    day = (house.now + DAY).date().isoformat()
    house.simulated.do(put={"112": {"hireDate": day}, "104": {"terminationDate": house.now.date().isoformat()}})
    house.pull()
    assert (number(112) in house.active(), number(104) in house.active()) == (False, True)
    run = house.pull(later=days * DAY)
    assert (run.state, run.full) == ("applied", True)
    assert (number(112) in house.active(), number(104) in house.active()) == (True, False)
    assert house.pull().full is False


def test_the_last_day_is_a_day_of_the_programme(make_house: MakeHouse) -> None:
    """At 23:30 UTC it is half past midnight in London: the last day of the day before is over there."""
    house = make_house()
    house.pull()
    last = house.now.date()
    house.simulated.do(put={"104": {"terminationDate": last.isoformat()}})
    house.now = house.now.replace(hour=21, minute=30)
    house.pull(full=True)
    assert number(104) in house.active()
    house.programme.timezone = "Europe/London"
    house.session.commit()
    run = house.pull(full=True)
    assert counts(run) == {"unchanged": 11, "deactivated": 1}
    assert number(104) not in house.active()


def test_an_earlier_employment_that_ended_means_nothing(house: House) -> None:
    house.simulated.do(put={"104": {"hireDate": "2024-02-01", "terminationDate": "2023-12-31"}})
    house.pull()
    assert number(104) in house.active()


@pytest.mark.parametrize("how", ["omitted", "null", "empty"])
@pytest.mark.parametrize("field", ["dateOfBirth", "workEmail", "employeeNumber", "hireDate", "status"])
def test_a_field_that_is_hidden_now_holds_the_pull(house: House, field: str, how: str) -> None:
    house.pull()
    before = house.people()
    house.simulated.do(sight={"hidden": {field: how}})
    run = house.pull(full=True)
    assert (run.state, run.reason) == ("held", "coverage_shrunk")
    assert run.facts == {"column": field, "has": 0, "people": 12, "had": 12, "people_before": 12}
    assert house.people() == before


def test_a_field_that_is_hidden_is_seen_by_an_incremental_pull_too(house: House) -> None:
    """Otherwise whoever changes would get her private address in place of the one at work."""
    house.pull()
    before = house.people()
    house.simulated.do(sight={"hidden": {"workEmail": "omitted"}}, put={"104": {"lastName": "Newname"}})
    run = house.pull()
    assert (run.state, run.reason, run.full) == ("held", "coverage_shrunk", True)
    assert house.people() == before


def test_fewer_people_hold_the_pull_with_that_reason(make_house: MakeHouse) -> None:
    house = make_house(40)
    house.pull()
    before = house.people()
    house.simulated.do(sight={"no_access": list(range(101, 111))})
    run = house.pull(full=True)
    assert (run.state, run.reason, run.facts) == ("held", "people_shrunk", {"now": 30, "before": 40})
    assert house.people() == before


def test_nobody_at_all_is_fewer_people(house: House) -> None:
    house.pull()
    house.simulated.do(sight={"no_access": list(range(101, 113))})
    run = house.pull(full=True)
    assert (run.state, run.reason) == ("held", "people_shrunk")


def test_a_first_pull_of_nobody_is_held(make_house: MakeHouse) -> None:
    run = make_house(0).pull()
    assert (run.state, run.reason) == ("held", "header_alone")


def test_filters_leave_out_who_is_not_meant(make_house: MakeHouse) -> None:
    house = make_house(filters={"employment_type": ["full-time", "PART-TIME"], "status": ["Active"]})
    house.pull()
    contractors = {
        number(key)
        for key in house.simulated.company.ids()
        if house.simulated.company.get(key)["employmentHistoryStatus"] == "Contractor"  # type: ignore[index]
    }
    assert contractors
    assert house.active() == {number(key) for key in house.simulated.company.ids()} - contractors
    house.simulated.do(put={"101": {"employmentHistoryStatus": "Contractor"}})
    run = house.pull()
    assert (run.full, counts(run)) == (False, {"deactivated": 1})


def test_a_hidden_field_of_a_filter_holds_the_pull(make_house: MakeHouse) -> None:
    house = make_house(filters={"country": ["Germany", "France"]})
    house.pull()
    house.simulated.do(sight={"hidden": {"country": "null"}})
    run = house.pull(full=True)
    assert (run.state, run.reason, run.facts["column"]) == ("held", "coverage_shrunk", "country")


def test_a_home_address_stands_in_for_one_at_work(house: House) -> None:
    house.simulated.do(put={"104": {"workEmail": None}})
    house.pull()
    assert house.people()[number(104)][0].endswith("@home.example")


def test_who_is_not_meant_and_was_never_here_is_no_problem(make_house: MakeHouse) -> None:
    house = make_house(filters={"status": ["Active"], "department": ["Sales"]})
    house.pull()
    outside = next(key for key in house.simulated.company.ids() if number(key) not in house.active())
    house.simulated.do(put={outside: {"workEmail": "nobody", "employeeNumber": "9" * 65}})
    run = house.pull()
    assert (run.full, counts(run), house.problems(run)) == (False, {"unchanged": 1}, [])


def test_a_number_that_went_empty_refuses_that_person_who_stays(house: House) -> None:
    house.pull()
    house.simulated.do(put={"104": {"employeeNumber": ""}})
    run = house.pull(full=True)
    assert counts(run) == {"unchanged": 11, "refused": 1}
    assert number(104) in house.active()


def test_a_changed_number_is_the_same_person(house: House) -> None:
    house.pull()
    house.simulated.do(put={"104": {"employeeNumber": "X4"}})
    run = house.pull()
    assert counts(run) == {"updated": 1}
    assert "X4" in house.active()
    assert len(house.people()) == 12


def test_without_the_dataset_people_are_read_one_by_one(house: House) -> None:
    house.simulated.do(sight={"datasets": False, "unshown": ["105"]})
    run = house.pull()
    assert counts(run) == {"created": 11, "unchanged": 1, "warnings": 1}
    house.simulated.do(sight={})
    run = house.pull(full=True)
    assert counts(run) == {"created": 1, "unchanged": 11}


def test_without_dataset_and_directory_the_list_names_people(house: House) -> None:
    house.consent()
    house.simulated.do(sight={"datasets": False, "directory": False})
    assert counts(house.pull()) == {"created": 12}


def test_a_preview_writes_nothing_and_reads_everybody(house: House) -> None:
    run = house.preview()
    assert (run.state, run.full, counts(run)) == ("applied", True, {"created": 12})
    assert house.people() == {}


def test_a_released_pull_is_about_the_people_it_was_held_for(make_house: MakeHouse) -> None:
    house = make_house(40)
    house.pull()
    house.simulated.do(sight={"no_access": list(range(101, 111))})
    run = house.pull(full=True)
    assert run.state == "held"
    house.simulated.do(sight={"no_access": list(range(101, 140))}, faults=[])
    settling.release(house.session, run, COMMAND_LINE, now=house.now)
    house.session.commit()
    done = house.work()
    assert done is not None
    assert (done.state, counts(done)) == ("applied", {"unchanged": 30, "deactivated": 10})
    assert house.simulated.requests == 0
    assert not (house.folder / "pulls" / run.id.hex).exists()
