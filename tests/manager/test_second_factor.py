"""Two-step sign-in as staff use it: set up, sign in, recovery codes, switching off, and programmes that ask for it."""

import re
from collections.abc import Callable, Iterator
from contextvars import Context
from urllib.parse import urlsplit

import pytest
from flask import Flask, current_app
from flask.testing import FlaskClient
from pyotp import TOTP
from sqlalchemy import select
from sqlalchemy.orm import Session

from rgapp.audit import Tag
from rgapp.auth import second_factor
from rgapp.auth import staff as accounts
from rgapp.clock import utcnow
from rgapp.extensions import db, limiter, shared_counters
from rgapp.manager import routes
from rgapp.models import AuditEvent, SAMLRequest, Staff, StaffChallenge, StaffSession
from tests.factories import PASSWORD, Factory
from tests.sso.conftest import Door
from tests.staff_client import browser_of, with_form_token
from tests.users.conftest import Platform

SETUP = "/manager/account/two-step"


@pytest.fixture
def ada(make: Factory, platform: Platform) -> Staff:
    """Return an admin of Acme with a password."""
    return make.staff(platform.acme, email="ada.lovelace@acme.example", name="Ada Lovelace")


@pytest.fixture
def enrolled(session: Session, make: Factory, ada: Staff) -> Callable[[], str]:
    """Switch Ada's second step on an hour ago; returns the app, which shows a code that was not used yet."""
    token = make.staff_session(ada)
    session.flush()
    found = accounts.staff_of_session(session, token, now=make.now)
    assert found is not None
    sealer = current_app.extensions["sealer"]
    second_factor.begin(session, ada, found[1], sealer, now=make.now)
    enrolment = second_factor.enrolment_of(session, ada, found[1], sealer, now=make.now)
    assert enrolment is not None
    app = TOTP(enrolment.secret)
    codes = second_factor.confirm(session, ada, found[1], sealer, app.at(make.now), now=make.now)
    assert codes is not None
    ada.recovery = codes  # type: ignore[attr-defined]
    accounts.close_session(session, token)
    return lambda: app.at(utcnow())


@pytest.fixture
def door(client: FlaskClient) -> FlaskClient:
    """Return a browser in front of the sign-in page."""
    return with_form_token(client, "/manager/login")


def first_step(door: FlaskClient, query: str = "") -> str:
    """Give the right password; returns where it leads."""
    answer = door.post(f"/manager/login{query}", data={"email": "ada.lovelace@acme.example", "password": PASSWORD})
    assert answer.status_code == 303
    return answer.location


def set_up(browser: FlaskClient, **data: str) -> tuple[TOTP, str]:
    """Set the second step up in a browser; returns the app, and the page that follows."""
    browser.post(f"{SETUP}/start")
    page = browser.get(SETUP).text
    secret = re.search(r'value="((?:[A-Z2-7]{4} ?){8})"', page)
    assert secret is not None
    app = TOTP(secret[1].replace(" ", ""))
    answer = browser.post(SETUP, data={"code": app.at(utcnow()), "password": PASSWORD} | data)
    return app, answer.text


def test_it_is_set_up_by_a_picture_or_by_typing_and_confirmed_by_a_code(
    app: Flask, session: Session, ada: Staff
) -> None:
    browser = browser_of(app, ada)
    page = browser.get("/manager/account").text
    assert f'href="{SETUP}"' in page
    assert "data:image" not in browser.get(SETUP).text
    _, page = set_up(browser)
    assert "Two-step sign-in is on" in page
    codes = re.findall(r"<li>([A-Z2-9]{4}(?:-[A-Z2-9]{4}){3})</li>", page)
    assert len(codes) == 10
    assert all(code in page.partition('download="')[0] for code in codes)
    assert ada.has_second_factor
    assert "10 recovery codes left" in browser.get("/manager/account").text
    assert codes[0] not in browser.get("/manager/account").text


def test_the_picture_needs_no_style_and_no_script(app: Flask, ada: Staff) -> None:
    browser = browser_of(app, ada)
    browser.post(f"{SETUP}/start")
    page = browser.get(SETUP).text
    assert 'src="data:image/svg+xml' in page
    assert not re.search(r"<style|\sstyle=|\son\w+=", page)


def test_a_wrong_code_or_password_switches_nothing_on(app: Flask, ada: Staff) -> None:
    browser = browser_of(app, ada)
    assert "This is not the code that the app shows now." in set_up(browser, code="000000")[1]
    assert "This is not your password." in set_up(browser, password="not the password at all")[1]
    assert "Enter the six digits" in browser.post(SETUP, data={"password": PASSWORD}).text
    assert not ada.has_second_factor


def test_setting_it_up_signs_other_browsers_out_and_gives_this_one_a_new_token(app: Flask, ada: Staff) -> None:
    other, browser = browser_of(app, ada), browser_of(app, ada)
    before = browser.get_cookie("rg_staff")
    set_up(browser)
    after = browser.get_cookie("rg_staff")
    assert before is not None
    assert after is not None
    assert before.value != after.value
    assert browser.get("/manager/account").status_code == 200
    assert other.get("/manager/account").status_code == 302
    thief = app.test_client()
    thief.set_cookie("rg_staff", before.value)
    assert thief.get("/manager/account").status_code == 302


def test_the_password_alone_signs_nobody_in(door: FlaskClient, session: Session, enrolled: Callable[[], str]) -> None:
    assert first_step(door) == "/manager/login/code"
    assert door.get_cookie("rg_staff") is None
    for path in ("/manager/", "/manager/account", "/manager/acme/settings", "/users/"):
        assert door.get(path).location.startswith("/manager/login?")
    step = door.get_cookie("rg_step")
    assert step is not None
    door.set_cookie("rg_staff", step.value)
    assert door.get("/manager/account").location.startswith("/manager/login?")
    assert session.query(StaffSession).count() == 0


def test_the_code_of_the_app_signs_in_and_goes_on_to_what_was_wanted(
    door: FlaskClient, session: Session, ada: Staff, enrolled: Callable[[], str]
) -> None:
    assert first_step(door, "?next=/users/") == "/manager/login/code?next=/users/"
    page = door.get("/manager/login/code?next=/users/").text
    assert 'autocomplete="one-time-code"' in page
    answer = door.post("/manager/login/code?next=/users/", data={"code": enrolled()})
    assert (answer.status_code, answer.location) == (303, "/users/")
    assert door.get("/users/").status_code == 200
    assert door.get_cookie("rg_step") is None
    assert session.query(StaffChallenge).count() == 0
    event = session.scalars(select(AuditEvent).where(AuditEvent.tag == Tag.STAFF_SIGNED_IN)).all()[-1]
    assert event.facts == {"second_step": "app"}


def test_a_code_signs_in_once_in_whichever_browser(app: Flask, door: FlaskClient, enrolled: Callable[[], str]) -> None:
    other = with_form_token(app.test_client(), "/manager/login")
    first_step(door)
    first_step(other)
    code = enrolled()
    assert door.post("/manager/login/code", data={"code": code}).status_code == 303
    assert routes.WRONG_CODE in other.post("/manager/login/code", data={"code": code}).text


def test_a_recovery_code_signs_in_once(
    door: FlaskClient, session: Session, ada: Staff, enrolled: Callable[[], str]
) -> None:
    first_step(door)
    assert "recovery=1" in door.get("/manager/login/code").text
    code = ada.recovery[0]  # type: ignore[attr-defined]
    answer = door.post("/manager/login/code?recovery=1", data={"code": code.lower()})
    assert (answer.status_code, answer.location) == (303, "/manager/")
    assert "9 recovery codes left" in door.get("/manager/account").text
    door.post("/manager/logout")
    with_form_token(door, "/manager/login")
    first_step(door)
    assert routes.WRONG_RECOVERY_CODE in door.post("/manager/login/code?recovery=1", data={"code": code}).text


def test_five_wrong_codes_ask_for_the_password_again(
    door: FlaskClient, session: Session, enrolled: Callable[[], str]
) -> None:
    first_step(door)
    for _ in range(4):
        assert routes.WRONG_CODE in door.post("/manager/login/code", data={"code": "000000"}).text
    assert door.post("/manager/login/code", data={"code": "000000"}).location == "/manager/login"
    assert door.post("/manager/login/code", data={"code": enrolled()}).location == "/manager/login"
    assert session.query(AuditEvent).filter_by(tag=Tag.STAFF_SECOND_STEP_REFUSED).count() == 5


def test_nobody_comes_to_the_second_step_without_the_first(client: FlaskClient) -> None:
    answer = client.get("/manager/login/code?next=/users/")
    assert answer.location == "/manager/login?next=/users/"


def test_a_password_by_link_does_not_skip_the_second_step(
    client: FlaskClient, session: Session, ada: Staff, make: Factory, enrolled: Callable[[], str]
) -> None:
    token = accounts.issue_link(session, ada, accounts.staff_actor(ada), now=utcnow()).token
    with_form_token(client, f"/manager/password/{token}")
    data = {"password": "tulips on 71 hills", "again": "tulips on 71 hills"}
    assert client.post(f"/manager/password/{token}", data=data).location == "/manager/login/code"
    assert client.get_cookie("rg_staff") is None
    assert client.post("/manager/login/code", data={"code": enrolled()}).location == "/manager/"


def test_switching_off_takes_password_and_code(
    door: FlaskClient, session: Session, ada: Staff, enrolled: Callable[[], str]
) -> None:
    first_step(door)
    door.post("/manager/login/code", data={"code": ada.recovery[0]})  # type: ignore[attr-defined]
    off = f"{SETUP}/off"
    assert "Switch off" in door.get(off).text
    assert "This is not your password." in door.post(off, data={"password": "wrong", "code": enrolled()}).text
    assert routes.WRONG_CODE in door.post(off, data={"password": PASSWORD, "code": "000000"}).text
    assert session.query(AuditEvent).filter_by(tag=Tag.STAFF_SECOND_STEP_REFUSED).count() == 1
    assert ada.has_second_factor
    answer = door.post(off, data={"password": PASSWORD, "code": enrolled()}, follow_redirects=True)
    assert "Two-step sign-in is off." in answer.text
    assert not ada.has_second_factor
    door.post("/manager/logout")
    with_form_token(door, "/manager/login")
    assert first_step(door) == "/manager/"


def test_new_recovery_codes_take_both_steps_and_replace_the_others(
    door: FlaskClient, ada: Staff, enrolled: Callable[[], str]
) -> None:
    first_step(door)
    old = ada.recovery  # type: ignore[attr-defined]
    door.post("/manager/login/code", data={"code": old[0]})
    page = f"{SETUP}/recovery-codes"
    assert "9 codes" in door.get(page).text
    assert routes.WRONG_CODE in door.post(page, data={"password": PASSWORD, "code": old[0]}).text
    answer = door.post(page, data={"password": PASSWORD, "code": enrolled()})
    assert "The ones you had before do not work any more." in answer.text
    assert old[1] not in answer.text
    assert "10 recovery codes left" in door.get("/manager/account").text


@pytest.fixture
def limits(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Count requests, which other tests do not."""
    app.config["RATELIMIT_ENABLED"] = True
    limiter.init_app(app)
    limiter.reset()
    yield
    if (counters := shared_counters()) is not None:
        counters.dispose()
    limiter.enabled = False


def knock_from(app: Flask, number: int) -> FlaskClient:
    """Return a browser at an address of its own."""
    visitor = app.test_client()
    visitor.environ_base["REMOTE_ADDR"] = f"192.0.2.{number}"
    return with_form_token(visitor, "/manager/login")


def test_guessing_codes_is_slowed_and_locks_nobody_out(
    limits: None, app: Flask, ada: Staff, enrolled: Callable[[], str]
) -> None:
    at_work = knock_from(app, 1)
    first_step(at_work)
    assert at_work.post("/manager/login/code", data={"code": ada.recovery[0]}).status_code == 303  # type: ignore[attr-defined]
    at_work.post("/manager/logout")
    statuses = []
    for number in range(2, 5):
        thief = knock_from(app, number)
        first_step(thief)
        statuses += [thief.post("/manager/login/code", data={"code": "000000"}).status_code for _ in range(4)]
    assert statuses == [200] * 10 + [429] * 2
    # A stranger's right code is refused meanwhile; a recovery code and the browser that is known are not.
    stranger = knock_from(app, 9)
    first_step(stranger)
    assert stranger.post("/manager/login/code", data={"code": enrolled()}).status_code == 429
    assert stranger.post("/manager/login/code", data={"code": ada.recovery[1]}).status_code == 303  # type: ignore[attr-defined]
    with_form_token(at_work, "/manager/login")
    first_step(at_work)
    assert at_work.post("/manager/login/code", data={"code": enrolled()}).status_code == 303


def test_the_page_for_recovery_codes_gives_no_more_tries_at_the_apps_codes(
    limits: None, app: Flask, ada: Staff, enrolled: Callable[[], str]
) -> None:
    statuses = []
    for number in range(3):
        thief = knock_from(app, number)
        first_step(thief)
        statuses += [
            thief.post("/manager/login/code?recovery=1", data={"code": "000 000"}).status_code for _ in range(4)
        ]
    assert statuses == [200] * 10 + [429] * 2


PAGES = ("/manager/acme/integrations", "/manager/acme/settings", "/users/?programme=acme", "/users/", "/manager/")


@pytest.mark.parametrize("path", PAGES)
def test_a_programme_that_asks_for_a_second_step_opens_after_it_is_set_up(
    app: Flask, ada: Staff, platform: Platform, path: str
) -> None:
    platform.acme.second_factor_required = True
    browser = browser_of_somebody_who_owes(app, ada)
    answer = browser.get(path)
    assert answer.status_code == 303
    assert answer.location.startswith(f"{SETUP}?next=/")
    assert "Acme Rewards asks for this" in browser.get(answer.location).text
    set_up(browser)
    assert browser.get(path, follow_redirects=True).status_code == 200


def browser_of_somebody_who_owes(app: Flask, staff: Staff) -> FlaskClient:
    """Return a browser in which somebody is signed in who can open their account only."""
    browser = browser_of_account(app, staff)
    return with_form_token(browser, "/manager/account")


def browser_of_account(app: Flask, staff: Staff) -> FlaskClient:
    """Return a browser with a session, before any page was opened."""
    token = accounts.open_session(db.session(), staff, user_agent="a test", now=utcnow())
    db.session.commit()
    client = app.test_client()
    client.set_cookie("rg_staff", token)
    return client


def test_until_then_nothing_can_be_changed_either(app: Flask, session: Session, ada: Staff, platform: Platform) -> None:
    platform.acme.second_factor_required = True
    browser = browser_of_somebody_who_owes(app, ada)
    answer = browser.post("/manager/acme/settings", data={"name": "Mine"})
    assert (answer.status_code, answer.location) == (303, SETUP)
    session.refresh(platform.acme)
    assert platform.acme.name == "Acme Rewards"
    assert browser.get("/manager/other/settings").status_code == 404
    assert browser.post("/manager/logout").status_code == 303


@pytest.mark.parametrize("role", ["support", "operator"])
def test_support_and_operators_need_it_for_that_programme_too(app: Flask, platform: Platform, role: str) -> None:
    platform.acme.second_factor_required = True
    browser = browser_of_account(app, getattr(platform, role))
    assert browser.get("/manager/acme/integrations").location.startswith(SETUP)
    assert browser.get("/users/").location.startswith(SETUP)
    assert browser.get("/manager/other/integrations").status_code == 200


def test_an_admin_of_another_programme_is_not_asked(app: Flask, platform: Platform) -> None:
    platform.acme.second_factor_required = True
    browser = browser_of_account(app, platform.stranger)
    assert browser.get("/users/").status_code == 200
    assert browser.get("/manager/other/integrations").status_code == 200


def settings_of(page: str) -> dict[str, str]:
    """Return what the settings form would send, as it stands."""
    found = dict(re.findall(r'name="(\w+)"[^>]*? value="([^"]*)"', page))
    return {key: found[key] for key in ("name", "contact_name", "contact_email", "guard_percent", "guard_people")} | {
        "region": "international",
        "timezone": "UTC",
        "colour": "indigo",
    }


def test_the_switch_is_on_the_settings_page(app: Flask, session: Session, ada: Staff, platform: Platform) -> None:
    browser = browser_of(app, ada)
    page = browser.get("/manager/acme/settings").text
    assert "2 of the admins below have none yet." in page
    data = settings_of(page) | {"second_factor_required": "y"}
    answer = browser.post("/manager/acme/settings", data=data)
    assert answer.status_code == 422
    assert "Set up two-step sign-in for yourself first" in answer.text
    set_up(browser)
    assert browser.post("/manager/acme/settings", data=data).status_code == 303
    session.refresh(platform.acme)
    assert platform.acme.second_factor_required
    page = browser.get("/manager/acme/settings").text
    assert "One of the admins below has none yet." in page
    activity = browser.get("/manager/acme/activity?kind=programme").text
    assert "Second step for everyone who runs it" in activity
    assert "Two-step sign-in of Ada Lovelace switched on" in activity


def test_a_test_sign_in_waits_for_the_second_step_too(
    app: Flask, session: Session, ada: Staff, platform: Platform, make_door: Callable[..., Door]
) -> None:
    """Its address stands outside of Reward Manager's, but a test that passed is what publishing asks for."""
    platform.acme.second_factor_required = True
    door = make_door(platform.acme)
    browser = browser_of_account(app, ada)
    answer = browser.get(f"{door.root}/test")
    assert urlsplit(answer.location).path.startswith("/manager/acme/")
    assert browser.get(answer.location).location.startswith(SETUP)
    assert session.query(SAMLRequest).count() == 0


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Return a function that lets something happen elsewhere while the password of a sign-in is compared."""

    def let(happen: Callable[[], object]) -> None:
        compare = accounts.verify_password

        def slowly(stored: str | None, password: str) -> bool:
            monkeypatch.setattr(accounts, "verify_password", compare)
            Context().run(happen)
            return compare(stored, password)

        monkeypatch.setattr(accounts, "verify_password", slowly)

    return let


def test_a_sign_in_that_is_on_its_way_while_the_second_step_is_switched_on_owes_it(
    app: Flask, door: FlaskClient, ada: Staff, meanwhile: Callable[[Callable[[], object]], None]
) -> None:
    """Else a thief who knows the password would sign in again and again, and keep the session of that moment."""
    browser = browser_of(app, ada)
    meanwhile(lambda: set_up(browser))
    assert first_step(door) == "/manager/login/code"
    assert door.get_cookie("rg_staff") is None


def test_a_sign_in_that_is_on_its_way_while_the_password_is_changed_is_refused(
    app: Flask, door: FlaskClient, ada: Staff, meanwhile: Callable[[Callable[[], object]], None]
) -> None:
    browser = browser_of(app, ada)
    data = {"present": PASSWORD, "password": "tulips on 71 hills", "again": "tulips on 71 hills"}
    meanwhile(lambda: browser.post("/manager/account/password", data=data))
    answer = door.post("/manager/login", data={"email": "ada.lovelace@acme.example", "password": PASSWORD})
    assert routes.REFUSED in answer.text
    assert door.get_cookie("rg_staff") is None


def test_browsers_known_from_before_the_second_step_have_no_tries_of_their_own(
    limits: None, app: Flask, ada: Staff
) -> None:
    """Whoever had the password alone could make any number of browsers known, each with forty codes a day."""
    thieves = [knock_from(app, number) for number in range(1, 4)]
    for thief in thieves:
        assert first_step(thief) == "/manager/"
        thief.post("/manager/logout")
    at_work = browser_of(app, ada)
    shown, _ = set_up(at_work)
    statuses = []
    for thief in thieves:
        with_form_token(thief, "/manager/login")
        assert first_step(thief) == "/manager/login/code"
        statuses += [thief.post("/manager/login/code", data={"code": "000000"}).status_code for _ in range(4)]
    assert statuses == [200] * 10 + [429] * 2
    # The browser in which it was set up is known from then on.
    at_work.post("/manager/logout")
    with_form_token(at_work, "/manager/login")
    first_step(at_work)
    code = shown.at(utcnow(), counter_offset=1)
    assert at_work.post("/manager/login/code", data={"code": code}).status_code == 303
