"""The browser's side: cookies, frames, other sites' scripts, lies about the host, and the back button."""

import re
from collections.abc import Callable, Iterator
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from rgapp.auth import staff as staff_accounts
from rgapp.clock import utcnow
from rgapp.extensions import db
from rgapp.jobs.tasks import send_mails
from rgapp.models import Integration, Role, SignInAttempt, User, UserSession
from rgapp.tokens import hash_token
from tests.conftest import NOW
from tests.factories import PASSWORD, Factory
from tests.security.test_addresses import LIES
from tests.sso.conftest import Door, saml_settings
from tests.staff_client import with_form_token

HTTPS = "https://rewards.example"
WITHOUT_A_VIEW_OF_OURS = {"static", "bootstrap.static"}


def cookies_of(*answers: TestResponse) -> dict[str, Any]:
    """Return every cookie that was set, with its attributes."""
    found: SimpleCookie = SimpleCookie()
    for answer in answers:
        for header in answer.headers.getlist("Set-Cookie"):
            found.load(header)
    return dict(found)


@pytest.fixture
def behind_tls(make_app: Callable[..., Flask], idp_key: tuple[str, str]) -> Iterator[tuple[FlaskClient, Door]]:
    """Return a browser and a connection of an installation behind a proxy that ends TLS; Jane has a password."""
    app = make_app(RGAPP_BASE_URL=HTTPS, RGAPP_SECRET_KEY="s" * 40, RGAPP_SMTP_URL="smtp://127.0.0.1:1")
    with app.app_context():
        make = Factory(db.session(), NOW)
        programme = make.programme("acme", password_sign_in=True)
        idp = saml_settings(idp_key[1])["idp"] | {"slo_url": "https://idp.example/slo"}
        integration = make.integration(programme, saml_settings(idp_key[1], idp=idp))
        make.staff(programme, email="hr@acme.example")
        client = app.test_client()
        client.environ_base["HTTP_REFERER"] = "https://localhost/"  # Of a form that came by https it is asked, too.
        yield client, Door(programme, integration, idp_key, base_url=HTTPS)
        db.session.rollback()


def everything_that_sets_cookies(client: FlaskClient, door: Door) -> list[TestResponse]:
    """Sign in and out everywhere."""
    started = client.get(f"{door.root}/login")
    answers = [started, door.sign_in(client), client.get("/p/acme/")]
    with_form_token(client, "/p/acme/")
    answers.append(client.post(f"{door.root}/logout"))
    with_form_token(client, "/manager/login")
    answers.append(client.post("/manager/login", data={"email": "hr@acme.example", "password": PASSWORD}))
    answers += [client.get("/manager/login"), client.get("/manager/acme/settings")]
    answers += [client.get("/p/acme/login"), client.post("/manager/logout")]
    return answers


def test_every_cookie_behind_tls_is_for_this_host_and_no_script(behind_tls: tuple[FlaskClient, Door]) -> None:
    """`__Host-` makes browsers refuse one that is not Secure, has a Domain or another path: nobody can plant any."""
    cookies = cookies_of(*everything_that_sets_cookies(*behind_tls))
    assert {"__Host-rg_saml", "__Host-rg_user_acme", "__Host-rg_logout", "__Host-rg_staff", "__Host-rg_form"} <= set(
        cookies
    )
    for name, cookie in cookies.items():
        assert name.startswith("__Host-"), name
        assert (bool(cookie["secure"]), bool(cookie["httponly"])) == (True, True), name
        assert (cookie["path"], cookie["domain"]) == ("/", ""), name
        assert cookie["samesite"] == ("None" if name in {"__Host-rg_saml", "__Host-rg_logout"} else "Lax"), name


def test_over_http_on_loopback_no_script_reads_a_cookie_either(
    make_door: Callable[..., Door], idp_key: tuple[str, str], client: FlaskClient, make: Factory
) -> None:
    idp = saml_settings(idp_key[1])["idp"] | {"slo_url": "https://idp.example/slo"}
    door = make_door(idp=idp)
    make.staff(door.programme, email="hr@acme.example")
    cookies = cookies_of(*everything_that_sets_cookies(client, door))
    assert {"rg_saml", "rg_user_acme", "rg_logout", "rg_staff", "rg_form"} <= set(cookies)
    for name, cookie in cookies.items():
        assert cookie["httponly"], name
        assert bool(cookie["secure"]) == (name in {"rg_saml_secure", "rg_logout_secure"}), name
        assert cookie["samesite"] in {"Lax", "None"}, name


def pages_of(app: Flask, door: Door, user: User) -> list[str]:
    """Return the address of every page that can be opened, with arguments that exist."""
    values: dict[str, Any] = {
        "slug": "acme",
        "public_id": door.integration.public_id,
        "integration_id": door.integration.id,
        "user_id": user.id,
    }
    addresses = []
    with app.test_request_context():
        for rule in app.url_map.iter_rules():
            if rule.endpoint in WITHOUT_A_VIEW_OF_OURS or "GET" not in (rule.methods or set()):
                continue
            missing = dict.fromkeys(rule.arguments - values.keys(), "0" * 8 + "-0000-7000-8000-" + "0" * 12)
            given = {name: value for name, value in values.items() if name in rule.arguments}
            addresses.append(app.url_for(rule.endpoint, **given | missing))
    return addresses


@pytest.fixture
def everywhere(app: Flask, door: Door, make: Factory, session: Session) -> tuple[FlaskClient, list[str]]:
    """Return a browser in which staff and Jane are signed in, and every page."""
    jane = make.user(door.programme)
    operator = make.staff(role=Role.OPERATOR)
    client = app.test_client()
    client.set_cookie("rg_staff", staff_accounts.open_session(session, operator, user_agent="a test", now=utcnow()))
    door.sign_in(client)
    session.commit()
    return client, pages_of(app, door, jane)


def test_no_page_may_be_framed_kept_or_read_by_another_site(everywhere: tuple[FlaskClient, list[str]]) -> None:
    client, addresses = everywhere
    assert len(addresses) > 30
    for address in addresses:
        with client.get(address, headers={"Origin": "https://evil.example"}) as answer:
            assert answer.headers["X-Frame-Options"] == "DENY", address
            assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"], address
            assert answer.headers["X-Content-Type-Options"] == "nosniff", address
            assert answer.headers["Cache-Control"] == "no-store", address
            assert not [name for name in answer.headers.keys() if name.startswith("Access-Control")], address  # noqa: SIM118


def test_no_other_site_is_allowed_to_ask_beforehand(everywhere: tuple[FlaskClient, list[str]]) -> None:
    client, addresses = everywhere
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    for address in addresses:
        with client.options(address, headers=asked) as answer:
            assert "Access-Control-Allow-Origin" not in answer.headers, address


def test_lies_about_the_host_are_repeated_on_no_page(app: Flask, everywhere: tuple[FlaskClient, list[str]]) -> None:
    client, addresses = everywhere
    # The test client holds its cookies back from a host that it does not know; who lies about the host does not.
    held = [client.get_cookie(name) for name in ("rg_staff", "rg_user_acme")]
    cookies = {"Cookie": "; ".join(f"{cookie.key}={cookie.value}" for cookie in held if cookie is not None)}
    liar = app.test_client(use_cookies=False)
    opened = 0
    for address in addresses:
        with liar.get(address, headers=LIES | cookies) as answer:
            said = answer.text + str(answer.headers)
            opened += answer.status_code == 200
        assert "evil.example" not in said, address
        assert "gopher" not in said, address
    assert opened > 20


def test_lies_about_the_host_are_repeated_in_no_mail(
    app: Flask, make: Factory, session: Session, client: FlaskClient
) -> None:
    programme = make.programme("acme", password_sign_in=True)
    make.user(programme, email="jane@acme.example")
    session.commit()
    app.config["WTF_CSRF_ENABLED"] = False
    client.post("/p/acme/password/forgotten", data={"email": "jane@acme.example"}, headers=LIES)
    assert send_mails(app, session, now=utcnow()) == 1
    (mail,) = [file.read_bytes() for file in _mail_folder(app).glob("*.eml")]
    assert b"http://127.0.0.1:8000/p/acme/password/" in mail.replace(b"=\n", b"").replace(b"=\r\n", b"")
    assert b"evil" not in mail


def _mail_folder(app: Flask) -> Any:
    from pathlib import Path

    return Path(app.config["MAIL_FOLDER"])


SPLITS = ["/p/acme/\r\nSet-Cookie: planted=1", "/p/acme/%0d%0aSet-Cookie:planted=1", "/p/acme/\u560a\u560dSet-Cookie:x"]


@pytest.mark.parametrize("value", SPLITS)
def test_no_value_writes_a_header_of_its_own(
    make_door: Callable[..., Door], client: FlaskClient, session: Session, value: str
) -> None:
    door = make_door(idp_initiated=True)
    answer = door.post(client, door.response(None), value)
    assert answer.status_code == 303
    assert "planted" not in str(answer.headers)
    assert answer.location.isascii()
    led = client.get("/p/acme/login", query_string={"next": value})
    assert led.location.startswith("/p/acme/")
    assert led.location.isascii()
    assert "planted" not in str(led.headers)


def test_a_used_response_posted_again_is_refused_and_ends_nothing(door: Door, client: FlaskClient) -> None:
    """What the back button does: the browser offers to send the form again."""
    request_id, relay_state = door.start(client)
    response = door.response(request_id)
    assert door.post(client, response, relay_state).status_code == 303
    again = door.post(client, response, relay_state)
    assert again.status_code == 403
    assert "start again" in again.text
    assert client.get("/p/acme/").status_code == 200


def test_tabs_may_finish_in_any_order(door: Door, client: FlaskClient) -> None:
    tabs = [door.start(client, f"/p/acme/details?tab={number}") for number in range(3)]
    for number, (request_id, relay_state) in reversed(list(enumerate(tabs))):
        answer = door.post(client, door.response(request_id), relay_state)
        assert answer.location == f"/p/acme/details?tab={number}"


def test_the_response_of_one_tab_with_the_relay_state_of_another_is_refused(door: Door, client: FlaskClient) -> None:
    (first, _), (_, second_state) = door.start(client), door.start(client)
    assert door.post(client, door.response(first), second_state).status_code == 403


def test_an_attackers_own_response_signs_no_victim_in(door: Door, client: FlaskClient, app: Flask) -> None:
    """Login CSRF: the victim would work, and leave her details, in the attacker's account."""
    request_id, relay_state = door.start(app.test_client())
    response = door.response(request_id)
    for _ in range(2):  # With and without a sign-in of her own under way.
        assert door.post(client, response, relay_state).status_code == 403
        assert client.get_cookie("rg_user_acme") is None
        door.start(client)


def test_nobody_is_signed_in_unasked_unless_the_connection_says_so(door: Door, client: FlaskClient) -> None:
    assert not door.integration.draft["idp_initiated"]
    assert door.post(client, door.response(None)).status_code == 403


def test_a_session_planted_before_the_sign_in_is_not_adopted(
    door: Door, client: FlaskClient, app: Flask, session: Session
) -> None:
    attacker = app.test_client()
    door.sign_in(attacker, mail=["mallory@acme.example"], employeeNumber=["E6666"])
    planted = attacker.get_cookie("rg_user_acme")
    assert planted is not None
    client.set_cookie("rg_user_acme", planted.value)
    door.sign_in(client)
    after = client.get_cookie("rg_user_acme")
    assert after is not None
    assert after.value != planted.value
    number = session.scalar(
        select(User.membership_no)
        .join(UserSession, UserSession.user_id == User.id)
        .where(UserSession.token_hash == hash_token(after.value))
    )
    assert number == "E1001"


def test_every_sign_in_gets_a_session_of_its_own(door: Door, client: FlaskClient) -> None:
    held = set()
    for _ in range(3):
        door.sign_in(client)
        cookie = client.get_cookie("rg_user_acme")
        assert cookie is not None
        held.add(cookie.value)
    assert len(held) == 3


def test_no_address_of_a_sign_in_carries_the_session(door: Door, client: FlaskClient) -> None:
    answer = door.sign_in(client)
    cookie = client.get_cookie("rg_user_acme")
    assert cookie is not None
    assert cookie.value not in answer.location + answer.text


@pytest.mark.parametrize("path", ["/p/acme/", "/p/acme/details"])
def test_an_employees_page_names_no_reference_of_others(door: Door, client: FlaskClient, path: str) -> None:
    door.sign_in(client)
    page = client.get(path).text
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-", page), "an internal id"


def test_pages_of_one_programme_send_no_referrer_elsewhere(door: Door, client: FlaskClient) -> None:
    assert client.get("/p/acme/login").headers["Referrer-Policy"] == "same-origin"


def test_a_refused_response_opens_no_session(door: Door, client: FlaskClient, session: Session) -> None:
    door.sign_in(client, mail=None)
    assert client.get_cookie("rg_user_acme") is None
    assert session.scalar(select(UserSession.token_hash)) is None
    assert session.scalar(select(SignInAttempt.accepted)) is False


def test_the_post_to_the_identity_provider_is_allowed_to_it_alone(
    make_door: Callable[..., Door], idp_key: tuple[str, str], client: FlaskClient, session: Session
) -> None:
    idp = saml_settings(idp_key[1])["idp"] | {"sso_binding": "post"}
    door = make_door(idp=idp)
    assert session.scalar(select(Integration.id)) is not None
    policy = client.get(f"{door.root}/login").headers["Content-Security-Policy"]
    assert policy.endswith("form-action 'self' https://idp.example")
    assert urlsplit(idp["sso_url"]).netloc == "idp.example"
