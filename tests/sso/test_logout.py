"""Single logout: our request to the identity provider, its request to us, and what is not believed."""

from collections.abc import Callable
from urllib.parse import urlsplit

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from rgapp.clock import utcnow
from rgapp.demo.responses import logout_response_url, parse_logout_request
from rgapp.integrations.saml.connection import Connection
from rgapp.integrations.saml.logout import build_logout_request
from tests.sso.conftest import IDP_ENTITY_ID, SSO_URL, Door
from tests.staff_client import with_form_token

SLO_URL = "https://idp.example/slo"


def with_logout(make_door: Callable[..., Door], certificate: str) -> Door:
    """Make a connection whose identity provider takes part in logout."""
    idp = {"entity_id": IDP_ENTITY_ID, "sso_url": SSO_URL, "slo_url": SLO_URL, "certificates": [certificate]}
    return make_door(idp=idp)


def test_signing_out_goes_on_to_the_identity_provider_and_comes_back(
    make_door: Callable[..., Door], idp_key: tuple[str, str], client: FlaskClient, session: Session
) -> None:
    door = with_logout(make_door, idp_key[1])
    door.sign_in(client)
    home = client.get("/p/acme/")
    assert "form-action 'self' https://idp.example;" in home.headers["Content-Security-Policy"] + ";"
    client.application.config["WTF_CSRF_ENABLED"] = False
    sent_on = client.post("/p/acme/logout")
    assert (sent_on.status_code, sent_on.location) == (307, f"{door.root}/logout")  # The form is posted again.
    asked = client.post(f"{door.root}/logout")
    assert asked.location.startswith(f"{SLO_URL}?SAMLRequest=")
    assert client.get("/p/acme/").status_code == 302
    received = parse_logout_request(urlsplit(asked.location).query)
    assert received.name_id == "E1001"
    answer = logout_response_url(
        address=f"{door.base_url}{door.root}/sls",
        issuer=IDP_ENTITY_ID,
        in_response_to=received.id,
        now=utcnow(),
        relay_state="",
        key=idp_key[0],
    )
    parts = urlsplit(answer)
    back = client.get(f"{parts.path}?{parts.query}")
    assert back.location == "/p/acme/signed-out"


def test_an_unsigned_logout_request_ends_no_session(door: Door, client: FlaskClient) -> None:
    door.sign_in(client)
    assert client.get(f"{door.root}/sls?SAMLRequest=abc").status_code == 403
    assert client.get("/p/acme/").status_code == 200


def test_logout_without_a_session_leads_to_the_signed_out_page(door: Door, client: FlaskClient) -> None:
    assert client.get(f"{door.root}/logout").location == "/p/acme/signed-out"


def test_a_link_signs_nobody_out_but_asks(
    make_door: Callable[..., Door], idp_key: tuple[str, str], client: FlaskClient
) -> None:
    """A picture on somebody else's page opens any link."""
    door = with_logout(make_door, idp_key[1])
    door.sign_in(client)
    page = client.get(f"{door.root}/logout")
    assert page.status_code == 200
    assert "Sign out?" in page.text
    assert "form-action 'self' https://idp.example;" in page.headers["Content-Security-Policy"] + ";"
    assert client.post(f"{door.root}/logout").status_code == 400  # Without the form's token.
    assert client.get("/p/acme/").status_code == 200
    with_form_token(client, f"{door.root}/logout")
    assert client.post(f"{door.root}/logout").location.startswith(f"{SLO_URL}?SAMLRequest=")
    assert client.get("/p/acme/").status_code == 302


def test_a_logout_request_is_carried_out_once(
    make_door: Callable[..., Door], idp_key: tuple[str, str], client: FlaskClient
) -> None:
    """Its address stands in histories and logs: opened again it must not end the session that was opened since."""
    door = with_logout(make_door, idp_key[1])
    door.sign_in(client)
    asked = asked_by_provider(door)
    assert client.get(asked).location.startswith(f"{SLO_URL}?SAMLResponse=")
    assert client.get("/p/acme/").status_code == 302
    door.sign_in(client)
    assert client.get(asked).status_code == 403
    assert client.get("/p/acme/").status_code == 200


def asked_by_provider(door: Door) -> str:
    """Return the path at which the identity provider asks us to sign Jane out."""
    provider = Connection(
        entity_id=IDP_ENTITY_ID,
        acs_url="",
        sls_url="",
        service_key=door.key[0],
        service_certificate=door.key[1],
        idp_entity_id="",
        certificates=(),
        slo_url=f"{door.base_url}{door.root}/sls",
    )
    asked = build_logout_request(
        provider, name_id="E1001", name_id_format=None, session_index=None, now=utcnow(), relay_state=""
    )
    parts = urlsplit(asked.redirect_url)
    return f"{parts.path}?{parts.query}"
