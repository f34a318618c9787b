"""Logout messages that are posted: signed inside, and believed only where nothing about them is odd."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from rgapp.demo.responses import encode, encrypt
from rgapp.integrations.saml.logout import (
    LogoutProblem,
    ReceivedLogoutRequest,
    ReceivedLogoutResponse,
    RefusedLogout,
    read_posted_logout,
)
from tests.idp import IDP_ENTITY_ID, NOW, NS, SLS_URL, Signing, apply, connection, key_pair, sign_element, spec

HEAD = f'xmlns:samlp="{NS["samlp"]}" xmlns:saml="{NS["saml"]}" ID="_l1" Version="2.0" ' + (
    f'IssueInstant="2026-05-04T08:30:00Z" Destination="{SLS_URL}"'
)
REQUEST = (
    f"<samlp:LogoutRequest {HEAD}><saml:Issuer>{IDP_ENTITY_ID}</saml:Issuer><saml:NameID>E1001</saml:NameID>"
    "<samlp:SessionIndex>_s1</samlp:SessionIndex></samlp:LogoutRequest>"
)
RESPONSE = (
    f'<samlp:LogoutResponse InResponseTo="_ours" {HEAD}><saml:Issuer>{IDP_ENTITY_ID}</saml:Issuer><samlp:Status>'
    '<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status></samlp:LogoutResponse>'
)


def signed(xml: str = REQUEST, *, key: str = "idp", after: list[list[str]] | None = None, **style: str) -> str:
    """Return a message as its form field carries it; `after` edits what is signed already."""
    root = etree.fromstring(xml)
    sign_element(root, key_pair(key), Signing(**style))
    root = etree.fromstring(etree.tostring(root))
    apply(root, after or [])
    return encode(etree.tostring(root))


def read(message: str, kind: str = "SAMLRequest", **options: str) -> object:
    """Read a posted message at the time it was made for."""
    return read_posted_logout(kind, message, "rs", connection(), now=NOW, **options)


def test_a_signed_request_is_read() -> None:
    received = read(signed())
    assert isinstance(received, ReceivedLogoutRequest)
    assert (received.id, received.name_id, received.session_indexes) == ("_l1", "E1001", ("_s1",))
    assert received.relay_state == "rs"


def test_a_signed_answer_is_read_where_it_answers_ours() -> None:
    assert read(signed(RESPONSE), "SAMLResponse", expected_id="_ours") == ReceivedLogoutResponse("rs")
    for other in ({}, {"expected_id": "_other"}):
        assert read(signed(RESPONSE), "SAMLResponse", **other) == RefusedLogout(LogoutProblem.IN_RESPONSE_TO)


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        (lambda: encode(REQUEST.encode()), "not_signed"),
        (lambda: signed(key="other"), "signature_invalid"),
        (lambda: signed(method="TransformRsaSha1"), "signature_invalid"),
        (lambda: signed(digest="TransformSha1"), "signature_invalid"),
        (lambda: signed(after=[["text", "//saml:NameID", "E6666"]]), "signature_invalid"),
        (lambda: signed(after=[["copy", "//ds:Signature"]]), "unreadable"),
        (lambda: signed(after=[["comment", "//saml:NameID", 2]]), "unreadable"),
        (lambda: signed(REQUEST.replace(IDP_ENTITY_ID, "https://other.example")), "issuer"),
        (lambda: signed(REQUEST.replace(SLS_URL, SLS_URL + "x")), "destination"),
        (lambda: signed(REQUEST.replace("T08:30", "T08:10")), "expired"),
        (lambda: signed(RESPONSE), "not_logout"),
        (lambda: "not base64!", "unreadable"),
        (lambda: "", "unreadable"),
        (lambda: "A" * 100_000, "unreadable"),
        (lambda: encode(b'<!DOCTYPE r [<!ENTITY x "y">]><r>&x;</r>'), "unreadable"),
    ],
)
def test_an_odd_request_is_refused_with_its_problem(message: Callable[[], str], problem: str) -> None:
    assert read(message()) == RefusedLogout(LogoutProblem(problem))


@pytest.mark.parametrize(("recipient", "readable"), [("ours", True), ("other", False)])
def test_an_encrypted_identifier_is_opened_with_our_key(recipient: str, readable: bool) -> None:
    root = etree.fromstring(REQUEST)
    encrypt(root.find("saml:NameID", NS), spec(), key_pair(recipient).certificate)
    root.find("saml:EncryptedAssertion", NS).tag = f"{{{NS['saml']}}}EncryptedID"
    received = read(signed(etree.tostring(root).decode()))
    if readable:
        assert isinstance(received, ReceivedLogoutRequest)
        assert received.name_id == "E1001"
    else:
        assert received == RefusedLogout(LogoutProblem.UNREADABLE)


def test_what_is_read_is_what_was_signed() -> None:
    """An evil request around the signed one is not believed."""
    inner = etree.fromstring(REQUEST)
    sign_element(inner, key_pair("idp"), Signing())
    outer = etree.fromstring(REQUEST.replace("E1001", "E6666").replace("_l1", "_evil"))
    outer.insert(1, etree.fromstring(etree.tostring(inner)))
    assert isinstance(read(encode(etree.tostring(outer))), RefusedLogout)


def test_it_ends_with_time() -> None:
    late = NOW + timedelta(minutes=8)
    assert read_posted_logout("SAMLRequest", signed(), "", connection(), now=late) == RefusedLogout(
        LogoutProblem.EXPIRED
    )


@settings(max_examples=150, deadline=None, database=None, print_blob=True)
@given(st.binary(max_size=300).map(encode) | st.text(max_size=200), st.sampled_from(["SAMLRequest", "SAMLResponse"]))
def test_nothing_makes_it_raise(message: str, kind: str) -> None:
    assert isinstance(read(message, kind), RefusedLogout)
