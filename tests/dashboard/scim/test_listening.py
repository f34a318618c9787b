"""Listening: what a real client sends before anything is published, and what the dashboard says of it."""

from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rgapp.audit.service import COMMAND_LINE
from rgapp.clock import utcnow
from rgapp.integrations import service
from rgapp.integrations.scim import tokens
from rgapp.models import Integration, User
from tests.scim.conftest import SCIMClient, jane


def client_of(app: Flask, session: Session, integration: Integration) -> SCIMClient:
    """Return a client with a new token of this integration."""
    _, token = tokens.issue(session, integration, actor=COMMAND_LINE, now=utcnow())
    session.commit()
    return SCIMClient(app.test_client(), f"/scim/{integration.programme_id}/v2", token)


def test_what_a_client_sends_is_answered_explained_and_not_written(
    app: Flask, session: Session, browser: FlaskClient, draft: Integration, path: Callable[..., str]
) -> None:
    scim = client_of(app, session, draft)
    assert scim("POST", "/Users", jane()).status_code == 201
    page = browser.get(path(draft, "scim/testing/requests")).text
    assert "Would create an account for Jane Carter (E1001)." in page
    assert session.scalar(select(func.count()).select_from(User)) == 0
    assert "name.givenName" in browser.get(path(draft, "scim/mapping")).text


def test_a_person_whom_the_draft_could_take_is_a_passed_test(app: Flask, session: Session, draft: Integration) -> None:
    scim = client_of(app, session, draft)
    scim("GET", "/Users")
    assert not service.is_tested(draft)
    scim("POST", "/Users", jane())
    session.refresh(draft)
    assert service.is_tested(draft)


def test_one_record_that_is_wrong_takes_no_test_away(app: Flask, session: Session, draft: Integration) -> None:
    scim = client_of(app, session, draft)
    scim("POST", "/Users", jane())
    assert scim("POST", "/Users", jane(externalId=None)).status_code == 400
    session.refresh(draft)
    assert service.is_tested(draft)


def test_a_change_of_the_mapping_asks_for_another_test(
    app: Flask, session: Session, browser: FlaskClient, draft: Integration, path: Callable[..., str]
) -> None:
    scim = client_of(app, session, draft)
    scim("POST", "/Users", jane())
    session.refresh(draft)
    draft.draft = draft.draft | {"mapping": draft.draft["mapping"] | {"membership_no": {"attribute": "userName"}}}
    session.commit()
    assert "This draft has passed a test" not in browser.get(path(draft, "scim/testing")).text


def test_a_refusal_of_what_is_live_is_explained_in_the_log(
    app: Flask, session: Session, browser: FlaskClient, live: Integration, path: Callable[..., str]
) -> None:
    scim = client_of(app, session, live)
    scim("POST", "/Users", jane())
    other = jane(externalId="E7", userName="other@acme.example")
    assert scim("POST", "/Users", other).status_code == 409
    page = browser.get(path(live, "?show=refused")).text
    assert "Refused because the e-mail address belongs to another Membership No." in page
    assert "Jane Carter (E7)" in page


def test_groups_are_spoken_of_as_groups(
    app: Flask, session: Session, browser: FlaskClient, live: Integration, path: Callable[..., str]
) -> None:
    scim = client_of(app, session, live)
    body = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Warehouse"}
    assert scim("POST", "/Groups", body).status_code == 201
    page = browser.get(path(live)).text
    assert "Kept the new group Warehouse." in page
    assert '<td data-label="Person">Group Warehouse</td>' in page


def test_a_draft_is_tried_with_people_who_are_here_already(
    app: Flask, session: Session, browser: FlaskClient, live: Integration, path: Callable[..., str]
) -> None:
    scim = client_of(app, session, live)
    scim("POST", "/Users", jane())
    live.draft = live.draft | {"mapping": live.draft["mapping"] | {"first_name": {"attribute": "userName"}}}
    session.commit()
    assert not service.is_tested(live)
    assert "Try the draft with the last people" in browser.get(path(live, "scim/testing")).text
    page = browser.post(path(live, "scim/testing/again"), follow_redirects=True).text
    assert "The draft reads all 1 of them well." in page
    assert "Somebody it has brought, read again" in page
    session.refresh(live)
    assert service.is_tested(live)


def test_a_draft_that_cannot_take_somebody_has_not_passed(
    app: Flask, session: Session, browser: FlaskClient, live: Integration, path: Callable[..., str]
) -> None:
    scim = client_of(app, session, live)
    scim("POST", "/Users", jane())
    live.draft = live.draft | {"mapping": live.draft["mapping"] | {"membership_no": {"attribute": "nickName"}}}
    session.commit()
    page = browser.post(path(live, "scim/testing/again"), follow_redirects=True).text
    assert "The draft cannot take all of them." in page
    assert "“nickName” did not arrive." in page
    session.refresh(live)
    assert not service.is_tested(live)


def test_nobody_is_read_again_where_nobody_came(
    browser: FlaskClient, live: Integration, path: Callable[..., str]
) -> None:
    page = browser.post(path(live, "scim/testing/again"), follow_redirects=True).text
    assert "This connection has brought nobody yet" in page
