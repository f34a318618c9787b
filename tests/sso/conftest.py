"""An identity provider and a connection to it, driven over HTTP as a browser would."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from rgapp.clock import utcnow
from rgapp.demo.responses import ResponseSpec, build_response, encode, make_idp_key, parse_authn_request
from rgapp.models import Integration, Programme
from tests.factories import Factory

IDP_ENTITY_ID = "https://idp.example/saml"
SSO_URL = "https://idp.example/sso"
JANE = {
    "employeeNumber": ["E1001"],
    "mail": ["Jane.Carter@acme.example"],
    "givenName": ["Jane"],
    "sn": ["Carter"],
    "birthDate": ["03/04/1990"],
}
MAPPING = {
    "membership_no": {"attribute": "employeeNumber"},
    "email": {"attribute": "mail"},
    "first_name": {"attribute": "givenName"},
    "last_name": {"attribute": "sn"},
    "date_of_birth": {"attribute": "birthDate", "format": "%d/%m/%Y"},
}


@pytest.fixture(scope="session")
def idp_key() -> tuple[str, str]:
    """Return the identity provider's private key and certificate."""
    return make_idp_key(utcnow() - timedelta(days=1))


def saml_settings(certificate: str, **changes: Any) -> dict[str, Any]:
    """Return complete settings of a connection with JIT on."""
    settings: dict[str, Any] = {
        "idp": {
            "entity_id": IDP_ENTITY_ID,
            "sso_url": SSO_URL,
            "sso_binding": "redirect",
            "certificates": [certificate],
        },
        "signed": "assertion",
        "sp_initiated": True,
        "idp_initiated": False,
        "jit": {"create": True, "update": False, "welcome_email": True},
        "mapping": MAPPING,
    }
    return settings | changes


@dataclass
class Door:
    """One connection of one programme, with the identity provider behind it."""

    programme: Programme
    integration: Integration
    key: tuple[str, str]
    base_url: str = "http://127.0.0.1:8000"
    attributes: dict[str, list[str]] = field(default_factory=lambda: dict(JANE))

    @property
    def root(self) -> str:
        """Return the path under which the connection's endpoints are."""
        return f"/sso/{self.integration.public_id}"

    def start(self, client: FlaskClient, next_path: str | None = None) -> tuple[str, str]:
        """Start a sign-in; returns the request's ID and the RelayState."""
        answer = client.get(f"{self.root}/login", query_string={"next": next_path} if next_path else None)
        assert answer.status_code == 302, answer.text
        query = urlsplit(answer.location).query
        return parse_authn_request(query).id, parse_qs(query)["RelayState"][0]

    def response(self, in_response_to: str | None, now: datetime | None = None, **changes: Any) -> str:
        """Return a signed response, base64."""
        spec: dict[str, Any] = {
            "issuer": IDP_ENTITY_ID,
            "audience": f"{self.base_url}{self.root}/metadata",
            "acs_url": f"{self.base_url}{self.root}/acs",
            "now": now or utcnow(),
            "attributes": self.attributes,
            "in_response_to": in_response_to,
        }
        return encode(build_response(ResponseSpec(**(spec | changes)), *self.key))

    def post(self, client: FlaskClient, response: str, relay_state: str = "") -> TestResponse:
        """Bring a response to the ACS."""
        return client.post(f"{self.root}/acs", data={"SAMLResponse": response, "RelayState": relay_state})

    def sign_in(self, client: FlaskClient, next_path: str | None = None, **attributes: Any) -> TestResponse:
        """Sign in from start to end; attributes given as None are not sent."""
        changed = self.attributes | attributes
        sent = {name: values for name, values in changed.items() if values is not None}
        request_id, relay_state = self.start(client, next_path)
        return self.post(client, self.response(request_id, attributes=sent), relay_state)


@pytest.fixture
def make_door(session: Session, make: Factory, idp_key: tuple[str, str]) -> Callable[..., Door]:
    """Return a function that makes a live connection; arguments change its settings."""

    def build(
        programme: Programme | None = None, *, published: bool = True, name: str = "Okta", **changes: Any
    ) -> Door:
        programme = programme or make.programme("acme", contact_name="Acme People Team")
        integration = make.integration(programme, saml_settings(idp_key[1], **changes), name=name, published=published)
        return Door(programme, integration, idp_key)

    return build


@pytest.fixture
def door(make_door: Callable[..., Door]) -> Door:
    """Return a live connection with JIT on."""
    return make_door()
