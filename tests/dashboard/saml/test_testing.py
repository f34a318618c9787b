"""Testing: a dry run says what would happen, and writes neither a user nor a mail."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rgapp.integrations import service
from rgapp.integrations.saml.understood import read_pasted
from rgapp.models import AuditEvent, Integration, OutboxMail, Programme, SignInAttempt, User
from tests.factories import Factory
from tests.sso.conftest import JANE, saml_settings


@pytest.fixture
def examine(browser: FlaskClient, path: Callable[..., str]) -> Callable[..., str]:
    """Return a function that pastes a response and returns the page of the result."""

    def paste(integration: Integration, response: str) -> str:
        answer = browser.post(path(integration, "setup/testing"), data={"response": response})
        assert answer.status_code == 303, answer.text
        return browser.get(answer.location.partition("#")[0]).text

    return paste


def count(session: Session, model: Any) -> int:
    return session.scalar(select(func.count()).select_from(model)) or 0


def test_a_good_response_would_create_an_account_and_writes_none(
    session: Session, examine: Callable[..., str], draft: Integration, response_for: Callable[..., str]
) -> None:
    page = examine(draft, response_for(draft))
    assert "Would create an account for Jane Carter (E1001)." in page
    assert "3 April 1990" in page
    assert count(session, User) == 0
    assert count(session, OutboxMail) == 0
    assert service.is_tested(draft)
    assert "integration:tested" in set(session.scalars(select(AuditEvent.tag)))


def test_an_existing_person_would_sign_in(
    make: Factory,
    acme: Programme,
    examine: Callable[..., str],
    draft: Integration,
    response_for: Callable[..., str],
) -> None:
    make.user(acme, membership_no="E1001", email="jane.carter@acme.example", date_of_birth="1990-04-03")
    assert "Would sign in as " in examine(draft, response_for(draft))


def test_a_missing_attribute_is_named_with_the_nearest_that_arrived(
    examine: Callable[..., str], draft: Integration, response_for: Callable[..., str]
) -> None:
    attributes = {key: value for key, value in JANE.items() if key != "mail"} | {"email": JANE["mail"]}
    page = examine(draft, response_for(draft, attributes=attributes))
    assert "Would be refused because" in page
    assert "The nearest name that arrived is <code>email</code>" in page
    assert not service.is_tested(draft)


def test_a_failed_signature_still_shows_what_arrived(
    examine: Callable[..., str], draft: Integration, response_for: Callable[..., str]
) -> None:
    page = examine(draft, response_for(draft, sign="none"))
    assert "Would be refused because" in page
    assert "employeeNumber" in page
    assert "What did not pass" in page


def test_the_text_for_the_it_team_names_nobody(
    examine: Callable[..., str], draft: Integration, response_for: Callable[..., str]
) -> None:
    page = examine(draft, response_for(draft, sign="none"))
    text = page[page.index("<pre") : page.index("</pre>")]
    assert "employeeNumber" in text
    for personal in ("Jane", "Carter", "E1001", "1990"):
        assert personal not in text


def test_jit_off_would_refuse_a_person_without_an_account(
    make: Factory,
    acme: Programme,
    idp_key: tuple[str, str],
    examine: Callable[..., str],
    response_for: Callable[..., str],
) -> None:
    settings = saml_settings(idp_key[1], jit={"create": False, "update": False, "welcome_email": True})
    draft = make.integration(acme, settings, published=False)
    assert "Just-In-Time provisioning is off" in examine(draft, response_for(draft))


@pytest.mark.parametrize("given", ["nonsense", "<a/>", "%%%", "SAMLResponse=", "PGEvPg=="])
def test_anything_may_be_pasted(examine: Callable[..., str], draft: Integration, given: str) -> None:
    assert "Would be refused because" in examine(draft, given or "x")


def test_an_empty_or_huge_paste_is_an_error(
    browser: FlaskClient, draft: Integration, path: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rgapp.integrations.saml.mapping_forms.MAX_BASE64", 100)
    assert "Paste the SAMLResponse" in browser.post(path(draft, "setup/testing"), data={"response": " "}).text
    answer = browser.post(path(draft, "setup/testing"), data={"response": "A" * 201})
    assert "too large to be a SAMLResponse" in answer.text


def test_an_incomplete_draft_cannot_be_tested(
    browser: FlaskClient, session: Session, acme: Programme, make: Factory, path: Callable[..., str]
) -> None:
    draft = make.integration(acme, {"idp": {"certificates": []}, "mapping": {}}, published=False)
    page = browser.get(path(draft, "setup/testing")).text
    assert "not complete enough to be tested" in page
    assert browser.post(path(draft, "setup/testing"), data={"response": "x"}).status_code == 303
    assert count(session, SignInAttempt) == 0


def test_the_last_tests_are_listed(
    examine: Callable[..., str], draft: Integration, response_for: Callable[..., str]
) -> None:
    examine(draft, response_for(draft, sign="none"))
    page = examine(draft, response_for(draft))
    assert page.count("?attempt=") == 2


def test_the_draft_is_tested_and_not_what_is_live(
    browser: FlaskClient,
    examine: Callable[..., str],
    live: Integration,
    path: Callable[..., str],
    response_for: Callable[..., str],
) -> None:
    from tests.dashboard.saml.test_mapping import FULL

    browser.post(path(live, "setup/mapping"), data=FULL | {"membership_no_attribute": "other"})
    assert "Would be refused because" in examine(live, response_for(live))


@pytest.mark.parametrize(
    ("pasted", "read"),
    [
        ("  PGEv\nPg==  ", "PGEvPg=="),
        ("<a/>", "PGEvPg=="),
        ("SAMLResponse=PGEvPg%3D%3D&RelayState=x", "PGEvPg=="),
        ("PGEvPg%3D%3D", "PGEvPg=="),
        ('"PGEvPg=="', "PGEvPg=="),
        ("SAMLResponse: PGEvPg==", "PGEvPg=="),
    ],
)
def test_what_browsers_tools_give_is_read(pasted: str, read: str) -> None:
    assert read_pasted(pasted) == read
