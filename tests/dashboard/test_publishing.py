"""Review, publish, history and the switch: what goes live, when, and how it is undone."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from rgapp.clock import utcnow
from rgapp.demo.responses import make_idp_key
from rgapp.integrations import service
from rgapp.models import Integration, Programme
from tests.dashboard.conftest import hidden_fields
from tests.dashboard.saml.test_mapping import FULL
from tests.factories import Factory
from tests.sso.conftest import saml_settings


@pytest.fixture
def publish(browser: FlaskClient, path: Callable[..., str]) -> Callable[..., Any]:
    """Return a function that opens Review and presses Publish."""

    def press(integration: Integration, **values: str) -> Any:
        page = browser.get(path(integration, "setup/review")).text
        return browser.post(path(integration, "setup/review"), data=hidden_fields(page) | values)

    return press


def live_mapping(session: Session, integration: Integration) -> Any:
    settings = service.live_settings(session, integration)
    return settings["mapping"]["membership_no"] if settings else None


def test_an_untested_draft_needs_an_explicit_tick(publish: Callable[..., Any], draft: Integration) -> None:
    answer = publish(draft)
    assert answer.status_code == 200
    assert "tick the box to publish it without a test" in answer.text
    assert draft.live_version is None

    assert publish(draft, without_test="y").status_code == 303
    assert draft.live_version == 1
    assert draft.enabled


def test_a_tested_draft_is_published(
    browser: FlaskClient,
    publish: Callable[..., Any],
    draft: Integration,
    path: Callable[..., str],
    response_for: Callable[..., str],
) -> None:
    browser.post(path(draft, "setup/testing"), data={"response": response_for(draft)})
    assert "Publish without a test" not in browser.get(path(draft, "setup/review")).text
    assert publish(draft).status_code == 303
    assert draft.live_version == 1


def test_a_change_after_the_test_asks_for_another(
    browser: FlaskClient,
    publish: Callable[..., Any],
    draft: Integration,
    path: Callable[..., str],
    response_for: Callable[..., str],
) -> None:
    browser.post(path(draft, "setup/testing"), data={"response": response_for(draft)})
    browser.post(path(draft, "setup/mapping"), data=FULL)
    assert publish(draft).status_code == 200
    assert draft.live_version is None


def test_an_incomplete_draft_is_refused_with_links_to_the_steps(
    make: Factory, acme: Programme, publish: Callable[..., Any]
) -> None:
    draft = make.integration(acme, {"idp": {"certificates": []}, "mapping": {}}, published=False)
    answer = publish(draft, without_test="y")
    for sentence in ("a signing certificate", "where the Membership No. comes from"):
        assert sentence in answer.text
    assert "setup/initial" in answer.text
    assert "setup/mapping" in answer.text
    assert draft.live_version is None


def test_an_expired_certificate_is_a_warning_and_no_wall(
    make: Factory, acme: Programme, publish: Callable[..., Any], browser: FlaskClient, path: Callable[..., str]
) -> None:
    _, expired = make_idp_key(utcnow() - timedelta(days=8000))
    draft = make.integration(acme, saml_settings(expired), published=False)
    assert "has expired" in browser.get(path(draft, "setup/review")).text
    assert publish(draft, without_test="y").status_code == 303
    page = browser.get("/manager/acme/integrations").text
    assert "Needs attention" in page
    assert "The signing certificate has expired." in page


def test_what_was_reviewed_is_what_is_published(
    browser: FlaskClient, draft: Integration, path: Callable[..., str]
) -> None:
    page = browser.get(path(draft, "setup/review")).text
    browser.post(path(draft, "setup/mapping"), data=FULL)
    answer = browser.post(path(draft, "setup/review"), data=hidden_fields(page) | {"without_test": "y"})
    assert "This draft changed while you had it open" in answer.text
    assert draft.live_version is None


def test_a_draft_changes_nothing_that_is_live_until_it_is_published(
    browser: FlaskClient,
    session: Session,
    publish: Callable[..., Any],
    live: Integration,
    path: Callable[..., str],
) -> None:
    browser.post(path(live, "setup/mapping"), data=FULL)
    assert live_mapping(session, live) == {"attribute": "employeeNumber"}
    assert "The draft has changes that are not live" in browser.get("/manager/acme/integrations").text
    review = browser.get(path(live, "setup/review")).text
    assert "<del>“employeeNumber”</del>" in review
    assert "<ins>“employeeid”</ins>" in review

    publish(live, without_test="y")
    assert live_mapping(session, live) == {"attribute": "employeeid"}
    assert live.live_version == 2


def test_history_shows_what_each_version_changed_and_restores_into_the_draft(
    browser: FlaskClient,
    session: Session,
    publish: Callable[..., Any],
    live: Integration,
    path: Callable[..., str],
) -> None:
    first = live.draft
    browser.post(path(live, "setup/mapping"), data=FULL)
    publish(live, without_test="y")
    page = browser.get(path(live, "history")).text
    assert "Version 2" in page
    assert "<ins>“employeeid”</ins>" in page
    assert "without a test" in page

    answer = browser.post(path(live, "history/1/restore"))
    assert answer.location.endswith("setup/review")
    assert live.draft == first
    assert live_mapping(session, live) == {"attribute": "employeeid"}


def test_a_version_that_never_was_cannot_be_restored(
    browser: FlaskClient, live: Integration, path: Callable[..., str]
) -> None:
    assert browser.post(path(live, "history/9/restore")).status_code == 404


def test_the_switch_says_what_happens_and_does_it(
    browser: FlaskClient, live: Integration, path: Callable[..., str]
) -> None:
    page = browser.get("/manager/acme/integrations").text
    assert "nobody can sign in with Okta" in page
    browser.post(path(live, "switch"), data={"on": "false"})
    assert not live.enabled
    assert "Paused" in browser.get("/manager/acme/integrations").text
    answer = browser.post(path(live, "switch"), data={"on": "true", "back": "integration"})
    assert live.enabled
    assert answer.location.endswith(f"{live.id}/")


def test_a_draft_cannot_be_switched_on(browser: FlaskClient, draft: Integration, path: Callable[..., str]) -> None:
    browser.post(path(draft, "switch"), data={"on": "true"})
    assert not draft.enabled
    assert "has to be published before" in browser.get("/manager/acme/integrations").text


def test_a_first_publishing_says_what_employees_will_notice(
    browser: FlaskClient, draft: Integration, path: Callable[..., str]
) -> None:
    page = browser.get(path(draft, "setup/review")).text
    assert "A button “Sign in with Okta” appears" in page
    assert "People without an account get one on their first sign-in and get a welcome e-mail." in page


def test_the_stepper_shows_which_steps_are_complete(
    browser: FlaskClient, draft: Integration, path: Callable[..., str]
) -> None:
    page = browser.get(path(draft, "setup/review")).text
    assert page.count("is-done") == 2


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({}, "Employees see no difference."),
        ({"sp_initiated": False, "idp_initiated": True}, "The button “Sign in with Okta” disappears"),
        ({"idp_initiated": True}, "Employees can start from their company&#39;s own portal."),
        ({"jit": {"create": False}}, "People without an account can no longer sign in"),
    ],
)
def test_review_compares_with_what_employees_know(
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


def test_a_draft_is_deleted_with_its_tests_and_what_was_live_is_not(
    browser: FlaskClient,
    make: Factory,
    acme: Programme,
    live: Integration,
    idp_key: tuple[str, str],
    path: Callable[..., str],
    response_for: Callable[..., str],
) -> None:
    draft = make.integration(acme, saml_settings(idp_key[1]), name="Mistake", published=False)
    browser.post(path(draft, "setup/testing"), data={"response": response_for(draft)})
    metadata = f"/sso/{draft.public_id}/metadata"
    assert browser.get(metadata).status_code == 200
    kept = path(live, "discard")
    browser.post(path(draft, "discard"))
    browser.post(kept)
    page = browser.get("/manager/acme/integrations").text
    assert "Okta" in page
    assert page.count("integration-card") == 1
    assert browser.get(metadata).status_code == 404
