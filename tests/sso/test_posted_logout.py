"""Single logout where the identity provider posts its messages, as some do whatever our metadata prefers."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from lxml import etree
from sqlalchemy import text

from rgapp.clock import utcnow
from rgapp.demo.responses import encode, idp_metadata
from rgapp.extensions import db
from rgapp.integrations.saml.requests import instant
from rgapp.integrations.saml.understood import understand_metadata
from rgapp.sso import logout
from tests.databases import impatient
from tests.idp import NS, KeyPair, Signing, sign_element
from tests.sso.conftest import IDP_ENTITY_ID, SSO_URL, Door


def logout_request(door: Door, name_id: str = "E1001", *, sign: bool = True) -> dict[str, str]:
    """Return the form with the identity provider's LogoutRequest."""
    root = etree.fromstring(
        f'<samlp:LogoutRequest xmlns:samlp="{NS["samlp"]}" xmlns:saml="{NS["saml"]}" ID="_posted" Version="2.0" '
        f'IssueInstant="{instant(utcnow())}" Destination="{door.base_url}{door.root}/sls">'
        f"<saml:Issuer>{IDP_ENTITY_ID}</saml:Issuer><saml:NameID>{name_id}</saml:NameID></samlp:LogoutRequest>"
    )
    if sign:
        sign_element(root, KeyPair(*door.key), Signing())
    return {"SAMLRequest": encode(etree.tostring(root)), "RelayState": "there"}


def test_a_posted_request_ends_the_session_once_and_is_answered(
    make_door: Callable[..., Door], idp_key: tuple[str, str], client: FlaskClient, app: Any
) -> None:
    slo_url = "https://idp.example/slo"
    idp = {"entity_id": IDP_ENTITY_ID, "sso_url": SSO_URL, "slo_url": slo_url, "certificates": [idp_key[1]]}
    door = make_door(idp=idp)
    door.sign_in(client)
    form = logout_request(door)
    answer = app.test_client().post(f"{door.root}/sls", data=form)
    assert answer.status_code == 303
    assert answer.location.startswith(f"{slo_url}?SAMLResponse=")
    assert "RelayState=there" in answer.location
    assert client.get("/p/acme/").status_code == 302
    assert app.test_client().post(f"{door.root}/sls", data=form).status_code == 403


def test_the_answer_goes_where_the_metadata_wants_answers(
    make_door: Callable[..., Door], idp_key: tuple[str, str], client: FlaskClient
) -> None:
    """ResponseLocation (SAML metadata 2.2.2)."""
    metadata = idp_metadata(
        entity_id=IDP_ENTITY_ID, sso_url=SSO_URL, certificates=[idp_key[1]], slo_url="https://idp.example/slo"
    ).replace(b'/slo"', b'/slo" ResponseLocation="https://idp.example/answers"')
    (understood,) = understand_metadata(metadata, now=utcnow())
    door = make_door(idp=understood.settings)
    door.sign_in(client)
    answer = client.post(f"{door.root}/sls", data=logout_request(door))
    assert answer.location.startswith("https://idp.example/answers?SAMLResponse=")


def test_nothing_else_that_is_posted_ends_a_session(door: Door, client: FlaskClient, app: Any) -> None:
    door.sign_in(client)
    good = logout_request(door)
    for form in (logout_request(door, sign=False), good | {"SAMLResponse": "x"}, {}, {"SAMLRequest": "x"}):
        assert app.test_client().post(f"{door.root}/sls", data=form).status_code == 403
    assert client.get("/p/acme/").status_code == 200


def test_reading_what_is_posted_holds_no_lock(door: Door, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anybody may post to this address: while a signature is checked, others sign in."""
    read, wrote = logout.read_posted_logout, []

    def slow(*args: Any, **options: Any) -> Any:
        with db.engine.connect() as other:
            impatient(other)
            other.execute(text("UPDATE programmes SET contact_name = 'x'"))
            other.commit()
            wrote.append(True)
        return read(*args, **options)

    monkeypatch.setattr(logout, "read_posted_logout", slow)
    assert client.post(f"{door.root}/sls", data={"SAMLRequest": "x"}).status_code == 403
    assert wrote == [True]
