"""The demo identity provider: signs people in to its own application only, and never outside a demo."""

import base64
import html
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from rgapp.clock import utcnow
from rgapp.config import ConfigError
from rgapp.demo import people
from rgapp.demo.idp import create_app
from rgapp.demo.store import DemoStore, Service
from rgapp.integrations.saml.connection import Binding, Connection
from rgapp.integrations.saml.metadata import read_metadata
from rgapp.integrations.saml.redirect import message_url
from rgapp.integrations.saml.requests import build_authn_request
from rgapp.integrations.saml.response import examine
from tests.conftest import NOW

BASE_URL = "http://127.0.0.1:8000"
ENTITY_ID = f"{BASE_URL}/sso/abc/metadata"
ACS_URL = f"{BASE_URL}/sso/abc/acs"


@pytest.fixture
def idp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """Return the identity provider of a fresh instance."""
    monkeypatch.setenv("INSTANCE", str(tmp_path))
    monkeypatch.setenv("RGAPP_DEMO", "1")
    return create_app()


@pytest.fixture
def store(tmp_path: Path) -> DemoStore:
    """Return the folder that the identity provider reads."""
    return DemoStore.of(tmp_path)


@pytest.fixture
def browser(idp: Flask) -> FlaskClient:
    """Return a browser at the identity provider."""
    return idp.test_client()


def connection(store: DemoStore, acs_url: str = ACS_URL, binding: Binding = Binding.REDIRECT) -> Connection:
    """Return the application's side of a connection with this identity provider."""
    return Connection(
        entity_id=ENTITY_ID,
        acs_url=acs_url,
        idp_entity_id=people.IDP_ENTITY_ID,
        certificates=(store.key_pair(NOW)[1],),
        sso_url=f"{store.url}/sso",
        sso_binding=binding,
        idp_initiated=True,
    )


def fields(page: str) -> dict[str, str]:
    """Return the hidden fields of a page."""
    found = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page)
    return {html.unescape(name): html.unescape(value) for name, value in found}


def test_it_does_not_start_unless_the_demo_is_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSTANCE", str(tmp_path))
    with pytest.raises(ConfigError, match="RGAPP_DEMO"):
        create_app()


def test_it_does_not_start_in_production(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSTANCE", str(tmp_path))
    monkeypatch.setenv("RGAPP_DEMO", "1")
    monkeypatch.setenv("RGAPP_ENV", "production")
    with pytest.raises(ConfigError, match="RGAPP_DEMO"):
        create_app()


def test_its_metadata_can_be_read_by_our_own_reader(browser: FlaskClient, store: DemoStore) -> None:
    metadata = read_metadata(browser.get("/metadata").data, now=NOW)
    assert metadata.entity_id == people.IDP_ENTITY_ID
    assert metadata.sso_url == f"{store.url}/sso"


def test_a_request_is_answered_at_its_own_address(browser: FlaskClient, store: DemoStore) -> None:
    asked = connection(store)
    request = build_authn_request(asked, now=NOW, relay_state="state-1")
    page = browser.get("/sso?" + urlsplit(request.redirect_url).query).text
    assert "Choose who you are" in page
    sent = browser.post("/sign-in", data=fields(page) | {"employee": "E1001"})
    assert fields(sent.text)["RelayState"] == "state-1"
    assert f'action="{ACS_URL}"' in sent.text
    assert request.id in _decoded(fields(sent.text)["SAMLResponse"])


def test_a_request_by_post_is_read_too(browser: FlaskClient, store: DemoStore) -> None:
    request = build_authn_request(connection(store, binding=Binding.POST), now=NOW, relay_state="state-2")
    page = browser.post("/sso", data=request.post_form.fields).text
    assert fields(page)["request_id"] == request.id
    assert fields(page)["relay_state"] == "state-2"


@pytest.mark.parametrize(
    "acs_url",
    [
        "https://evil.example/acs",
        "http://127.0.0.1:8000.evil.example/sso/abc/acs",
        "http://127.0.0.1:8000@evil.example/sso/",
        "http://127.0.0.1:8000/elsewhere",
        "",
    ],
)
def test_nobody_gets_a_response_for_another_address(browser: FlaskClient, acs_url: str) -> None:
    form = {"acs_url": acs_url, "audience": ENTITY_ID, "employee": "E1001"}
    refused = browser.post("/sign-in", data=form)
    assert refused.status_code == 400
    assert "SAMLResponse" not in refused.text


@pytest.mark.parametrize("query", ["", "SAMLRequest=%00", "SAMLRequest=abcd", "SAMLRequest=PHhtbD4%3D"])
def test_an_unreadable_request_is_refused_calmly(browser: FlaskClient, query: str) -> None:
    refused = browser.get(f"/sso?{query}")
    assert refused.status_code == 400
    assert "could not be read" in refused.text


def test_the_launcher_sends_an_unsolicited_response(browser: FlaskClient, store: DemoStore) -> None:
    assert "flask demo load" in browser.get("/").text
    store.keep_service(Service("Acme Rewards", ENTITY_ID, ACS_URL))
    assert "Open Acme Rewards" in browser.get("/").text
    sent = browser.post("/launch", data={"employee": "00317"})
    assert "InResponseTo" not in _decoded(fields(sent.text)["SAMLResponse"])
    assert "RelayState" not in fields(sent.text)


def test_somebody_unknown_cannot_be_chosen(browser: FlaskClient, store: DemoStore) -> None:
    store.keep_service(Service("Acme Rewards", ENTITY_ID, ACS_URL))
    assert browser.post("/launch", data={"employee": "E9999"}).status_code == 400


def test_what_is_not_known_about_somebody_is_not_sent() -> None:
    priya = people.find_employee("E1006")
    assert priya is not None
    assert "mail" not in priya.attributes()


def test_a_log_out_without_a_message_just_says_so(browser: FlaskClient) -> None:
    assert "Signed out" in browser.get("/slo").text


def test_every_page_forbids_foreign_content(browser: FlaskClient) -> None:
    policy = browser.get("/").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert f"form-action 'self' {BASE_URL}" in policy


def test_a_launched_response_is_accepted_by_our_validator(browser: FlaskClient, store: DemoStore) -> None:
    store.keep_service(Service("Acme Rewards", ENTITY_ID, ACS_URL))
    sent = fields(browser.post("/launch", data={"employee": "E1002"}).text)["SAMLResponse"]
    verdict = examine(sent, connection(store), request=None, now=utcnow())
    assert verdict.refusal is None
    assert verdict.assertion is not None
    assert verdict.assertion.attributes["sn"] == ("Núñez-O’Neill",)


def _decoded(response: str) -> str:
    return base64.b64decode(response).decode()


def test_the_query_of_a_log_out_answer_is_signed(browser: FlaskClient, store: DemoStore) -> None:
    xml = (
        '<samlp:LogoutRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_l1" Version="2.0" '
        'IssueInstant="2026-05-03T09:30:00Z"><saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">'
        f"{ENTITY_ID}</saml:Issuer></samlp:LogoutRequest>"
    )
    url = message_url(f"{store.url}/slo", "SAMLRequest", xml.encode(), relay_state="back")
    answer = browser.get("/slo?" + urlsplit(url).query)
    assert answer.location.startswith(f"{BASE_URL}/sso/abc/sls?")
    assert {"SAMLResponse", "RelayState", "SigAlg", "Signature"} <= set(parse_qs(urlsplit(answer.location).query))
