"""The admin's sheet: every check is there, also after the first failure, and pasted responses are judged fairly."""

from datetime import timedelta

import pytest
import xmlsec
from lxml import etree

from rgapp.integrations.saml.response import examine
from rgapp.integrations.saml.verdict import CheckCode, Fixer, Mode, Verdict
from tests.idp import NOW, NS, connection, expected, key_pair, response, response_xml


def check(verdict: Verdict, code: CheckCode) -> bool | None:
    """Return how one check went."""
    return next(found.ok for found in verdict.checks if found.code is code)


def test_checks_go_on_after_the_first_failure() -> None:
    text = response(signer=key_pair("other"), audience="https://other.example", in_response_to="_other")
    verdict = examine(text, connection(), request=expected(), now=NOW)
    failed = {found.code for found in verdict.checks if found.ok is False}
    assert failed == {CheckCode.CERTIFICATE_UNKNOWN, CheckCode.AUDIENCE, CheckCode.IN_RESPONSE_TO_FOREIGN}
    assert verdict.refusal is not None
    assert verdict.refusal.code is CheckCode.CERTIFICATE_UNKNOWN


def test_foreign_certificate_is_named_with_its_fingerprint() -> None:
    verdict = examine(response(signer=key_pair("other")), connection(), request=expected(), now=NOW)
    assert verdict.refusal is not None
    assert len(verdict.refusal.got.split(":")) == 32
    assert verdict.refusal.fixer is Fixer.SETUP


def test_what_arrived_is_shown_although_the_signature_fails() -> None:
    verdict = examine(response(signer=key_pair("other")), connection(), request=expected(), now=NOW)
    assert verdict.seen is not None
    assert verdict.seen.attributes["employeeNumber"] == ("E1001",)
    assert verdict.seen.name_id == "E1001"


def test_status_of_the_provider_is_repeated_in_short() -> None:
    status = ["urn:oasis:names:tc:SAML:2.0:status:Responder", "urn:oasis:names:tc:SAML:2.0:status:RequestDenied"]
    text = response(sign="none", status=status, status_message="no\nway " + "x" * 400)
    verdict = examine(text, connection(), request=expected(), now=NOW)
    assert verdict.refusal is not None
    assert verdict.refusal.got.startswith("Responder: RequestDenied: no way x")
    assert len(verdict.refusal.got) <= 200


def test_missing_parameter_names_the_fields_that_came() -> None:
    verdict = examine(None, connection(), request=None, now=NOW, arrived_parameters=["RelayState", "wresult"])
    assert verdict.refusal is not None
    assert (verdict.refusal.expected, verdict.refusal.got) == ("SAMLResponse", "RelayState, wresult")


def test_pasted_response_is_judged_as_of_its_own_time() -> None:
    verdict = examine(response(), connection(), request=None, now=NOW + timedelta(days=30), mode=Mode.PASTED)
    assert verdict.assertion is not None
    assert verdict.assertion.mode is Mode.PASTED
    assert check(verdict, CheckCode.IN_RESPONSE_TO) is None


@pytest.mark.parametrize(
    "wrap",
    [
        "  {}\n",
        "SAMLResponse={}",
        "SAMLResponse={}&RelayState=abc",
        "RelayState=abc&SAMLResponse={}",
        "SAMLResponse: {}",
        '"{}"',
    ],
)
def test_pasted_response_is_taken_out_of_what_surrounds_it(wrap: str) -> None:
    for text in (response(), response().replace("+", "%2B").replace("=", "%3D").replace("/", "%2F")):
        verdict = examine(wrap.format(text), connection(), request=None, now=NOW, mode=Mode.PASTED)
        assert verdict.accepted, verdict.refusal


def test_pasted_xml_is_read_too() -> None:
    xml = response_xml().decode()
    assert examine(xml, connection(), request=None, now=NOW, mode=Mode.PASTED).accepted
    assert not examine(xml, connection(), request=expected(), now=NOW).accepted


def test_pasted_response_with_two_request_ids_is_refused() -> None:
    text = response(before=[["set", "/*", "InResponseTo", "_other"]])
    verdict = examine(text, connection(), request=None, now=NOW, mode=Mode.PASTED)
    assert verdict.refusal is not None
    assert verdict.refusal.code is CheckCode.IN_RESPONSE_TO_FOREIGN


def test_base64_may_be_wrapped_into_lines() -> None:
    text = response()
    lines = "\r\n".join(text[at : at + 76] for at in range(0, len(text), 76))
    assert examine(lines, connection(), request=expected(), now=NOW).accepted


def test_one_good_confirmation_among_several_is_enough() -> None:
    other = (
        '<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">'
        '<saml:SubjectConfirmationData NotOnOrAfter="2020-01-01T00:00:00Z" Recipient="https://other.example"/>'
        "</saml:SubjectConfirmation>"
    )
    before = [["add", "//saml:Subject", other, 1]]
    assert examine(response(before=before), connection(), request=expected(), now=NOW).accepted


def test_too_many_confirmations_are_refused() -> None:
    before = [["copy", "//saml:SubjectConfirmation[1]"]] * 12
    verdict = examine(response(before=before), connection(), request=expected(), now=NOW)
    assert verdict.refusal is not None
    assert verdict.refusal.code is CheckCode.CONFIRMATION_METHOD


def test_repeated_attributes_are_merged_in_order() -> None:
    before = [
        ["copy", '//saml:Attribute[@Name="mail"]'],
        ["text", '//saml:Attribute[@Name="mail"][2]/*', "b@acme.example"],
    ]
    assertion = examine(response(before=before), connection(), request=expected(), now=NOW).assertion
    assert assertion is not None
    assert assertion.attributes["mail"] == ("jane.carter@acme.example", "b@acme.example")


def test_nil_and_structured_values_are_left_out() -> None:
    nil = '<saml:AttributeValue xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/>'
    structured = "<saml:AttributeValue><saml:Issuer>x</saml:Issuer><saml:Issuer>y</saml:Issuer></saml:AttributeValue>"
    before = [["add", '//saml:Attribute[@Name="mail"]', nil], ["add", '//saml:Attribute[@Name="mail"]', structured]]
    assertion = examine(response(before=before), connection(), request=expected(), now=NOW).assertion
    assert assertion is not None
    assert assertion.attributes["mail"] == ("jane.carter@acme.example",)


def test_response_without_attributes_is_for_the_mapping_to_judge() -> None:
    assert examine(response(attributes={}), connection(), request=expected(), now=NOW).accepted


def test_expired_session_of_the_provider_is_read() -> None:
    text = response(session_lifetime=timedelta(hours=8))
    assertion = examine(text, connection(), request=expected(), now=NOW).assertion
    assert assertion is not None
    assert assertion.session_not_on_or_after == NOW + timedelta(hours=8)


def test_key_info_with_our_certificate_and_a_foreign_signature_is_invalid() -> None:
    mixed = type(key_pair("idp"))(key_pair("other").key, key_pair("idp").certificate)
    verdict = examine(response(signer=mixed), connection(), request=expected(), now=NOW)
    assert verdict.refusal is not None
    assert verdict.refusal.code is CheckCode.SIGNATURE_INVALID


def test_response_signed_well_with_a_badly_signed_assertion_is_refused() -> None:
    xml = response_xml(sign="assertion", signature_transform="TransformRsaSha1")
    verdict = examine(xml.decode(), connection(), request=None, now=NOW, mode=Mode.PASTED)
    assert verdict.refusal is not None
    assert verdict.refusal.code is CheckCode.SIGNATURE_ALGORITHM


def encrypted_name_id(text: str = "E1001", *, inside: str = "NameID") -> str:
    """Build a response whose NameID is encrypted for us."""

    def edit(root: etree._Element) -> None:
        subject = root.find(".//saml:Subject", NS)
        name_id = subject.find("saml:NameID", NS)
        name_id.text = text
        name_id.tag = f"{{{NS['saml']}}}{inside}"
        wrapper = etree.Element(f"{{{NS['saml']}}}EncryptedID", nsmap={"saml": NS["saml"]})
        subject.replace(name_id, wrapper)
        wrapper.append(name_id)
        if text == "comment":
            name_id.text = "E10"
            name_id.append(etree.Comment("x"))
        encrypt_element(wrapper, name_id)

    return response(edit=edit)


def encrypt_element(wrapper: etree._Element, element: etree._Element) -> None:
    """Encrypt an element in its wrapper with our certificate."""
    constants = xmlsec.constants
    data = xmlsec.template.encrypted_data_create(
        wrapper, constants.TransformAes128Gcm, type=constants.TypeEncElement, ns="xenc"
    )
    xmlsec.template.encrypted_data_ensure_cipher_value(data)
    info = xmlsec.template.encrypted_data_ensure_key_info(data, ns="ds")
    sent = xmlsec.template.add_encrypted_key(info, constants.TransformRsaOaep)
    xmlsec.template.encrypted_data_ensure_cipher_value(sent)
    manager = xmlsec.KeysManager()
    manager.add_key(xmlsec.Key.from_memory(key_pair("ours").certificate, constants.KeyDataFormatCertPem))
    context = xmlsec.EncryptionContext(manager)
    context.key = xmlsec.Key.generate(constants.KeyDataAes, 128, constants.KeyDataTypeSession)
    encrypted = context.encrypt_xml(data, element)
    if data.getparent() is not None and encrypted is not data:
        data.getparent().remove(data)


def test_encrypted_name_id_is_opened() -> None:
    assertion = examine(encrypted_name_id(), connection(), request=expected(), now=NOW).assertion
    assert assertion is not None
    assert assertion.name_id == "E1001"


def test_encrypted_name_id_without_our_key_is_refused() -> None:
    verdict = examine(encrypted_name_id(), connection(service_key=None), request=expected(), now=NOW)
    assert verdict.refusal is not None
    assert verdict.refusal.code is CheckCode.ENCRYPTED_WITHOUT_KEY


@pytest.mark.parametrize(
    ("text", "inside", "code"),
    [("E1001", "Issuer", CheckCode.DECRYPTION_FAILED), ("comment", "NameID", CheckCode.COMMENT_IN_VALUE)],
)
def test_odd_contents_of_an_encrypted_name_id_are_refused(text: str, inside: str, code: CheckCode) -> None:
    verdict = examine(encrypted_name_id(text, inside=inside), connection(), request=expected(), now=NOW)
    assert verdict.refusal is not None
    assert verdict.refusal.code is code


def encrypted_assertion_with(*edits: list[str]) -> str:
    """Build a response whose encrypted assertion was edited before it was signed and encrypted."""
    return response(before=edits, encrypt_for=key_pair("ours").certificate)


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (["comment", "//saml:NameID", 2], CheckCode.COMMENT_IN_VALUE),
        (["add", "//saml:AuthnStatement", '<saml:Assertion ID="_x"/>'], CheckCode.SIGNATURE_PLACE),
        (["set", "//saml:AttributeValue", "ID", "_response-1"], CheckCode.DUPLICATE_ID),
        (["add", "//saml:Subject", "<saml:Extra/>"], CheckCode.SCHEMA),
        (["text", "//saml:Audience", "https://other.example"], CheckCode.AUDIENCE),
    ],
)
def test_decrypted_assertion_is_checked_like_any_other(edit: list[str], code: CheckCode) -> None:
    if code is CheckCode.DUPLICATE_ID:
        edit = ["set", '//saml:Attribute[@Name="sn"]/saml:AttributeValue', *edit[2:]]
    verdict = examine(encrypted_assertion_with(edit), connection(), request=expected(), now=NOW)
    assert verdict.refusal is not None
    assert verdict.refusal.code is code


def test_content_key_beside_the_data_and_for_several_recipients_is_found() -> None:
    root = etree.fromstring(response_xml(encrypt_for=key_pair("ours").certificate))
    wrapper = root.find("saml:EncryptedAssertion", NS)
    info = wrapper.find(".//ds:KeyInfo", NS)
    sent = info.find("xenc:EncryptedKey", NS)
    foreign = etree.fromstring(response_xml(encrypt_for=key_pair("other").certificate)).find(".//xenc:EncryptedKey", NS)
    hint = etree.fromstring(f'<ds:KeyInfo xmlns:ds="{NS["ds"]}"><ds:KeyName>ours</ds:KeyName></ds:KeyInfo>')
    sent.insert(1, hint)
    wrapper.append(foreign)
    wrapper.append(sent)
    wrapper.find("xenc:EncryptedData", NS).remove(info)
    verdict = examine(etree.tostring(root).decode(), connection(), request=None, now=NOW, mode=Mode.PASTED)
    assert verdict.accepted, verdict.refusal
