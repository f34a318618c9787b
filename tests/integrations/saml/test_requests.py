"""AuthnRequests and logout messages: what we send can be read and verified, what arrives is checked strictly."""

import base64
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from lxml import etree

from rgapp.demo.responses import (
    logout_response_url,
    parse_authn_request,
    parse_logout_request,
    parse_posted_authn_request,
)
from rgapp.integrations.saml.connection import Binding
from rgapp.integrations.saml.document import schema_error
from rgapp.integrations.saml.keys import trusted_key
from rgapp.integrations.saml.logout import (
    LogoutProblem,
    ReceivedLogoutRequest,
    ReceivedLogoutResponse,
    RefusedLogout,
    build_logout_request,
    build_logout_response,
    read_logout,
)
from rgapp.integrations.saml.redirect import QueryError, message_url, read_query
from rgapp.integrations.saml.requests import build_authn_request
from tests.idp import ACS_URL, ENTITY_ID, IDP_ENTITY_ID, NOW, NS, SLS_URL, connection, key_pair


def query_of(url: str) -> str:
    """Return the raw query string of an address."""
    return urlsplit(url).query


def test_authn_request_by_redirect_says_what_is_needed() -> None:
    sent = build_authn_request(connection(), now=NOW, relay_state="r&s=1")
    assert sent.redirect_url is not None
    received = parse_authn_request(query_of(sent.redirect_url))
    assert (received.id, received.issuer, received.acs_url) == (sent.id, ENTITY_ID, ACS_URL)
    assert received.relay_state == "r&s=1"
    root = etree.fromstring(read_query(query_of(sent.redirect_url), limit=10_000).xml)
    assert schema_error(root) is None
    assert root.find("{*}RequestedAuthnContext") is None
    assert root.get("ForceAuthn") is None
    assert root.get("IssueInstant") == "2026-05-04T08:30:00Z"


def test_authn_request_ids_are_long_and_never_the_same() -> None:
    ids = {build_authn_request(connection(), now=NOW, relay_state="").id for _ in range(100)}
    assert len(ids) == 100
    assert all(len(identifier) == 49 and identifier[0] == "_" for identifier in ids)


def test_sign_in_address_keeps_its_own_query() -> None:
    url = build_authn_request(
        connection(sso_url="https://idp.example/sso?idpid=C01"), now=NOW, relay_state=""
    ).redirect_url
    assert url is not None
    assert url.startswith("https://idp.example/sso?idpid=C01&SAMLRequest=")


def test_signed_redirect_can_be_verified_and_only_with_our_key() -> None:
    url = build_authn_request(connection(sign_requests=True), now=NOW, relay_state="x y").redirect_url
    assert url is not None
    query = read_query(query_of(url), limit=10_000)
    assert query.is_signed_by([trusted_key(key_pair("other").certificate), trusted_key(key_pair("ours").certificate)])
    assert not query.is_signed_by([trusted_key(key_pair("other").certificate)])


@pytest.mark.parametrize("signed", [False, True])
def test_authn_request_by_post(signed: bool) -> None:
    sent = build_authn_request(connection(sso_binding=Binding.POST, sign_requests=signed), now=NOW, relay_state="abc")
    assert sent.post_form is not None
    assert sent.post_form.action == "https://idp.example/sso"
    assert sent.post_form.fields["RelayState"] == "abc"
    text = sent.post_form.fields["SAMLRequest"]
    assert parse_posted_authn_request(text).id == sent.id
    root = etree.fromstring(base64.b64decode(text))
    assert schema_error(root) is None
    assert (root.find("ds:Signature", NS) is not None) is signed


@pytest.mark.parametrize("changes", [{"sso_url": None}, {"sign_requests": True, "service_key": None}])
def test_request_that_cannot_be_made_is_a_value_error(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="connection has no"):
        build_authn_request(connection(**changes), now=NOW, relay_state="")


def our_logout(**changes: Any) -> Any:
    """Build a LogoutRequest of ours."""
    return build_logout_request(
        connection(**changes), name_id="E1001", name_id_format="urn:x", session_index="s1", now=NOW, relay_state="rs"
    )


def test_our_logout_request_can_be_read_by_the_provider() -> None:
    sent = our_logout()
    received = parse_logout_request(query_of(sent.redirect_url))
    assert (received.id, received.name_id, received.relay_state) == (sent.id, "E1001", "rs")
    assert read_query(query_of(sent.redirect_url), limit=10_000).is_signed_by(
        [trusted_key(key_pair("ours").certificate)]
    )
    with pytest.raises(ValueError, match="no logout address"):
        our_logout(slo_url=None)


def test_answer_to_our_logout_request_is_believed_once_it_fits() -> None:
    url = logout_response_url(
        address=SLS_URL, issuer=IDP_ENTITY_ID, in_response_to="_1", now=NOW, relay_state="rs", key=key_pair("idp").key
    )
    read = read_logout(query_of(url), connection(), now=NOW, expected_id="_1")
    assert read == ReceivedLogoutResponse("rs")
    for other in (None, "", "_2"):
        refused = read_logout(query_of(url), connection(), now=NOW, expected_id=other)
        assert refused == RefusedLogout(LogoutProblem.IN_RESPONSE_TO)


def their_logout(*, key: str | None = "idp", kind: str = "SAMLRequest", edits: dict[str, str] | None = None) -> str:
    """Build the query string of a LogoutRequest that the provider sends."""
    xml = (
        f'<samlp:LogoutRequest xmlns:samlp="{NS["samlp"]}" xmlns:saml="{NS["saml"]}" ID="_l1" Version="2.0" '
        f'IssueInstant="2026-05-04T08:30:00Z" Destination="{SLS_URL}" NotOnOrAfter="2026-05-04T08:35:00Z">'
        f"<saml:Issuer>{IDP_ENTITY_ID}</saml:Issuer><saml:NameID>E1001</saml:NameID>"
        "<samlp:SessionIndex>s1</samlp:SessionIndex><samlp:SessionIndex>s2</samlp:SessionIndex>"
        "</samlp:LogoutRequest>"
    )
    for old, new in (edits or {}).items():
        assert old in xml
        xml = xml.replace(old, new)
    signer = key_pair(key).key if key else None
    return query_of(message_url(SLS_URL, kind, xml.encode(), relay_state="a b", signing_key=signer))


def test_logout_request_of_the_provider_is_read() -> None:
    read = read_logout(their_logout(), connection(), now=NOW)
    assert isinstance(read, ReceivedLogoutRequest)
    assert (read.id, read.name_id, read.session_indexes) == ("_l1", "E1001", ("s1", "s2"))
    assert read.relay_state == "a b"
    answer = build_logout_response(connection(), in_response_to=read.id, now=NOW, relay_state="a b")
    assert parse_qs(query_of(answer))["RelayState"] == ["a b"]
    failed = build_logout_response(connection(), in_response_to="_1", now=NOW, relay_state="", success=False)
    assert b"status:Responder" in read_query(query_of(failed), limit=10_000).xml
    with pytest.raises(ValueError, match="no logout address"):
        build_logout_response(connection(slo_url=None), in_response_to="_1", now=NOW, relay_state="")


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("", "unreadable"),
        ("SAMLRequest=%25", "unreadable"),
        ("SAMLRequest=AAAA", "unreadable"),
        (their_logout() + "&SAMLRequest=x", "unreadable"),
        (their_logout() + "&SAMLResponse=x", "unreadable"),
        (their_logout() + "&SAMLEncoding=x", "unreadable"),
        (their_logout(edits={"</samlp:LogoutRequest>": ""}), "unreadable"),
        (their_logout(edits={"E1001": "E10<!-- x -->01"}), "unreadable"),
        (their_logout(edits={'Version="2.0"': ""}), "unreadable"),
        (their_logout(key=None), "not_signed"),
        (their_logout(key="other"), "signature_invalid"),
        (their_logout().replace("RelayState=a%20b", "RelayState=evil"), "signature_invalid"),
        (their_logout().replace(quote("rsa-sha256"), "rsa-sha1"), "signature_invalid"),
        (their_logout(kind="SAMLResponse"), "not_logout"),
        (their_logout(edits={IDP_ENTITY_ID: "https://other.example"}), "issuer"),
        (their_logout(edits={SLS_URL: ACS_URL}), "destination"),
        (their_logout(edits={f' Destination="{SLS_URL}"': ""}), "destination"),
        (their_logout(edits={'IssueInstant="2026-05-04': 'IssueInstant="2026-05-03'}), "expired"),
        (their_logout(edits={'IssueInstant="2026-05-04': 'IssueInstant="2026-05-05'}), "expired"),
        (their_logout(edits={"08:35:00Z": "08:20:00Z"}), "expired"),
        (their_logout(edits={">E1001<": "><"}), "no_name_id"),
    ],
)
def test_bad_logout_message_is_refused(query: str, problem: str) -> None:
    assert read_logout(query, connection(), now=NOW) == RefusedLogout(LogoutProblem(problem))


def test_logout_the_provider_could_not_do_is_reported() -> None:
    url = logout_response_url(
        address=SLS_URL, issuer=IDP_ENTITY_ID, in_response_to="_1", now=NOW, relay_state="", key=key_pair("idp").key
    )
    xml = read_query(query_of(url), limit=10_000).xml.replace(b"status:Success", b"status:Responder")
    again = message_url(SLS_URL, "SAMLResponse", xml, signing_key=key_pair("idp").key)
    read = read_logout(query_of(again), connection(), now=NOW + timedelta(seconds=5), expected_id="_1")
    assert read == RefusedLogout(LogoutProblem.STATUS)


def test_small_message_that_inflates_to_a_huge_one_is_refused() -> None:
    url = message_url(SLS_URL, "SAMLRequest", b"<a>" + b" " * 10_000_000 + b"</a>")
    assert len(url) < 20_000
    with pytest.raises(QueryError):
        read_query(query_of(url), limit=65_536)


def test_provider_side_refuses_other_messages() -> None:
    with pytest.raises(ValueError, match="LogoutRequest"):
        parse_logout_request(query_of(build_authn_request(connection(), now=NOW, relay_state="").redirect_url or ""))
