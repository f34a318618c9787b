"""Somebody's own account in Reward Manager: another password, and the browsers they are signed in with."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from rgapp.audit import Tag
from rgapp.auth import challenges
from rgapp.auth import staff as accounts
from rgapp.clock import utcnow
from rgapp.models import AuditEvent, Staff, StaffLink, StaffSession
from tests.factories import PASSWORD, Factory
from tests.staff_client import browser_of
from tests.users.conftest import Platform

NEW = "tulips on 71 hills"
CHANGE = "/manager/account/password"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def ada(make: Factory, platform: Platform) -> Staff:
    """Return an admin of Acme with a password."""
    return make.staff(platform.acme, email="ada.lovelace@acme.example", name="Ada Lovelace")


@pytest.fixture
def browser(app: Flask, ada: Staff) -> FlaskClient:
    """Return Ada's browser."""
    return browser_of(app, ada)


def change(browser: FlaskClient, present: str = PASSWORD, new: str = NEW, again: str | None = None) -> str:
    """Try to change the password; returns the page that follows."""
    data = {"present": present, "password": new, "again": new if again is None else again}
    return browser.post(CHANGE, data=data, follow_redirects=True).text


def test_a_new_password_takes_the_present_one(browser: FlaskClient, session: Session, ada: Staff) -> None:
    assert "This is not your password." in change(browser, present="not the password at all")
    assert "Enter your present password." in change(browser, present="")
    assert "Your password is changed." in change(browser)
    assert accounts.authenticate(session, ada.email, NEW) is not None
    assert accounts.authenticate(session, ada.email, PASSWORD) is None


def test_every_rule_that_a_new_password_breaks_is_said_beside_the_field(browser: FlaskClient) -> None:
    page = change(browser, new="ada lovelace")
    for words in ("Use at least 16 characters.", "Leave out your name", "too easy to guess"):
        assert words in page.partition('id="password-error"')[2]
    assert "You had this password before." in change(browser, new=PASSWORD)
    assert "The two passwords are not the same." in change(browser, again="another")
    assert "Leave out your name" in change(browser, new="acme is on 71 hills")


def test_changing_the_password_signs_the_others_out_and_renews_this_one(
    app: Flask, browser: FlaskClient, session: Session, ada: Staff
) -> None:
    other = browser_of(app, ada)
    accounts.issue_link(session, ada, accounts.staff_actor(ada), now=utcnow())
    challenges.open_challenge(session, ada, now=utcnow())
    before = browser.get_cookie("rg_staff")
    assert "One other browser is signed out." in change(browser)
    after = browser.get_cookie("rg_staff")
    assert before is not None
    assert after is not None
    assert before.value != after.value
    assert browser.get("/manager/account").status_code == 200
    assert other.get("/manager/account").status_code == 302
    assert session.query(StaffLink).count() == 0
    event = session.scalars(
        select(AuditEvent).where(AuditEvent.tag == Tag.STAFF_PASSWORD_SET, AuditEvent.actor_id == ada.id)
    ).one()
    assert event.facts["sessions"] == 1
    assert NEW not in str(event.facts)


def test_the_browsers_are_listed_in_words_with_this_one_marked(
    browser: FlaskClient, session: Session, ada: Staff
) -> None:
    accounts.open_session(session, ada, user_agent=FIREFOX, now=utcnow())
    page = browser.get("/manager/account").text
    assert "Firefox on Windows" in page
    assert page.count("This browser") == 1
    for row in session.scalars(select(StaffSession)):
        assert row.token_hash not in page


def ends(page: str) -> list[str]:
    """Return the addresses that sign one browser out."""
    return re.findall(r'action="(/manager/account/sessions/[0-9a-f]+/end)"', page)


def test_one_browser_is_signed_out(app: Flask, browser: FlaskClient, ada: Staff) -> None:
    other, third = browser_of(app, ada), browser_of(app, ada)
    addresses = ends(browser.get("/manager/account").text)
    assert len(addresses) == 2
    assert "That browser is signed out." in browser.post(addresses[0], follow_redirects=True).text
    assert "signed out already" in browser.post(addresses[0], follow_redirects=True).text
    assert sorted(each.get("/manager/account").status_code for each in (other, third)) == [200, 302]


def test_nobody_signs_somebody_else_out(app: Flask, browser: FlaskClient, platform: Platform, ada: Staff) -> None:
    other = browser_of(app, ada)
    (address,) = ends(browser.get("/manager/account").text)
    stranger = browser_of(app, platform.stranger)
    stranger.post(address)
    stranger.post("/manager/account/sessions/end-others")
    assert other.get("/manager/account").status_code == 200


@pytest.mark.parametrize("key", ["%", "_" * 16, "0", "%" * 16])
def test_a_made_up_session_ends_nothing(browser: FlaskClient, session: Session, key: str) -> None:
    browser.post(f"/manager/account/sessions/{key}/end")
    assert session.query(StaffSession).count() == 1


def test_all_other_browsers_are_signed_out(app: Flask, browser: FlaskClient, session: Session, ada: Staff) -> None:
    browser_of(app, ada)
    browser_of(app, ada)
    assert "This signs out 2 browsers now." in browser.get("/manager/account").text
    page = browser.post("/manager/account/sessions/end-others", follow_redirects=True).text
    assert "2 other browsers are signed out." in page
    assert session.query(StaffSession).count() == 1
    event = session.scalars(select(AuditEvent).where(AuditEvent.tag == Tag.STAFF_SESSIONS_ENDED)).one()
    assert event.facts["sessions"] == 2
    activity = browser.get("/manager/acme/activity?kind=programme").text
    assert "Browsers of Ada Lovelace signed out of Reward Manager" in activity


def test_support_has_an_account_page_too(support: FlaskClient) -> None:
    assert support.get("/manager/account").status_code == 200
