"""Mapping: which attribute each of our fields comes from, and what arrived."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from rgapp.integrations.scim.settings import ISO_DATE
from rgapp.models import Integration, SCIMRequest
from tests.dashboard.scim.conftest import field

EMPLOYEE_NUMBER = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber"
USUAL = {
    "membership_no_source": "externalId",
    "email_source": "emails[primary eq true].value",
    "first_name_source": "name.givenName",
    "last_name_source": "name.familyName",
    "date_of_birth_source": "",
    "date_format": ISO_DATE,
}


@pytest.fixture
def send(browser: FlaskClient, path: Callable[..., str]) -> Callable[..., Any]:
    """Return a function that saves Mapping."""

    def saved(integration: Integration, **values: str) -> Any:
        return browser.post(path(integration, "scim/mapping"), data=USUAL | values)

    return saved


def test_a_usual_attribute_is_chosen(send: Callable[..., Any], draft: Integration) -> None:
    answer = send(draft, membership_no_source=EMPLOYEE_NUMBER)
    assert answer.location.endswith("/scim/testing")
    assert draft.draft["mapping"]["membership_no"] == {"attribute": EMPLOYEE_NUMBER}
    assert "date_of_birth" not in draft.draft["mapping"]


def test_another_attribute_is_typed(send: Callable[..., Any], draft: Integration) -> None:
    send(draft, membership_no_source="other", membership_no_attribute=' roles[type eq "payroll"].value ')
    assert draft.draft["mapping"]["membership_no"] == {"attribute": 'roles[type eq "payroll"].value'}


def test_what_was_typed_beside_a_usual_attribute_does_not_count(send: Callable[..., Any], draft: Integration) -> None:
    send(draft, membership_no_attribute="nickName")
    assert draft.draft["mapping"]["membership_no"] == {"attribute": "externalId"}


def test_a_date_comes_with_its_format(send: Callable[..., Any], draft: Integration) -> None:
    send(draft, date_of_birth_source="other", date_of_birth_attribute="x.birthday", date_format="%d/%m/%Y")
    assert draft.draft["mapping"]["date_of_birth"] == {"attribute": "x.birthday", "format": "%d/%m/%Y"}


def test_a_path_that_is_none_is_refused_beside_its_field(send: Callable[..., Any], draft: Integration) -> None:
    before = draft.draft
    answer = send(draft, email_source="other", email_attribute="emails[")
    assert answer.status_code == 200
    assert "“emails[” is not a SCIM attribute" in answer.text.replace("&#34;", '"')
    assert draft.draft == before


def test_a_mandatory_field_without_a_source_is_saved_and_asked_for(
    send: Callable[..., Any], draft: Integration
) -> None:
    answer = send(draft, membership_no_source="other")
    assert answer.location.endswith("/scim/mapping")
    assert "membership_no" not in draft.draft["mapping"]


def test_what_arrived_is_shown_and_suggested(
    browser: FlaskClient, draft: Integration, logged: Callable[..., SCIMRequest], path: Callable[..., str]
) -> None:
    logged(draft, listening=True, arrived=["userName", "nickName"], fields=[field("membership_no", "E1", "externalId")])
    page = browser.get(path(draft, "scim/mapping")).text
    assert "In the last requests: <code>E1</code>" in page
    assert '<option value="nickName">' in page


def test_an_example_of_another_mapping_says_so(
    browser: FlaskClient, draft: Integration, logged: Callable[..., SCIMRequest], path: Callable[..., str]
) -> None:
    logged(draft, listening=True, fields=[field("membership_no", "E1", "userName")])
    assert "were read with another attribute" in browser.get(path(draft, "scim/mapping")).text
