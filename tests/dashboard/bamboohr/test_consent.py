"""Connect by consent: there and back, for one session, one time and fifteen minutes."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from rgapp.clock import utcnow
from rgapp.demo.bamboohr.service import Simulated
from rgapp.extensions import sealer
from rgapp.integrations.pulls import access
from rgapp.models import Integration, Staff
from tests.dashboard.conftest import BASE_URL

CLIENT = {"method": "oauth", "client_id": "rgapp-demo", "client_secret": "demo-client-secret"}


@pytest.fixture
def begun(
    browser: FlaskClient, draft: Integration, save_connect: Callable[..., Any], path: Callable[..., str]
) -> dict[str, str]:
    """Return what BambooHR's page is asked for, after an admin went there."""
    saved = save_connect(draft, **CLIENT)
    assert "Now allow us to read" in saved.text
    answer = browser.post(path(draft, "bamboohr/consent"))
    assert answer.status_code == 303
    parts = urlsplit(answer.location)
    assert parts.path == "/authorize.php"
    return {name: values[0] for name, values in parse_qs(parts.query).items()}


def refresh_token(session: Session, draft: Integration) -> str | None:
    found = access.secrets_of(access.of_integration(session, draft), sealer())
    return found.values.get("refresh_token") if found is not None else None


def test_a_consent_is_taken_and_lets_us_in(
    browser: FlaskClient,
    session: Session,
    draft: Integration,
    bamboo: Simulated,
    begun: dict[str, str],
    path: Callable[..., str],
) -> None:
    assert begun["redirect_uri"] == BASE_URL + path(draft, "bamboohr/consented")
    assert "offline_access" in begun["scope"]
    code = bamboo.door.code(begun["redirect_uri"])
    answer = browser.get(path(draft, f"bamboohr/consented?code={code}&state={begun['state']}"), follow_redirects=True)
    assert "BambooHR lets us in." in answer.text
    assert refresh_token(session, draft)
    assert code not in answer.text


def test_a_consent_counts_once(
    browser: FlaskClient,
    session: Session,
    draft: Integration,
    bamboo: Simulated,
    begun: dict[str, str],
    path: Callable[..., str],
) -> None:
    code = bamboo.door.code(begun["redirect_uri"])
    address = path(draft, f"bamboohr/consented?code={code}&state={begun['state']}")
    browser.get(address)
    kept = refresh_token(session, draft)
    again = browser.get(address, follow_redirects=True)
    assert "This consent was not begun here, or too long ago." in again.text
    assert refresh_token(session, draft) == kept


@pytest.mark.parametrize("state", ["", "another-state"])
def test_a_consent_that_was_not_begun_here_is_refused(
    browser: FlaskClient,
    session: Session,
    draft: Integration,
    bamboo: Simulated,
    begun: dict[str, str],
    path: Callable[..., str],
    state: str,
) -> None:
    code = bamboo.door.code(begun["redirect_uri"])
    answer = browser.get(path(draft, f"bamboohr/consented?code={code}&state={state}"), follow_redirects=True)
    assert answer.status_code == 400 or "This consent was not begun here" in answer.text
    assert refresh_token(session, draft) is None


def test_a_consent_of_one_session_counts_in_no_other(
    sign_in: Callable[[Staff], FlaskClient],
    admin: Staff,
    session: Session,
    draft: Integration,
    bamboo: Simulated,
    begun: dict[str, str],
    path: Callable[..., str],
) -> None:
    """Another browser of the same person: somebody could have sent her the link."""
    code = bamboo.door.code(begun["redirect_uri"])
    address = path(draft, f"bamboohr/consented?code={code}&state={begun['state']}")
    answer = sign_in(admin).get(address, follow_redirects=True)
    assert "This consent was not begun here" in answer.text
    assert refresh_token(session, draft) is None


@pytest.mark.parametrize("part", ["subdomain", "client_id"])
def test_a_consent_is_for_the_bamboohr_and_the_application_it_was_begun_for(
    browser: FlaskClient,
    session: Session,
    draft: Integration,
    bamboo: Simulated,
    begun: dict[str, str],
    give: Callable[..., None],
    path: Callable[..., str],
    part: str,
) -> None:
    """Somebody saves another one while the admin is away."""
    if part == "subdomain":
        draft.draft = {**draft.draft, "base_url": bamboo.origin.replace("127.0.0.1", "localhost")}
        session.commit()
    else:
        give(draft, "oauth", client_id="another", client_secret="another")
    code = bamboo.door.code(begun["redirect_uri"])
    answer = browser.get(path(draft, f"bamboohr/consented?code={code}&state={begun['state']}"), follow_redirects=True)
    assert "This consent was not begun here" in answer.text
    assert refresh_token(session, draft) is None
    assert "/token.php" not in "".join(bamboo.paths)


def test_a_consent_has_its_time(
    browser: FlaskClient,
    session: Session,
    draft: Integration,
    bamboo: Simulated,
    begun: dict[str, str],
    path: Callable[..., str],
) -> None:
    row = access.of_integration(session, draft)
    assert row is not None
    row.consent_until = utcnow() - timedelta(seconds=1)
    session.commit()
    code = bamboo.door.code(begun["redirect_uri"])
    answer = browser.get(path(draft, f"bamboohr/consented?code={code}&state={begun['state']}"), follow_redirects=True)
    assert "too long ago" in answer.text
    assert refresh_token(session, draft) is None


def test_somebody_who_declines_changes_nothing(
    browser: FlaskClient, session: Session, draft: Integration, begun: dict[str, str], path: Callable[..., str]
) -> None:
    address = path(draft, f"bamboohr/consented?error=access_denied&state={begun['state']}")
    answer = browser.get(address, follow_redirects=True)
    assert "was not allowed to let us in" in answer.text
    assert refresh_token(session, draft) is None


def test_a_code_that_bamboohr_does_not_know_is_said(
    browser: FlaskClient, session: Session, draft: Integration, begun: dict[str, str], path: Callable[..., str]
) -> None:
    answer = browser.get(path(draft, f"bamboohr/consented?code=x&state={begun['state']}"), follow_redirects=True)
    assert "did not take the code of this consent" in answer.text
    assert refresh_token(session, draft) is None


def test_the_page_may_send_its_form_to_bamboohr_and_nowhere_else(
    browser: FlaskClient,
    draft: Integration,
    bamboo: Simulated,
    save_connect: Callable[..., Any],
    path: Callable[..., str],
) -> None:
    before = browser.get(path(draft, "bamboohr/connect")).headers["Content-Security-Policy"]
    assert "form-action 'self';" in f"{before};"
    save_connect(draft, **CLIENT)
    after = browser.get(path(draft, "bamboohr/connect")).headers["Content-Security-Policy"]
    assert f"form-action 'self' {bamboo.origin}" in after


def test_a_renewed_token_is_kept_from_a_page_that_only_reads(
    browser: FlaskClient,
    session: Session,
    draft: Integration,
    bamboo: Simulated,
    give: Callable[..., None],
    path: Callable[..., str],
) -> None:
    given = bamboo.do(consent=True)["refresh_token"]
    give(draft, "oauth", client_id="rgapp-demo", client_secret="demo-client-secret", refresh_token=given)
    assert "010001" in browser.get(path(draft, "pull/mapping")).text
    renewed = refresh_token(session, draft)
    assert renewed != given
    assert "010001" in browser.get(path(draft, "pull/mapping")).text


def test_a_revoked_consent_is_said_on_the_page(
    browser: FlaskClient,
    draft: Integration,
    bamboo: Simulated,
    give: Callable[..., None],
    path: Callable[..., str],
) -> None:
    given = bamboo.do(consent=True)["refresh_token"]
    give(draft, "oauth", client_id="rgapp-demo", client_secret="demo-client-secret", refresh_token=given)
    bamboo.do(revoke=True)
    page = browser.get(path(draft, "pull/mapping")).text
    assert "We cannot read BambooHR now" in page
    assert "The consent was revoked or has run out." in page
