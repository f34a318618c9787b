"""Review and publish of a SCIM integration: gaps, what changes for people, warnings, and the switch."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from rgapp.models import Integration
from tests.dashboard.conftest import hidden_fields


def test_a_first_publishing_says_what_changes_for_people(
    browser: FlaskClient, draft: Integration, path: Callable[..., str]
) -> None:
    page = browser.get(path(draft, "setup/review")).text
    for sentence in (
        "From now on, what Entra sends is written",
        "Whoever it takes out is out at once",
        "Each new person gets a welcome e-mail.",
        "Entra owns the fields it brings",
        "Somebody who is deleted there becomes a leaver here.",
        "No bearer token is live",
        "This draft has not passed a test",
    ):
        assert sentence in page


def test_it_is_published_without_a_test_only_on_purpose(
    browser: FlaskClient, draft: Integration, path: Callable[..., str]
) -> None:
    fields = hidden_fields(browser.get(path(draft, "setup/review")).text)
    assert browser.post(path(draft, "setup/review"), data=fields).status_code == 200
    assert draft.live_version is None
    assert browser.post(path(draft, "setup/review"), data=fields | {"without_test": "y"}).status_code == 303
    assert draft.live_version == 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({}, "Nothing changes for people."),
        ({"welcome_email": False}, "New people get no welcome e-mail from here."),
        ({"provision_master": False}, "Entra owns no fields"),
        ({"on_delete": "detach"}, "Somebody who is deleted there keeps the account here"),
    ],
)
def test_review_compares_with_what_is_live(
    browser: FlaskClient,
    session: Session,
    live: Integration,
    path: Callable[..., str],
    change: dict[str, Any],
    sentence: str,
) -> None:
    live.draft = live.draft | change
    session.flush()
    assert sentence in browser.get(path(live, "setup/review")).text


def test_a_new_mapping_says_from_when_it_counts(
    browser: FlaskClient, session: Session, live: Integration, path: Callable[..., str]
) -> None:
    live.draft = live.draft | {"mapping": live.draft["mapping"] | {"membership_no": {"attribute": "userName"}}}
    session.flush()
    page = browser.get(path(live, "setup/review")).text
    assert "From the next change of each person on" in page
    assert "<ins>“userName”</ins>" in page


def test_an_incomplete_draft_leads_to_mapping(
    browser: FlaskClient, session: Session, draft: Integration, path: Callable[..., str]
) -> None:
    draft.draft = draft.draft | {"mapping": {}}
    session.flush()
    page = browser.get(path(draft, "setup/review")).text
    assert "Mapping still needs where the Membership No. comes from." in page


def test_a_draft_that_does_not_hold_says_why(
    browser: FlaskClient, session: Session, draft: Integration, path: Callable[..., str]
) -> None:
    draft.draft = draft.draft | {"on_delete": "explode"}
    session.flush()
    page = browser.get(path(draft, "setup/review")).text
    assert "Not ready to be published yet" in page
    assert 'scim/connect">Connect</a>' in page


def test_the_switch_says_what_happens_and_does_it(
    browser: FlaskClient, live: Integration, path: Callable[..., str]
) -> None:
    assert "requests from Entra are refused" in browser.get("/manager/acme/integrations").text
    answer = browser.post(path(live, "switch"), data={"on": "false"}, follow_redirects=True)
    assert "Its requests are refused until it is on again." in answer.text
    assert "Switched off: its requests are refused." in answer.text
    assert not live.enabled


def test_a_draft_is_deleted_with_its_tokens_and_its_log(
    browser: FlaskClient, draft: Integration, logged: Callable[..., Any], path: Callable[..., str]
) -> None:
    browser.post(path(draft, "scim/tokens"), data={"lifetime": "90"})
    logged(draft, listening=True)
    gone, page = path(draft, "discard"), path(draft, "scim/connect")
    browser.post(gone)
    assert browser.get(page).status_code == 404
