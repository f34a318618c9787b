"""Every folder in fixtures/saml/good is accepted and read rightly, and python3-saml agrees."""

from dataclasses import replace
from datetime import timedelta

import pytest
import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from lxml import etree
from onelogin.saml2.response import OneLogin_Saml2_Response
from onelogin.saml2.settings import OneLogin_Saml2_Settings
from onelogin.saml2.utils import OneLogin_Saml2_Utils

from rgapp.demo.responses import encode
from rgapp.integrations.saml.connection import Signed
from rgapp.integrations.saml.response import examine
from rgapp.integrations.saml.verdict import CheckCode, ExpectedRequest, Mode, VerifiedAssertion
from tests.idp import (
    ACS_URL,
    ENTITY_ID,
    IDP_ENTITY_ID,
    NOW,
    NS,
    REQUEST_ID,
    KeyPair,
    Signing,
    connection,
    expected,
    key_pair,
    response,
    response_xml,
    sign_element,
)
from tests.integrations.saml.corpus import Case, cases


@pytest.mark.parametrize("case", cases("good"), ids=lambda case: case.name)
def test_good_response_is_accepted_and_read(case: Case) -> None:
    verdict = case.verdict()
    assert verdict.refusal is None
    assertion = verdict.assertion
    assert assertion is not None
    wanted = case.data["expect"]
    assert assertion.name_id == wanted.get("name_id")
    assert assertion.issuer == IDP_ENTITY_ID
    assert assertion.in_response_to == REQUEST_ID
    for name, values in wanted["attributes"].items():
        assert list(assertion.attributes[name]) == values
    for name, friendly in wanted.get("friendly_names", {}).items():
        assert assertion.friendly_names[name] == friendly
    assert verdict.seen is not None
    assert dict(verdict.seen.attributes) == dict(assertion.attributes)
    assert all(check.ok for check in verdict.checks)
    assert [check.code for check in verdict.warnings] == case.data.get("warned", [])


@pytest.mark.parametrize(
    "case",
    [case for case in cases("good") if case.name not in {"plain", "rollover"} and not case.data.get("peculiar")],
    ids=lambda case: case.name,
)
def test_python3_saml_accepts_it_too(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = key_pair("ours")
    settings = OneLogin_Saml2_Settings(
        {
            "strict": True,
            "sp": {
                "entityId": ENTITY_ID,
                "assertionConsumerService": {"url": ACS_URL},
                "x509cert": ours.certificate,
                "privateKey": ours.key,
            },
            "idp": {
                "entityId": IDP_ENTITY_ID,
                "singleSignOnService": {"url": "https://idp.example/sso"},
                "x509cert": key_pair("idp").certificate,
            },
            "security": {"allowRepeatAttributeName": True, "requestedAuthnContext": False},
        }
    )
    monkeypatch.setattr(OneLogin_Saml2_Utils, "now", staticmethod(lambda: int(NOW.timestamp())))
    request = {"https": "on", "http_host": "rewards.example", "script_name": ACS_URL.split(".example")[1]}
    theirs = OneLogin_Saml2_Response(settings, case.field())
    assert theirs.is_valid(request, REQUEST_ID), theirs.get_error()
    assertion = case.verdict().assertion
    assert assertion is not None
    assert theirs.get_nameid() == assertion.name_id


@pytest.mark.parametrize("sign", ["assertion", "response", "both"])
@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "encrypted"])
@pytest.mark.parametrize("signed", list(Signed))
def test_each_way_to_sign_is_accepted_where_it_covers_what_is_asked(sign: str, encrypted: bool, signed: Signed) -> None:
    text = response(sign=sign, encrypt_for=key_pair("ours").certificate if encrypted else None)
    verdict = examine(text, connection(signed=signed), request=expected(), now=NOW)
    assert verdict.accepted == (signed is Signed.EITHER or sign in (signed, "both"))
    if not verdict.accepted:
        assert verdict.refusal is not None
        assert verdict.refusal.code is CheckCode.SIGNATURE_MISSING


@pytest.mark.parametrize(
    ("method", "digest"),
    [("TransformRsaSha384", "TransformSha384"), ("TransformRsaSha512", "TransformSha512")],
)
def test_stronger_algorithms_are_accepted(method: str, digest: str) -> None:
    text = response(signature_transform=method, digest_transform=digest)
    assert examine(text, connection(), request=expected(), now=NOW).accepted


def test_unsolicited_response_is_accepted_where_the_provider_may_start() -> None:
    verdict = examine(response(in_response_to=None), connection(idp_initiated=True), request=None, now=NOW)
    assert verdict.assertion is not None
    assert verdict.assertion.in_response_to is None


@pytest.mark.parametrize("seconds", [-170, 0, 299, 418])
def test_clock_skew_is_allowed_for(seconds: int) -> None:
    text = response(before=[["set", "//saml:Assertion", "IssueInstant", "2026-05-04T08:29:00Z"]])
    assert examine(text, connection(), request=expected(), now=NOW + timedelta(seconds=seconds)).accepted


def test_expired_signing_certificate_is_a_warning_only() -> None:
    pair = key_pair("expired")
    verdict = examine(response(signer=pair), connection(certificates=(pair.certificate,)), request=expected(), now=NOW)
    assert verdict.accepted
    assert [check.code for check in verdict.warnings] == [CheckCode.CERTIFICATE_EXPIRED]


def test_replay_row_lives_until_the_latest_end_and_the_skew() -> None:
    later = [["set", "//saml:Conditions", "NotOnOrAfter", "2026-05-04T10:00:00Z"]]
    assertion = examine(response(before=later), connection(), request=expected(), now=NOW).assertion
    assert assertion is not None
    assert assertion.not_on_or_after == NOW.replace(hour=10, minute=2)
    assert len(assertion.replay_key) == 64
    far = [["set", "//saml:Conditions", "NotOnOrAfter", "9999-12-31T23:59:59Z"]]
    assertion = examine(response(before=far), connection(), request=expected(), now=NOW).assertion
    assert assertion is not None
    assert assertion.not_on_or_after.year == 9999


def test_same_assertion_in_another_response_has_the_same_replay_key() -> None:
    first = examine(response(), connection(), request=expected(), now=NOW).assertion
    second = examine(response(response_id="_response-2"), connection(), request=expected(), now=NOW).assertion
    assert first is not None
    assert second is not None
    assert first.replay_key == second.replay_key


def test_only_the_validator_can_make_an_assertion() -> None:
    made = examine(response(), connection(), request=expected(), now=NOW).assertion
    assert made is not None
    with pytest.raises((TypeError, ValueError)):
        replace(made, name_id="E6666")
    with pytest.raises(TypeError):
        VerifiedAssertion(
            guard=object(), mode=Mode.SIGN_IN, assertion_id="", response_id="", issuer="", name_id=None,
            name_id_format=None, name_qualifiers=(None, None),
            session_index=None, attributes={}, friendly_names={}, in_response_to=None,
            not_on_or_after=NOW, session_not_on_or_after=None, authn_instant=None,
        )  # fmt: skip
    assert "jane" not in repr(made)


def test_one_connection_can_be_hashed_and_hides_its_key() -> None:
    assert hash(connection()) == hash(connection())
    assert "PRIVATE KEY" not in repr(connection())


def test_in_response_to_of_somebody_else_is_not_believed_with_an_empty_request_id() -> None:
    verdict = examine(response(in_response_to=""), connection(), request=ExpectedRequest(""), now=NOW)
    assert not verdict.accepted


def with_method(algorithm: str, pair: KeyPair) -> str:
    """Sign an assertion by an algorithm that has no name in python-xmlsec's templates."""
    root = etree.fromstring(response_xml(sign="none"))
    assertion = root.find("saml:Assertion", NS)
    sign_element(assertion, key_pair("idp"), Signing())
    assertion.find(".//ds:SignatureMethod", NS).set("Algorithm", algorithm)
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(pair.key, xmlsec.constants.KeyDataFormatPem)
    context.register_id(assertion, "ID")
    context.sign(assertion.find("ds:Signature", NS))
    return encode(etree.tostring(root))


@pytest.mark.parametrize("size", ["256", "384", "512"])
def test_rsa_pss_is_accepted(size: str) -> None:
    text = with_method(f"http://www.w3.org/2007/05/xmldsig-more#sha{size}-rsa-MGF1", key_pair("idp"))
    assert examine(text, connection(), request=expected(), now=NOW).accepted


@pytest.mark.parametrize("size", ["256", "384", "512"])
def test_ecdsa_is_accepted(size: str) -> None:
    key = ec.generate_private_key(ec.SECP384R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ec")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(NOW).not_valid_after(NOW + timedelta(days=9))
    encoding = serialization.Encoding.PEM
    pair = KeyPair(
        key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode(),
        builder.sign(key, hashes.SHA256()).public_bytes(encoding).decode(),
    )
    text = with_method(f"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha{size}", pair)
    ours = connection(certificates=(pair.certificate,))
    assert examine(text, ours, request=expected(), now=NOW).accepted
