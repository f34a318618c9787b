"""A programme with an admin, a connection and an identity provider, and browsers that are signed in."""

from collections.abc import Callable
from contextvars import Context
from datetime import datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from flask import Flask
from flask import session as flask_session
from flask.testing import FlaskClient
from flask_wtf.csrf import generate_csrf
from sqlalchemy.orm import Session

from rgapp.clock import utcnow
from rgapp.demo.responses import ResponseSpec, build_response, encode, idp_metadata, make_idp_key
from rgapp.integrations.saml.kind import service_urls
from rgapp.models import Integration, Programme, Role, Staff
from tests.factories import Factory
from tests.sso.conftest import IDP_ENTITY_ID, JANE, SSO_URL, saml_settings

BASE_URL = "http://127.0.0.1:8000"


class Inputs(HTMLParser):
    """Reads what a browser would send back from a page's hidden fields."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "input" and given.get("type") == "hidden" and given.get("name"):
            self.hidden[str(given["name"])] = given.get("value") or ""


def hidden_fields(html: str) -> dict[str, str]:
    """Return the hidden fields of a page."""
    parser = Inputs()
    parser.feed(html)
    return parser.hidden


def _csrf_pair(app: Flask) -> tuple[str, str]:
    """Return a CSRF token and what the form cookie holds for it."""
    with app.test_request_context():
        return generate_csrf(), flask_session["csrf_token"]


@pytest.fixture(scope="session")
def idp_key() -> tuple[str, str]:
    """Return the identity provider's private key and certificate."""
    return make_idp_key(utcnow() - timedelta(days=1))


@pytest.fixture(scope="session")
def other_certificate() -> str:
    """Return another certificate of the same provider."""
    return make_idp_key(utcnow() - timedelta(days=1), "The next key")[1]


@pytest.fixture
def metadata(idp_key: tuple[str, str]) -> bytes:
    """Return the identity provider's metadata."""
    return idp_metadata(entity_id=IDP_ENTITY_ID, sso_url=SSO_URL, certificates=[idp_key[1]])


@pytest.fixture
def acme(make: Factory) -> Programme:
    """Return a programme."""
    return make.programme("acme", name="Acme Rewards")


@pytest.fixture
def admin(make: Factory, acme: Programme) -> Staff:
    """Return an HR admin of the programme."""
    return make.staff(acme, name="Alex Admin")


@pytest.fixture
def sign_in(app: Flask, session: Session) -> Callable[[Staff], FlaskClient]:
    """Return a function that gives a staff member a signed-in browser."""
    from rgapp.auth import staff as staff_accounts

    def signed_in(person: Staff) -> FlaskClient:
        token = staff_accounts.open_session(session, person, user_agent="a test", now=utcnow())
        session.commit()
        browser = app.test_client()
        browser.set_cookie("rg_staff", token)
        proof, secret = Context().run(_csrf_pair, app)
        with browser.session_transaction() as cookie:
            cookie["csrf_token"] = secret
        browser.environ_base["HTTP_X_CSRFTOKEN"] = proof
        return browser

    return signed_in


@pytest.fixture
def browser(sign_in: Callable[[Staff], FlaskClient], admin: Staff) -> FlaskClient:
    """Return the admin's browser."""
    return sign_in(admin)


@pytest.fixture
def support(sign_in: Callable[[Staff], FlaskClient], make: Factory) -> FlaskClient:
    """Return the browser of somebody in support."""
    return sign_in(make.staff(role=Role.SUPPORT))


@pytest.fixture
def stranger(sign_in: Callable[[Staff], FlaskClient], make: Factory) -> FlaskClient:
    """Return the browser of an admin of another programme."""
    return sign_in(make.staff(make.programme("globex")))


@pytest.fixture
def draft(make: Factory, acme: Programme, idp_key: tuple[str, str]) -> Integration:
    """Return a complete draft that nobody tested."""
    return make.integration(acme, saml_settings(idp_key[1]), published=False)


@pytest.fixture
def live(make: Factory, acme: Programme, idp_key: tuple[str, str]) -> Integration:
    """Return a published connection."""
    return make.integration(acme, saml_settings(idp_key[1]))


@pytest.fixture
def path() -> Callable[..., str]:
    """Return a function that gives the path of a page about an integration."""

    def of(integration: Integration, rest: str = "", slug: str = "acme") -> str:
        return f"/manager/{slug}/integrations/{integration.id}/{rest}"

    return of


@pytest.fixture
def response_for(idp_key: tuple[str, str]) -> Callable[..., str]:
    """Return a function that makes a signed SAMLResponse for a connection."""

    def make_response(integration: Integration, *, now: datetime | None = None, **changes: Any) -> str:
        urls = service_urls(integration.public_id, BASE_URL)
        spec: dict[str, Any] = {
            "issuer": IDP_ENTITY_ID,
            "audience": urls["entity_id"],
            "acs_url": urls["acs"],
            "now": now or utcnow(),
            "attributes": JANE,
        }
        return encode(build_response(ResponseSpec(**(spec | changes)), *idp_key))

    return make_response
