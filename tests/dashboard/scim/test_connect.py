"""Connect: the name, what the connection may do, and bearer tokens, which are shown once."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from rgapp.audit.service import COMMAND_LINE
from rgapp.clock import utcnow
from rgapp.integrations.scim import tokens
from rgapp.models import Integration, SCIMToken
from tests.dashboard.conftest import hidden_fields

BOXES = {"name": "Entra", "welcome_email": "y", "provision_master": "y", "on_delete": "deactivate"}


@pytest.fixture
def issue(session: Session) -> Callable[..., SCIMToken]:
    """Return a function that issues a token as it was some days ago."""

    def issued(integration: Integration, *, days: int = 0, lifetime: int | None = 365, label: str = "") -> SCIMToken:
        lasts = timedelta(days=lifetime) if lifetime is not None else None
        then = utcnow() - timedelta(days=days)
        return tokens.issue(session, integration, actor=COMMAND_LINE, now=then, label=label, lifetime=lasts)[0]

    return issued


def shown_token(page: str) -> str:
    found = re.search(r'id="copy-secret-token" type="text" value="([^"]+)"', page)
    assert found
    return found[1]


def test_a_token_is_shown_once(
    browser: FlaskClient, session: Session, draft: Integration, path: Callable[..., str]
) -> None:
    answer = browser.post(path(draft, "scim/tokens"), data={"label": "Production", "lifetime": "90"})
    assert "It is shown once, on this page" in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    token = shown_token(answer.text)
    bearer = tokens.authenticate(session, draft.programme_id, token, now=utcnow())
    assert bearer is not None
    assert bearer.integration_id == draft.id

    page = browser.get(path(draft, "scim/connect")).text
    assert token not in page
    assert "Production" in page
    assert f"Ends in <code>{token[-4:]}</code>" in page
    assert "by Alex Admin" in page
    assert "Last used: <span" in page


def test_a_third_token_has_to_wait(
    browser: FlaskClient, session: Session, draft: Integration, path: Callable[..., str], issue: Callable[..., Any]
) -> None:
    for _ in range(2):
        issue(draft)
    assert "Issue a token" not in browser.get(path(draft, "scim/connect")).text
    answer = browser.post(path(draft, "scim/tokens"), data={"lifetime": "365"}, follow_redirects=True)
    assert "Two tokens are live already" in answer.text
    assert len(tokens.of_integration(session, draft)) == 2


@pytest.mark.parametrize("values", [{"lifetime": "7"}, {"lifetime": "365", "label": "x" * 61}, {"lifetime": ""}])
def test_a_token_that_makes_no_sense_is_not_issued(
    browser: FlaskClient, session: Session, draft: Integration, path: Callable[..., str], values: dict[str, str]
) -> None:
    answer = browser.post(path(draft, "scim/tokens"), data=values, follow_redirects=True)
    assert "No token was issued." in answer.text
    assert tokens.of_integration(session, draft) == []


def test_revoking_says_what_stops_and_stops_it(
    browser: FlaskClient, session: Session, draft: Integration, path: Callable[..., str], issue: Callable[..., Any]
) -> None:
    row = issue(draft, label="Old")
    row.last_used_at = utcnow()
    session.flush()
    page = browser.get(path(draft, "tools")).text
    assert "Revoke “Old”?" in page
    assert "nobody is created, updated or taken out until you do" in page
    answer = browser.post(path(draft, f"scim/tokens/{row.id}/revoke"), data={"back": "tools"})
    assert answer.location.endswith("/tools#tokens")
    assert row.revoked_at is not None
    again = browser.post(path(draft, f"scim/tokens/{row.id}/revoke"), follow_redirects=True)
    assert "opens nothing any more" in again.text


def test_a_token_of_another_integration_is_not_revoked(
    browser: FlaskClient,
    make: Any,
    acme: Any,
    draft: Integration,
    path: Callable[..., str],
    issue: Callable[..., Any],
) -> None:
    row = issue(make.integration(acme, draft.draft, name="Okta", kind="scim", provider="okta-scim"))
    browser.post(path(draft, f"scim/tokens/{row.id}/revoke"))
    assert row.revoked_at is None


@pytest.mark.parametrize(
    ("days", "lifetime", "words"),
    [
        (0, None, "Works until it is revoked"),
        (0, 365, "Expires on "),
        (78, 90, "Expires in 11 days"),
        (91, 90, "Expired on "),
    ],
)
def test_each_token_says_until_when_it_works(
    browser: FlaskClient,
    draft: Integration,
    path: Callable[..., str],
    issue: Callable[..., Any],
    days: int,
    lifetime: int | None,
    words: str,
) -> None:
    issue(draft, days=days, lifetime=lifetime)
    assert words in browser.get(path(draft, "scim/connect")).text


def test_what_the_connection_may_do_is_saved_in_the_draft(
    browser: FlaskClient, draft: Integration, path: Callable[..., str]
) -> None:
    page = browser.get(path(draft, "scim/connect")).text
    assert f"/scim/{draft.programme_id}/v2" in page
    sent = {"name": "Entra ID", "on_delete": "detach"} | hidden_fields(page)
    answer = browser.post(path(draft, "scim/connect"), data=sent)
    assert answer.location.endswith("/scim/mapping")
    assert draft.name == "Entra ID"
    assert (draft.draft["welcome_email"], draft.draft["provision_master"]) == (False, False)
    assert draft.draft["on_delete"] == "detach"


@pytest.mark.parametrize("name", ["", "x" * 61])
def test_a_name_that_cannot_be_is_refused(
    browser: FlaskClient, draft: Integration, path: Callable[..., str], name: str
) -> None:
    answer = browser.post(path(draft, "scim/connect"), data=BOXES | {"name": name})
    assert answer.status_code == 200
    assert "One thing needs another look" in answer.text
    assert draft.name == "Entra"


def test_a_name_that_is_taken_is_refused(
    browser: FlaskClient, draft: Integration, make: Any, acme: Any, path: Callable[..., str]
) -> None:
    make.integration(acme, draft.draft, name="Okta", published=False, kind="scim", provider="okta-scim")
    answer = browser.post(path(draft, "scim/connect"), data=BOXES | {"name": "okta"})
    assert "Another integration of this programme has this name." in answer.text


def test_a_change_by_somebody_else_is_not_lost_silently(
    browser: FlaskClient, session: Session, draft: Integration, path: Callable[..., str]
) -> None:
    page = browser.get(path(draft, "scim/connect")).text
    draft.draft = draft.draft | {"on_delete": "detach"}
    session.flush()
    answer = browser.post(path(draft, "scim/connect"), data=BOXES | hidden_fields(page))
    assert "This draft changed while you had it open" in answer.text
    assert draft.draft["on_delete"] == "detach"
