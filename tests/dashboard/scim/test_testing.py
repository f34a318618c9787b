"""Testing: what comes in while the connection listens, and a user that is pasted."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rgapp.integrations import service
from rgapp.models import Integration, OutboxMail, Programme, SCIMRequest, User
from tests.dashboard.scim.conftest import REFUSED
from tests.factories import Factory

JANE: dict[str, Any] = {
    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
    "userName": "jane@acme.example",
    "externalId": "E1001",
    "name": {"givenName": "Jane", "familyName": "Carter"},
    "emails": [{"value": "jane@acme.example", "type": "work", "primary": True}],
    "active": True,
}


@pytest.fixture
def paste(browser: FlaskClient, path: Callable[..., str]) -> Callable[..., Any]:
    """Return a function that pastes a user."""

    def pasted(integration: Integration, resource: Any) -> Any:
        text = resource if isinstance(resource, str) else json.dumps(resource)
        return browser.post(path(integration, "scim/testing"), data={"resource": text}, follow_redirects=True)

    return pasted


def test_a_pasted_user_says_what_would_come_of_it_and_writes_nothing(
    session: Session, paste: Callable[..., Any], draft: Integration
) -> None:
    page = paste(draft, JANE).text
    assert "Would create an account for Jane Carter (E1001)." in page
    assert "This draft has passed a test" in page
    assert service.is_tested(draft)
    assert session.scalar(select(func.count()).select_from(User)) == 0
    assert session.scalar(select(func.count()).select_from(OutboxMail)) == 0


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"active": False}, "Would make Robin Field (E1001) a leaver."),
        ({"active": "False"}, "Would make Robin Field (E1001) a leaver."),
        ({}, "Would update the details of Robin Field (E1001)."),
    ],
)
def test_somebody_who_is_here_is_compared(
    make: Factory,
    acme: Programme,
    paste: Callable[..., Any],
    draft: Integration,
    change: dict[str, Any],
    sentence: str,
) -> None:
    make.user(acme, membership_no="E1001", email="robin@acme.example")
    resource = JANE | {"name": {"givenName": "Robin", "familyName": "Field"}} | change
    assert sentence in paste(draft, resource).text


def test_a_user_who_cannot_be_taken_fails_the_test(
    make: Factory, acme: Programme, paste: Callable[..., Any], draft: Integration
) -> None:
    make.user(acme, membership_no="E7", email="jane@acme.example")
    page = paste(draft, JANE).text
    assert "Would be refused because the e-mail address belongs to another Membership No." in page
    assert "Who fixes it" in page
    assert not service.is_tested(draft)


def test_a_missing_membership_no_names_the_attribute(paste: Callable[..., Any], draft: Integration) -> None:
    resource = {name: value for name, value in JANE.items() if name != "externalId"}
    page = paste(draft, resource).text
    assert "Would be refused because the Membership No. is missing." in page
    assert "“externalId” did not arrive." in page


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Paste a user as your SCIM client sends it."),
        ("{", "This is not JSON."),
        ("[]", "no SCIM user"),
        ('"x"', "no SCIM user"),
        ("[" * 100_000, "This is not JSON."),
        (json.dumps(JANE | {"externalId": "E1\0"}), "a NUL or half a character"),
        (json.dumps(JANE | {"name": {"givenName": "J\ud800"}}), "a NUL or half a character"),
        (json.dumps({"Resources": [JANE, JANE]}), "This is a list."),
        ("x" * 200_001, "too large"),
    ],
)
def test_what_is_no_user_is_said_beside_the_field(
    paste: Callable[..., Any], draft: Integration, text: str, sentence: str
) -> None:
    assert sentence in paste(draft, text).text


def test_a_list_with_one_user_is_that_user(paste: Callable[..., Any], draft: Integration) -> None:
    assert "Would create an account" in paste(draft, {"Resources": [JANE]}).text


def test_an_incomplete_draft_is_not_tested(
    session: Session, browser: FlaskClient, draft: Integration, path: Callable[..., str]
) -> None:
    draft.draft = draft.draft | {"mapping": {}}
    session.flush()
    assert "not complete enough" in browser.get(path(draft, "scim/testing")).text
    answer = browser.post(path(draft, "scim/testing"), data={"resource": json.dumps(JANE)})
    assert answer.location.endswith("setup/review")


def test_requests_appear_with_the_verdict_on_each_field(
    browser: FlaskClient, draft: Integration, logged: Callable[..., SCIMRequest], path: Callable[..., str]
) -> None:
    logged(draft, listening=True)
    logged(draft, listening=True, **REFUSED)
    for rest in ("scim/testing", "scim/testing/requests"):
        page = browser.get(path(draft, rest)).text
        assert "Would create an account for Jane Carter (E1001)." in page
        assert "Would be refused because the e-mail address belongs to another Membership No." in page


def test_the_fragment_is_no_whole_page(browser: FlaskClient, draft: Integration, path: Callable[..., str]) -> None:
    page = browser.get(path(draft, "scim/testing/requests")).text
    assert "<html" not in page
    assert "Listening" in page


def test_without_a_token_the_next_step_is_to_issue_one(
    browser: FlaskClient, draft: Integration, path: Callable[..., str]
) -> None:
    assert "The client cannot connect yet" in browser.get(path(draft, "scim/testing")).text
