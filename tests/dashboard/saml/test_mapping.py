"""Mapping: where our fields come from, the format of dates, and what a sign-in may write."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from rgapp.models import Integration, Programme, Region
from tests.dashboard.conftest import hidden_fields
from tests.factories import Factory

FULL = {
    "membership_no_source": "attribute",
    "membership_no_attribute": "employeeid",
    "email_source": "attribute",
    "email_attribute": "mail",
    "first_name_source": "attribute",
    "first_name_attribute": "givenName",
    "last_name_source": "",
    "last_name_attribute": "sn",
    "date_of_birth_source": "attribute",
    "date_of_birth_attribute": "birthDate",
    "date_format": "%Y-%m-%d",
    "jit_create": "y",
}


@pytest.fixture
def send(browser: FlaskClient, path: Callable[..., str]) -> Callable[..., Any]:
    """Return a function that sends the form of Mapping."""

    def post(integration: Integration, **values: Any) -> Any:
        return browser.post(path(integration, "setup/mapping"), data=FULL | values)

    return post


def test_the_mapping_is_saved(send: Callable[..., Any], draft: Integration) -> None:
    answer = send(draft, membership_no_source="name_id")
    assert answer.location.endswith("setup/testing")
    assert draft.draft["mapping"] == {
        "membership_no": {"name_id": True},
        "email": {"attribute": "mail"},
        "first_name": {"attribute": "givenName"},
        "date_of_birth": {"attribute": "birthDate", "format": "%Y-%m-%d"},
    }
    assert draft.draft["jit"] == {"create": True, "update": False, "welcome_email": False}


def test_a_mandatory_field_without_a_name_is_saved_and_named(
    browser: FlaskClient, send: Callable[..., Any], draft: Integration
) -> None:
    answer = send(draft, email_attribute=" ")
    assert answer.location.endswith("setup/mapping")
    assert "where the E-mail address comes from" in browser.get(answer.location).text
    assert "email" not in draft.draft["mapping"]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"email_attribute": "x" * 301}, "at most 300 characters"),
        ({"email_attribute": "ma\u202eil"}, "invisible characters"),
        ({"email_source": "elsewhere"}, "Not a valid choice"),
        ({"date_format": "%d/%m/%y"}, "Choose how the date of birth is written"),
    ],
)
def test_what_cannot_be_a_mapping_is_an_error(
    send: Callable[..., Any], draft: Integration, values: dict[str, str], sentence: str
) -> None:
    before = draft.draft
    answer = send(draft, first_name_attribute="typed-name", **values)
    assert answer.status_code == 200
    assert sentence in answer.text
    assert "typed-name" in answer.text
    assert draft.draft == before


@pytest.mark.parametrize(
    ("region", "first"),
    [
        (Region.INTERNATIONAL, "dd/mm/yyyy: 03/04/1990 is 3 April 1990"),
        (Region.US, "mm/dd/yyyy: 04/03/1990 is 3 April 1990"),
    ],
)
def test_the_regions_usual_date_format_is_chosen_in_a_new_draft(
    make: Factory, sign_in: Callable[..., FlaskClient], region: Region, first: str
) -> None:
    programme = make.programme("usual", region=region)
    browser = sign_in(make.staff(programme))
    started = browser.post("/manager/usual/integrations/new/okta").location
    page = browser.get(started.replace("initial", "mapping")).text
    options = page[page.index('id="date_format"') :]
    assert options.index(first) < options.index("yyyy-mm-dd:")
    assert f'selected value="{programme.usual_date_format}"' in options


def test_examples_and_names_of_the_last_test_are_shown(
    browser: FlaskClient,
    draft: Integration,
    path: Callable[..., str],
    response_for: Callable[..., str],
) -> None:
    browser.post(path(draft, "setup/testing"), data={"response": response_for(draft)})
    page = browser.get(path(draft, "setup/mapping")).text
    assert "<code>03/04/1990</code>" in page
    assert "3 April 1990" in page
    assert '<option value="employeeNumber">' in page


def test_an_example_of_another_name_is_not_passed_off_as_this_one(
    browser: FlaskClient,
    send: Callable[..., Any],
    draft: Integration,
    path: Callable[..., str],
    response_for: Callable[..., str],
) -> None:
    browser.post(path(draft, "setup/testing"), data={"response": response_for(draft)})
    send(draft)
    assert "The last test looked elsewhere" in browser.get(path(draft, "setup/mapping")).text


def test_a_mapping_that_changed_meanwhile_is_not_lost_silently(
    browser: FlaskClient, send: Callable[..., Any], draft: Integration, path: Callable[..., str]
) -> None:
    page = browser.get(path(draft, "setup/mapping")).text
    send(draft)
    answer = browser.post(path(draft, "setup/mapping"), data=hidden_fields(page) | FULL | {"email_attribute": "mine"})
    assert "This draft changed while you had it open" in answer.text
    assert 'value="mine"' in answer.text
    assert draft.draft["mapping"]["email"] == {"attribute": "mail"}


def test_the_just_in_time_box_says_what_it_does(
    browser: FlaskClient, draft: Integration, path: Callable[..., str], acme: Programme
) -> None:
    page = browser.get(path(draft, "setup/mapping")).text
    assert "Just-In-Time provisioning: create an account on the first sign-in" in page
    assert "only people who have an account already can sign in" in page
    assert "/mail/preview/welcome" in page
