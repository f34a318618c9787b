"""The employees' passwords: guessing, locking out, one-time links, and what a slow hash may hold up."""

import re
from collections.abc import Callable, Iterator
from contextvars import Context
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from rgapp import create_app
from rgapp.auth import user_passwords
from rgapp.auth import users as accounts
from rgapp.clock import utcnow
from rgapp.extensions import db, limiter, shared_counters
from rgapp.mail.contexts import PASSWORD_LINK_LASTS, RESET_LINK_LASTS
from rgapp.models import OutboxMail, Programme, User, UserLink, UserSession
from rgapp.tokens import hash_token, new_token
from tests.conftest import ENVIRONMENT, Client
from tests.databases import impatient
from tests.factories import PASSWORD, Factory

OTHER_PASSWORD = "another good long password"


@pytest.fixture
def programme(make: Factory) -> Programme:
    """Return a programme with passwords."""
    return make.programme("acme", password_sign_in=True)


@pytest.fixture
def jane(programme: Programme, make: Factory, session: Session) -> User:
    """Return an employee with `PASSWORD`."""
    user = make.user(programme, email="jane@acme.example")
    new = user_passwords.check_password(session, programme, user, PASSWORD)
    assert user_passwords.set_password_by_link(session, programme, link(session, user), new, now=utcnow())
    return user


def link(session: Session, user: User) -> str:
    """Make a one-time link as a mail carries it."""
    token = new_token()
    session.add(
        UserLink(
            programme_id=user.programme_id,
            token_hash=hash_token(token),
            user_id=user.id,
            created_at=utcnow(),
            expires_at=utcnow() + timedelta(days=1),
        )
    )
    session.flush()
    return token


@pytest.fixture
def no_csrf(app: Flask) -> None:
    """Post forms without their token; that it is needed is tested elsewhere."""
    app.config["WTF_CSRF_ENABLED"] = False


def test_hashing_holds_no_lock(jane: User, client: FlaskClient, no_csrf: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hash takes long on purpose: whoever guesses passwords must not stop everybody else from writing."""
    verify, wrote = accounts.verify_password, []

    def slow(stored: str | None, password: str) -> bool:
        with db.engine.connect() as other:
            impatient(other)
            other.execute(text("UPDATE programmes SET contact_name = 'x'"))
            other.commit()
            wrote.append(True)
        return verify(stored, password)

    monkeypatch.setattr(accounts, "verify_password", slow)
    assert client.post("/p/acme/login", data={"email": "jane@acme.example", "password": "x"}).status_code == 200
    assert client.post("/p/acme/login", data={"email": "jane@acme.example", "password": PASSWORD}).status_code == 303
    assert len(wrote) == 2


def test_a_new_password_ends_sessions_and_other_links(
    jane: User, programme: Programme, client: FlaskClient, no_csrf: None, session: Session, make: Factory
) -> None:
    """Who changes a password because somebody else knows it must be alone afterwards."""
    stolen_session, stolen_link, mine = make.user_session(jane), link(session, jane), link(session, jane)
    data = {"password": OTHER_PASSWORD, "again": OTHER_PASSWORD}
    assert client.post(f"/p/acme/password/{mine}", data=data).status_code == 303
    assert accounts.user_of_session(session, programme.id, stolen_session, now=utcnow()) is None
    assert accounts.user_of_link(session, programme, stolen_link, now=utcnow()) is None
    assert client.get("/p/acme/").status_code == 200
    assert session.scalar(select(func.count()).select_from(UserSession)) == 1
    assert client.get(f"/p/acme/password/{mine}").status_code == 410


def test_a_link_to_reset_lives_shorter_than_a_welcome() -> None:
    assert timedelta(hours=1) <= RESET_LINK_LASTS <= timedelta(days=1) < PASSWORD_LINK_LASTS


def test_nobody_can_fill_somebody_elses_mailbox(
    jane: User, client: FlaskClient, no_csrf: None, session: Session
) -> None:
    for _ in range(10):
        assert client.post("/p/acme/password/forgotten", data={"email": "JANE@acme.example"}).status_code == 303
    assert session.scalar(select(func.count()).select_from(OutboxMail)) == 3


def test_a_reset_goes_to_the_address_on_file_whatever_was_typed(
    jane: User, client: FlaskClient, no_csrf: None, session: Session, make: Factory
) -> None:
    """Case folding makes some different letters one: ſ and s, K and k."""
    client.post("/p/acme/password/forgotten", data={"email": "jane@acme.example".replace("s", "ſ").upper()})
    client.post("/p/acme/password/forgotten", data={"email": "jane@acme.example\u200d"})
    assert set(session.scalars(select(OutboxMail.recipient))) <= {"jane@acme.example"}


def test_known_and_unknown_addresses_get_the_same_answers(jane: User, app: Flask, no_csrf: None) -> None:
    def answers(email: str) -> list[Any]:
        client = app.test_client()
        wrong = client.post("/p/acme/login", data={"email": email, "password": "x" * 20})
        asked = client.post("/p/acme/password/forgotten", data={"email": email})
        return [
            wrong.status_code,
            re.sub(r'name="csrf_token"[^>]*', "", wrong.text.replace(email, "")),
            asked.status_code,
            asked.location,
        ]

    assert answers("jane@acme.example") == answers("nobody@acme.example")


def test_a_form_without_its_token_signs_nobody_in(jane: User, client: FlaskClient) -> None:
    """Login CSRF: another site's form must not sign the victim in as the attacker."""
    data = {"email": "jane@acme.example", "password": PASSWORD}
    assert client.post("/p/acme/login", data=data).status_code == 400
    assert client.get("/p/acme/").status_code == 302


def test_a_session_planted_before_the_sign_in_is_worth_nothing(
    jane: User, client: FlaskClient, no_csrf: None, session: Session
) -> None:
    client.set_cookie("rg_user_acme", "planted")
    client.post("/p/acme/login", data={"email": "jane@acme.example", "password": PASSWORD})
    cookie = client.get_cookie("rg_user_acme")
    assert cookie is not None
    assert cookie.value != "planted"


@pytest.fixture
def limited(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], FlaskClient]]:
    """Return browsers, each at an address of its own, of an application with its rate limits on."""
    monkeypatch.setattr(limiter, "enabled", True)
    place = {"INSTANCE": app.instance_path, "RGAPP_DATABASE_URL": app.config["SQLALCHEMY_DATABASE_URI"]}
    again = create_app(ENVIRONMENT | place, RATELIMIT_ENABLED=True)
    again.config["WTF_CSRF_ENABLED"] = False
    again.test_client_class = Client

    def browser(address: str) -> FlaskClient:
        client = again.test_client()
        client.environ_base["REMOTE_ADDR"] = address
        return client

    yield browser
    limiter.reset()
    if counters := shared_counters():
        counters.dispose()
    with again.app_context():
        db.engine.dispose()


def test_guessing_is_slowed_from_everywhere_and_locks_nobody_out(
    jane: User, session: Session, limited: Callable[[str], FlaskClient]
) -> None:
    session.commit()
    good, bad = ({"email": "jane@acme.example", "password": word} for word in (PASSWORD, "wrong" * 5))
    at_home = limited("192.0.2.1")
    assert at_home.post("/p/acme/login", data=good).status_code == 303
    at_home.delete_cookie("rg_user_acme")
    for number in range(30):
        limited(f"198.51.100.{number}").post("/p/acme/login", data=bad)
    # A stranger is not even told that the right password was right.
    stranger = limited("203.0.113.1").post("/p/acme/login", data=good)
    assert stranger.status_code == 429
    assert "I do not know my password" in stranger.text
    # She gets in with the browser she used before, and with a link by e-mail in any other.
    assert at_home.post("/p/acme/login", data=good).status_code == 303
    new_browser, token = limited("192.0.2.2"), link(session, jane)
    session.commit()
    data = {"password": OTHER_PASSWORD, "again": OTHER_PASSWORD}
    assert new_browser.post(f"/p/acme/password/{token}", data=data).status_code == 303
    new_browser.delete_cookie("rg_user_acme")
    assert new_browser.post("/p/acme/login", data=good | {"password": OTHER_PASSWORD}).status_code == 303


def test_a_browser_known_to_one_account_has_no_more_guesses_at_another(
    jane: User, make: Factory, programme: Programme, session: Session, limited: Callable[[str], FlaskClient]
) -> None:
    make.user(programme, email="joe@acme.example")
    session.commit()
    jane_browser = limited("192.0.2.1")
    jane_browser.post("/p/acme/login", data={"email": "jane@acme.example", "password": PASSWORD})
    jane_browser.delete_cookie("rg_user_acme")
    codes = [
        jane_browser.post(
            "/p/acme/login",
            data={"email": "joe@acme.example", "password": "wrong" * 5},
            environ_base={"REMOTE_ADDR": f"198.51.100.{number}"},
        ).status_code
        for number in range(12)
    ]
    assert codes == [200] * 10 + [429] * 2


def test_nobody_can_lock_staff_out_of_the_browser_they_use(
    make: Factory, session: Session, limited: Callable[[str], FlaskClient]
) -> None:
    person = make.staff(email="hr@acme.example")
    session.commit()
    good, bad = ({"email": person.email, "password": word} for word in (PASSWORD, "wrong" * 5))
    at_work = limited("192.0.2.1")
    assert at_work.post("/manager/login", data=good).status_code == 303
    at_work.delete_cookie("rg_staff")
    for number in range(25):
        limited(f"198.51.100.{number}").post("/manager/login", data=bad)
    assert limited("203.0.113.1").post("/manager/login", data=good).status_code == 429
    assert at_work.post("/manager/login", data=good).status_code == 303


def test_a_sign_in_on_its_way_with_the_password_of_before_is_refused(
    jane: User, app: Flask, session: Session, client: FlaskClient, no_csrf: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new password ends all sessions, and none may open a moment later with the old one."""
    token, compare, other = link(session, jane), accounts.verify_password, app.test_client()
    new = {"password": OTHER_PASSWORD, "again": OTHER_PASSWORD}

    def slowly(stored: str | None, password: str) -> bool:
        Context().run(other.post, f"/p/acme/password/{token}", data=new)
        return compare(stored, password)

    monkeypatch.setattr(accounts, "verify_password", slowly)
    answer = client.post("/p/acme/login", data={"email": "jane@acme.example", "password": PASSWORD})
    assert answer.status_code == 200
    assert client.get_cookie("rg_user_acme") is None
    assert other.get("/p/acme/").status_code == 200
