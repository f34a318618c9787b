"""Attacks that need more than an edit: signature wrapping (XSW), foreign keys, messages made to exhaust a reader."""

import base64
import copy
from collections.abc import Callable
from functools import partial

import xmlsec
from cryptography import x509
from lxml import etree

from rgapp.demo.responses import encrypt
from tests.idp import NS, key_pair, response_xml, spec

EVIL = "E6666"
_SAML, _DS = f"{{{NS['saml']}}}", f"{{{NS['ds']}}}"


def _signed(sign: str) -> tuple[etree._Element, etree._Element]:
    """Return a signed response and its assertion."""
    root = etree.fromstring(response_xml(sign=sign))
    return root, root.find("saml:Assertion", NS)


def _evil(element: etree._Element) -> etree._Element:
    """Change who it is about, and every ID in it, as an attacker would."""
    for name_id in element.iter(f"{_SAML}NameID"):
        name_id.text = EVIL
    for value in element.iter(f"{_SAML}AttributeValue"):
        value.text = EVIL
    for inside in [element, *element.iter(f"{_SAML}Assertion")]:
        inside.set("ID", "_evil-" + inside.get("ID", "")[-9:])
    return element


def _without_signature(element: etree._Element) -> etree._Element:
    """Return a copy without its own signature."""
    duplicate = copy.deepcopy(element)
    duplicate.remove(duplicate.find("ds:Signature", NS))
    return duplicate


def _wrap(sign: str) -> tuple[etree._Element, etree._Element, etree._Element, etree._Element]:
    """Return the document, what was signed and turned evil (its signature still in it), that signature, the original.

    The original is a copy without its signature; `sign` is response or assertion.
    """
    root, assertion = _signed(sign)
    signed = root if sign == "response" else assertion
    original = _without_signature(signed)
    _evil(signed)
    return root, signed, signed.find("ds:Signature", NS), original


def xsw1(sign: str) -> bytes:
    """The original moves into the signature of the evil one."""
    root, _, signature, original = _wrap(sign)
    signature.append(original)
    return etree.tostring(root)


def xsw2(sign: str) -> bytes:
    """The original stands before the signature of the evil one."""
    root, _, signature, original = _wrap(sign)
    signature.addprevious(original)
    return etree.tostring(root)


def xsw3(sign: str) -> bytes:
    """The evil one has no signature; the original, with its own, stands before it, or first in it."""
    root, signed, signature, original = _wrap(sign)
    signed.remove(signature)
    original.insert(1, signature)
    if sign == "response":
        root.insert(1, original)
    else:
        signed.addnext(original)
    return etree.tostring(root)


def xsw4(sign: str) -> bytes:
    """The original, with its signature, becomes the last child of the evil one."""
    root, signed, signature, original = _wrap(sign)
    signed.remove(signature)
    original.insert(1, signature)
    signed.append(original)
    return etree.tostring(root)


def xsw5(sign: str) -> bytes:
    """The signed one turns evil; the original follows without its signature."""
    root, _, _, original = _wrap(sign)
    root.append(original)
    return etree.tostring(root)


def xsw6(sign: str) -> bytes:
    """The original moves into the KeyInfo of the evil one's signature."""
    root, _, signature, original = _wrap(sign)
    signature.find("ds:KeyInfo", NS).append(original)
    return etree.tostring(root)


def xsw7(sign: str) -> bytes:
    """What is signed hides in Extensions of an evil response, or the evil assertion hides there."""
    root, signed, signature, original = _wrap(sign)
    extensions = etree.Element(f"{{{NS['samlp']}}}Extensions")
    signed.remove(signature)
    original.insert(1, signature)
    if sign == "response":
        extensions.append(original)
    else:
        root.replace(signed, original)
        extensions.append(signed)
    root.insert(1, extensions)
    return etree.tostring(root)


def xsw7_same_id() -> bytes:
    """An evil assertion with the original's ID hides in Extensions."""
    root, assertion = _signed("assertion")
    evil = _evil(_without_signature(assertion))
    evil.set("ID", assertion.get("ID", ""))
    extensions = etree.Element(f"{{{NS['samlp']}}}Extensions")
    extensions.append(evil)
    root.insert(1, extensions)
    return etree.tostring(root)


def xsw8(sign: str) -> bytes:
    """The original moves into an Object of the evil one's signature."""
    root, _, signature, original = _wrap(sign)
    etree.SubElement(signature, f"{_DS}Object").append(original)
    return etree.tostring(root)


def detached_signature() -> bytes:
    """The signature of the original assertion stands in the response."""
    root, assertion = _signed("assertion")
    signature = assertion.find("ds:Signature", NS)
    root.insert(1, signature)
    _evil(assertion)
    return etree.tostring(root)


def borrowed_signature() -> bytes:
    """A valid signature of another message stands in an evil one."""
    _, assertion = _signed("assertion")
    evil = etree.fromstring(response_xml(sign="none"))
    target = evil.find("saml:Assertion", NS)
    target.insert(1, assertion.find("ds:Signature", NS))
    _evil(target)
    target.set("ID", assertion.get("ID", ""))
    return etree.tostring(evil)


def two_assertions_one_signed() -> bytes:
    """A second assertion without a signature follows the signed one."""
    root, assertion = _signed("assertion")
    root.append(_evil(_without_signature(assertion)))
    return etree.tostring(root)


def two_signatures() -> bytes:
    """One assertion carries its signature twice."""
    root, assertion = _signed("assertion")
    signature = assertion.find("ds:Signature", NS)
    signature.addnext(copy.deepcopy(signature))
    return etree.tostring(root)


def hmac_with_certificate() -> bytes:
    """The signature is an HMAC, and its key the provider's public certificate."""
    root = etree.fromstring(response_xml(sign="none"))
    assertion = root.find("saml:Assertion", NS)
    constants = xmlsec.constants
    signature = xmlsec.template.create(assertion, constants.TransformExclC14N, constants.TransformHmacSha256, ns="ds")
    assertion.insert(1, signature)
    reference = xmlsec.template.add_reference(signature, constants.TransformSha256, uri="#_assertion-1")
    xmlsec.template.add_transform(reference, constants.TransformEnveloped)
    xmlsec.template.add_transform(reference, constants.TransformExclC14N)
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_binary_data(constants.KeyDataHmac, key_pair("idp").certificate.encode())
    context.register_id(assertion, "ID")
    context.sign(signature)
    return etree.tostring(root)


def _with_key_info(content: str) -> bytes:
    """Sign with somebody else's key and say something about keys in KeyInfo, which no signature covers here."""
    root = etree.fromstring(response_xml(signer=key_pair("other")))
    info = root.find(".//ds:KeyInfo", NS)
    info[:] = [etree.fromstring(content)]
    return etree.tostring(root)


def embedded_key_value() -> bytes:
    """The key itself comes along, with which the signature is good."""
    numbers = x509.load_pem_x509_certificate(key_pair("other").certificate.encode()).public_key().public_numbers()
    modulus, exponent = (
        base64.b64encode(number.to_bytes((number.bit_length() + 7) // 8, "big")).decode()
        for number in (numbers.n, numbers.e)
    )
    value = f"<RSAKeyValue><Modulus>{modulus}</Modulus><Exponent>{exponent}</Exponent></RSAKeyValue>"
    return _with_key_info(f'<KeyValue xmlns="{NS["ds"]}">{value}</KeyValue>')


def embedded_good_certificate() -> bytes:
    """The provider's certificate comes along, though its key signed nothing."""
    body = "".join(key_pair("idp").certificate.strip().splitlines()[1:-1])
    return _with_key_info(f'<X509Data xmlns="{NS["ds"]}"><X509Certificate>{body}</X509Certificate></X509Data>')


def transform_between(algorithm: str, content: str = "") -> bytes:
    """Sign with a further transform that decides what the signature covers."""
    root = etree.fromstring(response_xml(sign="none"))
    assertion = root.find("saml:Assertion", NS)
    constants = xmlsec.constants
    signature = xmlsec.template.create(assertion, constants.TransformExclC14N, constants.TransformRsaSha256, ns="ds")
    assertion.insert(1, signature)
    reference = xmlsec.template.add_reference(signature, constants.TransformSha256, uri="#_assertion-1")
    transforms = etree.SubElement(reference, f"{_DS}Transforms")
    reference.insert(0, transforms)
    for name, inside in (
        ("http://www.w3.org/2000/09/xmldsig#enveloped-signature", ""),
        (algorithm, content),
        ("http://www.w3.org/2001/10/xml-exc-c14n#", ""),
    ):
        element = etree.SubElement(transforms, f"{_DS}Transform", Algorithm=name)
        if inside:
            element.append(etree.fromstring(inside))
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(key_pair("idp").key, constants.KeyDataFormatPem)
    context.register_id(assertion, "ID")
    context.sign(signature)
    assertion.find("saml:Subject/saml:NameID", NS).text = EVIL
    return etree.tostring(root)


def xpath_transform() -> bytes:
    """The signature covers only what an XPath picks."""
    path = f'<ds:XPath xmlns:ds="{NS["ds"]}">ancestor-or-self::*[local-name()="Issuer"]</ds:XPath>'
    return transform_between("http://www.w3.org/TR/1999/REC-xpath-19991116", path)


def xpath_filter_transform() -> bytes:
    """The signature covers only what an XPath filter picks."""
    path = (
        '<f:XPath xmlns:f="http://www.w3.org/2002/06/xmldsig-filter2" Filter="intersect">'
        '//*[local-name()="Issuer"]</f:XPath>'
    )
    return transform_between("http://www.w3.org/2002/06/xmldsig-filter2", path)


def deep() -> bytes:
    """Nested far below what SAML needs, but not so far that the parser minds."""
    inside = "<x>" * 80 + "</x>" * 80
    return response_xml(
        after=[["bytes", "<saml:AttributeValue", inside + "<saml:AttributeValue"]], attributes={"a": ["b"]}
    )


def very_deep() -> bytes:
    """Nested deeper than the parser goes."""
    return b"<a>" * 5_000 + b"</a>" * 5_000


def many_elements() -> bytes:
    """Thousands of elements in a small message."""
    return b'<p:Response xmlns:p="%s">' % NS["samlp"].encode() + b"<b/>" * 8_000 + b"</p:Response>"


def many_xml_attributes() -> bytes:
    """One element with a hundred attributes."""
    names = b" ".join(b'a%d=""' % number for number in range(100))
    return b'<p:Response xmlns:p="%s" ' % NS["samlp"].encode() + names + b"/>"


def too_large() -> bytes:
    """A little more than anybody needs."""
    return response_xml() + b" " * 200_000


def huge() -> bytes:
    """Five megabytes of padding."""
    return response_xml() + b" " * 5_000_000


def many_values() -> bytes:
    """More attribute values than anyone needs."""
    return response_xml(attributes={"groups": [f"g{number}" for number in range(1_500)]})


def long_value() -> bytes:
    """A photograph's worth of text in one value."""
    return response_xml(attributes={"photo": ["x" * 10_000]})


def encrypted_garbage() -> bytes:
    """Cipher text that is none."""
    xml = response_xml(sign="assertion", encrypt_for=key_pair("ours").certificate)
    root = etree.fromstring(xml)
    for value in root.iter(f"{{{NS['xenc']}}}CipherValue"):
        value.text = "AAAA" * 86
    return etree.tostring(root)


def encrypted_changed() -> bytes:
    """Signed inside and encrypted with AES-CBC, which would show no change; a bit of the cipher text is flipped."""
    xml = response_xml(encrypt_for=key_pair("ours").certificate, content_transform="TransformAes256Cbc")
    root = etree.fromstring(xml)
    value = root.find(".//xenc:EncryptedData/xenc:CipherData/xenc:CipherValue", NS)
    cipher = bytearray(base64.b64decode(value.text))
    cipher[len(cipher) // 2] ^= 1
    value.text = base64.b64encode(bytes(cipher)).decode()
    return etree.tostring(root)


def encrypted_signed_for_something_else() -> bytes:
    """What is encrypted was changed after it was signed."""
    root, assertion = _signed("assertion")
    assertion.find("saml:Subject/saml:NameID", NS).text = EVIL
    encrypt(assertion, spec(), key_pair("ours").certificate)
    return etree.tostring(root)


def encrypted_for_another() -> bytes:
    """Encrypted with a certificate that is not ours."""
    return response_xml(sign="both", encrypt_for=key_pair("other").certificate)


def encrypted_unsigned() -> bytes:
    """Encrypted by somebody who has our certificate, as everybody has, and signed by nobody."""
    return response_xml(sign="none", encrypt_for=key_pair("ours").certificate)


def encrypted_rsa15() -> bytes:
    """The content key is sent by RSA 1.5."""
    return response_xml(sign="assertion", encrypt_for=key_pair("ours").certificate, key_transform="TransformRsaPkcs1")


def encrypted_elsewhere() -> bytes:
    """The cipher text is to be fetched from somewhere."""
    xml = response_xml(sign="assertion", encrypt_for=key_pair("ours").certificate)
    root = etree.fromstring(xml)
    cipher = root.find(".//xenc:EncryptedData/xenc:CipherData", NS)
    cipher.remove(cipher[0])
    etree.SubElement(cipher, f"{{{NS['xenc']}}}CipherReference", URI="http://169.254.169.254/")
    return etree.tostring(root)


def entity_expansion() -> bytes:
    """A billion laughs."""
    lines = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return f'<!DOCTYPE r [<!ENTITY l0 "ha">{lines}]><r>&l9;</r>'.encode()


def external_entity() -> bytes:
    """An entity that names a file."""
    return b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>'


def utf16_doctype() -> bytes:
    """A document type hidden in UTF-16."""
    return '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE r [<!ENTITY x "y">]><r>&x;</r>'.encode("utf-16")


def utf16_damaged() -> bytes:
    """What begins like UTF-16 and has half a character at its end."""
    return "<r/>".encode("utf-16") + b"\x00"


ATTACKS: dict[str, Callable[[], bytes]] = {
    attack.__name__: attack
    for attack in (
        xsw7_same_id, detached_signature, borrowed_signature, encrypted_changed, encrypted_signed_for_something_else,
        too_large, utf16_damaged, embedded_key_value, embedded_good_certificate,
        two_assertions_one_signed, two_signatures, hmac_with_certificate, xpath_transform, xpath_filter_transform,
        deep, very_deep, many_elements, many_xml_attributes, huge, many_values, long_value, encrypted_garbage,
        encrypted_for_another, encrypted_unsigned, encrypted_rsa15, encrypted_elsewhere, entity_expansion,
        external_entity, utf16_doctype,
    )
} | {
    f"{wrapping.__name__}_{sign}": partial(wrapping, sign)
    for wrapping in (xsw1, xsw2, xsw3, xsw4, xsw5, xsw6, xsw7, xsw8)
    for sign in ("response", "assertion")
}  # fmt: skip

__all__ = ["ATTACKS", "EVIL"]
