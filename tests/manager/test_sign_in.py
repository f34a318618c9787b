"""Sign-in of staff, passwords by link, and the way to a programme."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from rgapp.audit import Tag
from rgapp.audit.service import COMMAND_LINE
from rgapp.auth import staff as accounts
from rgapp.clock import utcnow
from rgapp.extensions import limiter, shared_counters
from rgapp.manager.context import MOST_IN_SWITCHER
from rgapp.manager.routes import REFUSED
from rgapp.models import AuditEvent, Role, Staff, StaffSession
from tests.factories import PASSWORD, Factory
from tests.staff_client import browser_of, with_form_token
from tests.users.conftest import Platform, member

NEW = "four words in a row"


@pytest.fixture
def ada(make: Factory, platform: Platform) -> Staff:
    """Return an admin of Acme with a password."""
    return make.staff(platform.acme, email="Ada.Lovelace@acme.example", name="Ada Lovelace")


@pytest.fixture
def door(client: FlaskClient) -> FlaskClient:
    """Return a browser in front of the sign-in page."""
    return with_form_token(client, "/manager/login")


def knock(door: FlaskClient, email: str, password: str, query: str = "") -> tuple[int, str]:
    """Try to sign in; return the status, and where to or the page."""
    answer = door.post(f"/manager/login{query}", data={"email": email, "password": password})
    return answer.status_code, answer.location or answer.text


def test_the_right_password_opens_reward_manager(door: FlaskClient, session: Session, ada: Staff) -> None:
    answer = door.post("/manager/login", data={"email": " ada.lovelace@ACME.example ", "password": PASSWORD})
    assert (answer.status_code, answer.location) == (303, "/manager/")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("rg_staff=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert door.get("/manager/").location == "/manager/acme/integrations"
    assert ada.last_sign_in_at is not None
    assert session.scalars(select(AuditEvent).where(AuditEvent.tag == Tag.STAFF_SIGNED_IN)).one().actor_id == ada.id


def test_every_cause_of_refusal_reads_the_same(door: FlaskClient, make: Factory, session: Session, ada: Staff) -> None:
    gone = make.staff(email="gone@acme.example")
    gone.deactivated_at = utcnow()
    member(make, Role.SUPPORT, "Nopassword Yet")
    pages = {
        re.sub(r'(name="csrf_token"[^>]* value=)"[^"]+"', r"\1", knock(door, email, password)[1]).replace(email, "…")
        for email, password in (
            (ada.email, "not the password at all"),
            ("nobody@acme.example", PASSWORD),
            (gone.email, PASSWORD),
            ("nopassword@rewards.example", PASSWORD),
            (ada.email, "x" * 5000),
        )
    }
    assert len(pages) == 1
    assert REFUSED in pages.pop()
    assert session.query(StaffSession).count() == 0


def test_a_refused_sign_in_of_somebody_known_is_recorded_without_what_was_typed(
    door: FlaskClient, session: Session, ada: Staff
) -> None:
    knock(door, ada.email, "hunter2 hunter2 hunter2")
    knock(door, "nobody@acme.example", "hunter2 hunter2 hunter2")
    event = session.scalars(select(AuditEvent).where(AuditEvent.tag == Tag.STAFF_SIGN_IN_REFUSED)).one()
    assert event.actor_id == ada.id
    assert "hunter2" not in str(event.facts)


def test_what_was_typed_stays_except_the_password(door: FlaskClient) -> None:
    _, page = knock(door, "somebody@acme.example", "a secret that is wrong")
    assert 'value="somebody@acme.example"' in page
    assert "a secret that is wrong" not in page
    _, page = knock(door, "", "")
    assert "Enter your e-mail address." in page
    assert "Enter your password." in page


@pytest.mark.parametrize(
    ("wanted", "target"),
    [("/users/?q=jane", "/users/?q=jane"), ("//evil.example", "/manager/"), ("https://evil.example", "/manager/")],
)
def test_signing_in_goes_on_to_pages_of_this_site_only(door: FlaskClient, ada: Staff, wanted: str, target: str) -> None:
    answer = door.post("/manager/login", query_string={"next": wanted}, data={"email": ada.email, "password": PASSWORD})
    assert answer.location == target
    assert door.get("/manager/login", query_string={"next": wanted}).location == target


def test_signing_out_ends_the_session_on_the_server(door: FlaskClient, session: Session, ada: Staff) -> None:
    knock(door, ada.email, PASSWORD)
    assert door.get("/manager/logout").status_code == 405
    answer = door.post("/manager/logout", follow_redirects=True)
    assert "You are signed out." in answer.text
    assert session.query(StaffSession).count() == 0
    assert door.get("/manager/").location.startswith("/manager/login")
    assert session.query(AuditEvent).filter_by(tag=Tag.STAFF_SIGNED_OUT).count() == 1


@pytest.fixture
def limits(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Count requests, which other tests do not; passwords are compared without hashing, which would take long."""
    monkeypatch.setattr(accounts, "verify_password", lambda stored, typed: stored is not None and typed == PASSWORD)
    app.config["RATELIMIT_ENABLED"] = True
    limiter.init_app(app)
    limiter.reset()
    yield
    if (counters := shared_counters()) is not None:
        counters.dispose()
    limiter.enabled = False


def test_one_address_tries_ten_times_a_minute(limits: None, door: FlaskClient, ada: Staff) -> None:
    statuses = [knock(door, f"somebody-{number}@acme.example", "wrong")[0] for number in range(11)]
    assert statuses == [200] * 10 + [429]


def test_one_account_is_refused_ten_times_a_quarter_of_an_hour(limits: None, app: Flask, ada: Staff) -> None:
    def knock_from(number: int, password: str) -> int:
        visitor = app.test_client()
        visitor.environ_base["REMOTE_ADDR"] = f"192.0.2.{number}"
        with_form_token(visitor, "/manager/login")
        return knock(visitor, ada.email, password)[0]

    assert knock_from(100, PASSWORD) == 303
    assert [knock_from(number, "wrong") for number in range(10)] == [200] * 10
    assert knock_from(50, "wrong") == 429
    assert knock_from(51, PASSWORD) == 429


def issued(session: Session, staff: Staff) -> str:
    """Return a new link's address."""
    return "/manager/password/" + accounts.issue_link(session, staff, COMMAND_LINE, now=utcnow()).token


def test_a_link_sets_the_password_once_and_signs_in(client: FlaskClient, session: Session, ada: Staff) -> None:
    accounts.open_session(session, ada, user_agent="another browser", now=utcnow())
    address = issued(session, ada)
    with_form_token(client, address)
    page = client.get(address).text
    assert "at least 16 characters" in page
    assert ada.email in page
    answer = client.post(address, data={"password": NEW, "again": NEW}, follow_redirects=True)
    assert session.query(StaffSession).count() == 1
    assert answer.request.path == "/manager/acme/integrations"
    assert accounts.authenticate(session, ada.email, NEW) is not None
    used = client.post(address, data={"password": NEW, "again": NEW})
    assert used.status_code == 410
    assert "This link does not work any more" in used.text


@pytest.mark.parametrize(
    ("password", "again", "message"),
    [
        ("", "", "Choose a password."),
        ("short", "short", "Use at least 16 characters."),
        ("a" * 20, "a" * 20, "This is too easy to guess."),
        ("x1y2z3" * 40, "x1y2z3" * 40, "Use at most 200 characters."),
        (NEW, NEW + "!", "The two passwords are not the same."),
    ],
)
def test_a_password_that_breaks_the_rule_leaves_the_link_usable(
    client: FlaskClient, session: Session, ada: Staff, password: str, again: str, message: str
) -> None:
    address = issued(session, ada)
    with_form_token(client, address)
    answer = client.post(address, data={"password": password, "again": again})
    assert message in answer.text
    assert client.get(address).status_code == 200


def test_links_that_are_old_replaced_or_made_up_look_alike(client: FlaskClient, session: Session, ada: Staff) -> None:
    replaced = issued(session, ada)
    old = accounts.issue_link(session, ada, COMMAND_LINE, now=utcnow() - timedelta(days=4))
    pages = {client.get(path).text for path in (replaced, f"/manager/password/{old.token}", "/manager/password/x")}
    assert len(pages) == 1


def test_somebody_with_several_programmes_chooses_and_comes_back_to_the_last(
    app: Flask, make: Factory, platform: Platform
) -> None:
    both = browser_of(app, member(make, Role.ADMIN, "Bea Both", platform.acme, platform.other))
    assert both.get("/manager/").location == "/manager/programmes"
    page = both.get("/manager/programmes").text
    assert "/manager/acme/integrations" in page
    assert "/manager/other/integrations" in page
    both.get("/manager/other/settings")
    assert both.get("/manager/").location == "/manager/other/integrations"
    assert both.get("/manager/integrations").location == "/manager/other/integrations"
    assert both.get("/manager/mailbox").location == "/manager/other/mail"


def test_the_switcher_keeps_the_part_of_reward_manager(app: Flask, make: Factory, platform: Platform) -> None:
    both = browser_of(app, member(make, Role.ADMIN, "Bea Both", platform.acme, platform.other))
    assert 'action="/manager/programme?to=settings"' in both.get("/manager/acme/settings").text
    answer = both.post("/manager/programme?to=settings", data={"programme": "other"})
    assert (answer.status_code, answer.location) == (303, "/manager/other/settings")
    assert both.post("/manager/programme?to=users", data={"programme": "acme"}).location == "/users/?programme=acme"
    assert both.post("/manager/programme", data={"programme": ""}).location == "/manager/programmes"


def test_nobody_switches_to_a_programme_that_is_not_theirs(admin: FlaskClient) -> None:
    foreign = admin.post("/manager/programme", data={"programme": "other"})
    missing = admin.post("/manager/programme", data={"programme": "no-such-programme"})
    assert foreign.status_code == missing.status_code == 404
    assert foreign.text == missing.text
    admin.set_cookie("rg_programme", "other")
    assert admin.get("/manager/").location == "/manager/acme/integrations"


def test_the_chooser_searches_and_shows_only_ones_own(support: FlaskClient, admin: FlaskClient, make: Factory) -> None:
    assert "Other Rewards" not in admin.get("/manager/programmes").text
    page = support.get("/manager/programmes?q=OTHER&to=users").text
    assert re.findall(r'class="row-link" href="([^"]+)"', page) == ["/users/?programme=other"]
    assert "No programme has this in its name" in support.get("/manager/programmes?q=%25").text


def test_many_programmes_are_chosen_on_a_page(support: FlaskClient, make: Factory) -> None:
    for _ in range(MOST_IN_SWITCHER):
        make.programme()
    page = support.get("/manager/acme/settings").text
    assert "Switch programme" in page
    assert 'id="switch-programme"' not in page


def test_the_frame_says_who_and_where(support: FlaskClient) -> None:
    page = support.get("/manager/acme/settings").text
    for words in ("Sue Support", "sue@rewards.example", "Acme Rewards", 'href="/manager/acme/activity"'):
        assert words in page
    assert 'href="/manager/acme/settings" aria-current="page"' in page
