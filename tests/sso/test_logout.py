"""Single logout: our request to the identity provider, its request to us, and what is not believed."""

from collections.abc import Callable
from urllib.parse import urlsplit

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from rgapp.clock import utcnow
from rgapp.demo.responses import logout_response_url, parse_logout_request
from tests.sso.conftest import IDP_ENTITY_ID, SSO_URL, Door

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
    assert client.post("/p/acme/logout").location == f"{door.root}/logout"
    asked = client.get(f"{door.root}/logout")
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
