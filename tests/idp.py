"""An identity provider for tests: keys, connections, and responses bent in every way before and after signing."""

import base64
import copy
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import xmlsec
from lxml import etree

from rgapp.demo.responses import ResponseSpec, build_response, encode, encrypt, make_idp_key
from rgapp.integrations.saml.connection import Connection, Signed
from rgapp.integrations.saml.requests import instant
from rgapp.integrations.saml.verdict import ExpectedRequest

NOW = datetime(2026, 5, 4, 8, 30, tzinfo=UTC)
REQUEST_ID = "_request-of-ours-0123456789abcdef"
ENTITY_ID = "https://rewards.example/sso/pUbLiCiD/metadata"
ACS_URL = "https://rewards.example/sso/pUbLiCiD/acs"
SLS_URL = "https://rewards.example/sso/pUbLiCiD/sls"
IDP_ENTITY_ID = "https://idp.example/metadata"
NS = {
    "saml": "urn:oasis:names:tc:SAML:2.0:assertion",
    "samlp": "urn:oasis:names:tc:SAML:2.0:protocol",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
    "xenc": "http://www.w3.org/2001/04/xmlenc#",
}
ATTRIBUTES = {
    "employeeNumber": ["E1001"],
    "mail": ["jane.carter@acme.example"],
    "givenName": ["Jane"],
    "sn": ["Carter"],
    "dateOfBirth": ["03/04/1990"],
}
Edit = Sequence[Any]


@dataclass(frozen=True)
class KeyPair:
    """A private key and its certificate, both PEM."""

    key: str
    certificate: str


@lru_cache
def key_pair(name: str) -> KeyPair:
    """Return the key pair of this name, made once for each run: ours, idp, other, expired, …"""
    made_at = NOW - timedelta(days=365 * 30) if name == "expired" else NOW - timedelta(days=30)
    return KeyPair(*make_idp_key(made_at, name))


def connection(**changes: Any) -> Connection:
    """Return the connection that the responses below are good for."""
    idp, ours = key_pair("idp"), key_pair("ours")
    settings: dict[str, Any] = {
        "entity_id": ENTITY_ID,
        "acs_url": ACS_URL,
        "sls_url": SLS_URL,
        "service_key": ours.key,
        "service_certificate": ours.certificate,
        "idp_entity_id": IDP_ENTITY_ID,
        "certificates": (idp.certificate,),
        "sso_url": "https://idp.example/sso",
        "slo_url": "https://idp.example/slo",
        "signed": Signed.EITHER,
    }
    return Connection(**(settings | changes))


def spec(**changes: Any) -> ResponseSpec:
    """Return the description of a good response, with changes."""
    settings: dict[str, Any] = {
        "issuer": IDP_ENTITY_ID,
        "audience": ENTITY_ID,
        "acs_url": ACS_URL,
        "now": NOW,
        "attributes": ATTRIBUTES,
        "in_response_to": REQUEST_ID,
        "response_id": "_response-1",
        "assertion_id": "_assertion-1",
    }
    return ResponseSpec(**(settings | changes))


def expected() -> ExpectedRequest:
    """Return the request that the responses answer."""
    return ExpectedRequest(REQUEST_ID)


def response_xml(
    *,
    before: Iterable[Edit] = (),
    after: Iterable[Edit] = (),
    signer: KeyPair | None = None,
    **changes: Any,
) -> bytes:
    """Build a response; `before` edits the tree ahead of signing, `after` the signed one."""
    pair = signer or key_pair("idp")
    before = list(before)
    if before:
        changes["edit"] = lambda root: apply(root, before)
    xml = build_response(spec(**changes), pair.key, pair.certificate)
    return tamper(xml, after)


def response(**changes: Any) -> str:
    """Build a response as the form field carries it."""
    return encode(response_xml(**changes))


def tamper(xml: bytes, edits: Iterable[Edit]) -> bytes:
    """Apply edits to a document that is signed already."""
    for edit in edits:
        if edit[0] == "bytes":
            assert edit[1].encode() in xml, edit
            xml = xml.replace(edit[1].encode(), edit[2].encode())
        else:
            root = etree.fromstring(xml)
            apply(root, [edit])
            xml = etree.tostring(root)
    return xml


def apply(root: etree._Element, edits: Iterable[Edit]) -> None:
    """Edit a tree in place; every edit is [what, xpath, …] and must find something."""
    for what, path, *rest in edits:
        found = root.xpath(path, namespaces=NS)
        assert found, f"nothing at {path}"
        for element in found:
            _apply_one(root, element, what, rest)


def _apply_one(root: etree._Element, element: etree._Element, what: str, rest: list[Any]) -> None:
    """Make one edit: text, set, unset, drop, add, append-copy, comment, pi."""
    match what:
        case "text":
            element.text = rest[0]
        case "set":
            element.set(rest[0], rest[1])
        case "unset":
            del element.attrib[rest[0]]
        case "drop":
            _remove(element)
        case "add":
            declared = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NS.items())
            made = etree.fromstring(f"<x {declared}>{rest[0]}</x>")[0]
            element.insert(rest[1] if len(rest) > 1 else len(element), made)
        case "copy":
            duplicate = copy.deepcopy(element)
            duplicate.tail = None
            element.addnext(duplicate)
        case "comment" | "pi":
            node = etree.Comment("x") if what == "comment" else etree.ProcessingInstruction("x", "y")
            text, at = element.text or "", rest[0]
            element.text, node.tail = text[:at], text[at:]
            element.insert(0, node)
        case _:
            raise AssertionError(what)


def _remove(element: etree._Element) -> None:
    """Remove an element, not the text after it."""
    parent = element.getparent()
    assert parent is not None
    previous = element.getprevious()
    if element.tail and previous is not None:
        previous.tail = (previous.tail or "") + element.tail
    parent.remove(element)


@dataclass(frozen=True)
class Signing:
    """How a dialect writes its signatures."""

    prefix: str = "ds"
    inclusive: str = ""
    method: str = "TransformRsaSha256"
    digest: str = "TransformSha256"
    key_info: bool = True
    c14n: str = "TransformExclC14N"


def sign_element(element: etree._Element, pair: KeyPair, style: Signing) -> None:
    """Sign an element in a dialect's own way."""
    constants = xmlsec.constants
    signature = xmlsec.template.create(
        element, getattr(constants, style.c14n), getattr(constants, style.method), ns=style.prefix or None
    )
    issuer = element.find("saml:Issuer", NS)
    element.insert(0 if issuer is None else element.index(issuer) + 1, signature)
    reference = xmlsec.template.add_reference(signature, getattr(constants, style.digest), uri=f"#{element.get('ID')}")
    xmlsec.template.add_transform(reference, constants.TransformEnveloped)
    transform = xmlsec.template.add_transform(reference, constants.TransformExclC14N)
    if style.inclusive:
        xmlsec.template.transform_add_c14n_inclusive_namespaces(transform, style.inclusive.split())
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(pair.key, constants.KeyDataFormatPem)
    if style.key_info:
        xmlsec.template.add_x509_data(xmlsec.template.ensure_key_info(signature))
        context.key.load_cert_from_memory(pair.certificate, constants.KeyDataFormatPem)
    context.register_id(element, "ID")
    context.sign(signature)


def dialect_xml(template: str, case: Mapping[str, Any]) -> bytes:
    """Fill a dialect's template in, sign and encrypt it as its case says."""
    values = {
        "acs_url": ACS_URL,
        "entity_id": ENTITY_ID,
        "idp": IDP_ENTITY_ID,
        "request_id": REQUEST_ID,
        "now": instant(NOW)[:-1],
        "before": instant(NOW - timedelta(minutes=5))[:-1],
        "end": instant(NOW + timedelta(minutes=5))[:-1],
        "session_end": instant(NOW + timedelta(hours=8))[:-1],
    }
    filled = re.sub(r"\$\{(\w+)\}", lambda match: values[match[1]], template)
    root = etree.fromstring(filled.encode())
    assertion = root.find(".//saml:Assertion", NS)
    assert assertion is not None
    style, pair = Signing(**case.get("signature", {})), key_pair("idp")
    if case["sign"] in ("assertion", "both"):
        sign_element(assertion, pair, style)
    if "key_info" in case:
        # Not by find(): names that xmlsec wrote are not those that lxml looks for.
        info = next(element for element in assertion.iter() if element.tag == f"{{{NS['ds']}}}KeyInfo")
        info.extend([etree.fromstring(xml) for xml in case["key_info"]])
    if case.get("encrypt"):
        chosen = replace(spec(), **case["encrypt"]) if isinstance(case["encrypt"], dict) else spec()
        encrypt(assertion, chosen, key_pair("ours").certificate)
        arrange_keys(root, case.get("keys", ""))
    if case["sign"] in ("response", "both"):
        sign_element(root, pair, style)
    declared = bool(case.get("declaration"))
    return etree.tostring(root, xml_declaration=declared, encoding=case.get("encoding", "UTF-8"))


def arrange_keys(root: etree._Element, how: str) -> None:
    """Put the EncryptedKey beside the EncryptedData, or one for somebody else before it."""
    sent = root.find(".//xenc:EncryptedKey", NS)
    if how == "beside":
        wrapper, info = root.find(".//saml:EncryptedAssertion", NS), sent.getparent()
        sent.set("Id", "_sent-key")
        place = {"Type": "http://www.w3.org/2001/04/xmlenc#EncryptedKey", "URI": "#_sent-key"}
        info.replace(sent, etree.Element(f"{{{NS['ds']}}}RetrievalMethod", place))
        wrapper.append(sent)
    elif how == "several":
        other = copy.deepcopy(sent)
        other.set("Recipient", "https://other.example")
        other.find(".//xenc:CipherValue", NS).text = base64.b64encode(b"x" * 256).decode()
        sent.set("Recipient", ENTITY_ID)
        sent.addprevious(other)
