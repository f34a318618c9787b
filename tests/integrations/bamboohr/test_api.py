"""The API as other accounts answer it: older datasets, none at all, and refusals in plain words."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rgapp.demo.bamboohr.service import Simulated, running
from rgapp.integrations.bamboohr.api import Bamboo, FilterOptions
from rgapp.integrations.bamboohr.calls import APIKey
from rgapp.integrations.bamboohr.errors import BambooError
from rgapp.integrations.pulls.account import AccountField
from rgapp.outbound import Client
from tests.integrations.bamboohr.house import House, counts, number


@pytest.fixture(scope="module")
def simulated() -> Iterator[Simulated]:
    with running(30) as made:
        yield made


@pytest.fixture
def bamboo(simulated: Simulated) -> Iterator[Bamboo]:
    simulated.do(sight={}, faults=[])
    allow = frozenset({simulated.origin})
    client = Client(simulated.origin, allow=allow, sleep=lambda seconds: None, seconds=2)
    made = Bamboo(simulated.origin, APIKey(simulated.key), allow=allow, client=client)
    yield made
    made.close()


def refused(call: Callable[[], Any]) -> tuple[str, str]:
    with pytest.raises(BambooError) as error:
        call()
    return error.value.code, error.value.sentence


def without(path: str) -> dict[str, Any]:
    """Return a fault by which an address is not there."""
    return {"kind": "missing", "path": path}


def test_fields_are_offered_by_their_labels(bamboo: Bamboo) -> None:
    fields = bamboo.fields()
    assert AccountField("employeeNumber", "Employee #", "text") in fields
    assert AccountField("4047", "Reads the newsletter", "checkbox") in fields
    assert "Fax" not in {field.label for field in fields}


def test_a_few_real_people_are_shown(bamboo: Bamboo) -> None:
    people = bamboo.people(["employeeNumber", "workEmail", "4047"], most=3)
    assert [each["employeeNumber"] for each in people] == ["010001", "010002", "010003"]
    assert people[0]["4047"] == "Yes"


def test_what_can_be_filtered_by_is_offered(simulated: Simulated, bamboo: Bamboo) -> None:
    offered = bamboo.options()
    assert offered.statuses == ("Active", "Inactive")
    assert offered.employment_types == ("Contractor", "Full-Time", "Part-Time")
    simulated.do(faults=[without("field-options")])
    assert bamboo.options() == FilterOptions(
        offered.statuses, offered.employment_types, offered.countries, offered.departments
    )


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"keys": ["another"]}, "wrong_key"),
        ({"faults": [{"kind": "forbidden"}]}, "no_permission"),
        ({"faults": [{"kind": "missing"}]}, "no_such_subdomain"),
        ({"faults": [{"kind": "redirect"}]}, "not_bamboohr"),
        ({"faults": [{"kind": "page"}]}, "not_bamboohr"),
        ({"faults": [{"kind": "error"}]}, "unavailable"),
        ({"faults": [{"kind": "rate", "seconds": 1}]}, "busy"),
        ({"faults": [{"kind": "rate", "seconds": 90}]}, "later"),
        ({"faults": [{"kind": "reset"}]}, "unreachable"),
    ],
)
def test_what_is_wrong_is_said_in_words(simulated: Simulated, bamboo: Bamboo, told: dict[str, Any], code: str) -> None:
    simulated.do(**told)
    try:
        found, sentence = refused(bamboo.check)
    finally:
        simulated.do(keys=[simulated.key], faults=[])
    assert found == code
    assert sentence.endswith(".")
    assert "{" not in sentence


def test_an_address_that_is_not_named_is_not_reached(simulated: Simulated) -> None:
    made = Bamboo(simulated.origin, APIKey("k"), allow=frozenset())
    assert refused(made.check)[0] == "private"
    assert (
        refused(Bamboo("https://acme.bamboohr.example", APIKey("k"), allow=frozenset()).check)[0] == "no_such_subdomain"
    )


@pytest.mark.parametrize("missing", [[without("v2/datasets")], [without("v2/datasets"), without("v1_2")]])
def test_an_account_with_the_older_dataset_is_read(house: House, missing: list[dict[str, Any]]) -> None:
    house.simulated.do(faults=missing)
    assert counts(house.pull()) == {"created": 12}
    assert sum("v2/datasets" in path for path in house.simulated.paths) == 1
    assert not any("employees/1" in path for path in house.simulated.paths)


def test_an_account_without_datasets_is_read_one_by_one(house: House) -> None:
    house.simulated.do(faults=[without("datasets")])
    assert counts(house.pull()) == {"created": 12}
    house.simulated.do(put={"104": {"lastName": "Newname"}})
    run = house.pull()
    assert (run.full, counts(run)) == (False, {"updated": 1})


def test_a_dataset_that_takes_no_order_is_read_without(house: House) -> None:
    house.simulated.do(faults=[{"kind": "unprocessable", "at": [3]}])
    assert counts(house.pull()) == {"created": 12}


def test_a_dataset_that_takes_no_question_is_left(house: House) -> None:
    house.simulated.do(faults=[{"kind": "unprocessable", "path": "v2/datasets"}])
    run = house.pull()
    assert counts(run) == {"created": 12}
    assert number(101) in house.active()
