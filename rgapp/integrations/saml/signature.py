"""XML signatures as SAML uses them (core 5.4), by allow-list: one shape, few algorithms, known keys."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import xmlsec
from cryptography import x509
from lxml import etree
from onelogin.saml2.constants import OneLogin_Saml2_Constants as Names

from rgapp.integrations.saml.certificates import fingerprint
from rgapp.integrations.saml.document import DS
from rgapp.integrations.saml.keys import TrustedKey
from rgapp.integrations.saml.verdict import CheckCode

EXCLUSIVE: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
#: Inclusive canonicalisation, for SignedInfo only (core 5.4.3): old toolkits use it there. Nothing is read from those
#: bytes; for what the signature covers only the exclusive one will do (core 5.4.4).
INCLUSIVE: Final = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
ENVELOPED: Final = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
_INCLUSIVE_NAMESPACES: Final = f"{{{EXCLUSIVE}}}InclusiveNamespaces"
SIGNATURE_ALGORITHMS: Final = {
    Names.RSA_SHA256: "RSA-SHA256",
    Names.RSA_SHA384: "RSA-SHA384",
    Names.RSA_SHA512: "RSA-SHA512",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256": "ECDSA-SHA256",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384": "ECDSA-SHA384",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512": "ECDSA-SHA512",
    "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1": "RSA-PSS-SHA256",
    "http://www.w3.org/2007/05/xmldsig-more#sha384-rsa-MGF1": "RSA-PSS-SHA384",
    "http://www.w3.org/2007/05/xmldsig-more#sha512-rsa-MGF1": "RSA-PSS-SHA512",
}
DIGEST_ALGORITHMS: Final = {Names.SHA256: "sha256", Names.SHA384: "sha384", Names.SHA512: "sha512"}


class SignatureError(Exception):
    """A signature is not of the one shape that we accept."""

    def __init__(self, code: CheckCode, expected: str, got: str) -> None:
        super().__init__(code.value)
        self.code = code
        self.expected = expected
        self.got = got


@dataclass(frozen=True, slots=True)
class Shape:
    """What a well-shaped signature says of itself."""

    algorithm: str
    digest: str
    digest_value: bytes
    prefixes: tuple[str, ...]


def read_shape(signature: etree._Element) -> Shape:
    """Check that a signature covers its parent, all of it and nothing else; raises SignatureError."""
    children = list(signature)
    if [child.tag for child in children[:2]] != [f"{DS}SignedInfo", f"{DS}SignatureValue"]:
        raise SignatureError(CheckCode.SIGNATURE_INVALID, "SignedInfo and SignatureValue", _names(children))
    info, value, rest = children[0], children[1], children[2:]
    if [child.tag for child in rest] not in ([], [f"{DS}KeyInfo"]):
        raise SignatureError(CheckCode.SIGNATURE_PLACE, "KeyInfo only", _names(rest))
    _only_text(value)
    method, algorithm, reference = _signed_info(info)
    if method.get("Algorithm") != INCLUSIVE or len(method):
        _exclusive(method, CheckCode.SIGNATURE_TRANSFORM)
    name = SIGNATURE_ALGORITHMS.get(algorithm.get("Algorithm", ""))
    if name is None or len(algorithm):
        raise SignatureError(
            CheckCode.SIGNATURE_ALGORITHM,
            "RSA or ECDSA with SHA-256 or better",
            algorithm.get("Algorithm", "") + (" with parameters" if len(algorithm) else ""),
        )
    digest, digest_value, prefixes = _reference(reference, signature)
    return Shape(name, digest, digest_value, prefixes)


def _signed_info(info: etree._Element) -> tuple[etree._Element, etree._Element, etree._Element]:
    """Return CanonicalizationMethod, SignatureMethod and the one Reference."""
    children = list(info)
    tags = [child.tag for child in children]
    if tags[:2] != [f"{DS}CanonicalizationMethod", f"{DS}SignatureMethod"]:
        raise SignatureError(CheckCode.SIGNATURE_INVALID, "a complete SignedInfo", _names(children))
    if tags[2:] != [f"{DS}Reference"]:
        raise SignatureError(CheckCode.SIGNATURE_REFERENCE, "one Reference", f"{len(tags) - 2}")
    return children[0], children[1], children[2]


def _reference(reference: etree._Element, signature: etree._Element) -> tuple[str, bytes, tuple[str, ...]]:
    """Check the Reference; return the digest's name and value and the prefixes of its canonical form."""
    parent = signature.getparent()
    identifier = parent.get("ID", "") if parent is not None else ""
    uri = reference.get("URI")
    if not identifier or uri != f"#{identifier}" or set(reference.attrib) - {"URI", "Id"}:
        raise SignatureError(CheckCode.SIGNATURE_REFERENCE, f"#{identifier}", uri if uri else "nothing")
    children = list(reference)
    if [c.tag for c in children] != [f"{DS}Transforms", f"{DS}DigestMethod", f"{DS}DigestValue"]:
        raise SignatureError(CheckCode.SIGNATURE_TRANSFORM, "Transforms and a digest", _names(children))
    transforms, method, value = list(children[0]), children[1], children[2]
    algorithms = [transform.get("Algorithm") for transform in transforms]
    if algorithms != [ENVELOPED, EXCLUSIVE] or len(transforms[0]):
        raise SignatureError(
            CheckCode.SIGNATURE_TRANSFORM,
            "enveloped-signature, then exclusive canonicalisation",
            ", ".join(str(algorithm) for algorithm in algorithms) or "none",
        )
    prefixes = _exclusive(transforms[1], CheckCode.SIGNATURE_TRANSFORM)
    digest = DIGEST_ALGORITHMS.get(method.get("Algorithm", ""))
    if digest is None or len(method):
        raise SignatureError(CheckCode.DIGEST_ALGORITHM, "SHA-256 or better", method.get("Algorithm", ""))
    try:
        digest_value = base64.b64decode("".join(_only_text(value).split()), validate=True)
    except (binascii.Error, ValueError):
        raise SignatureError(CheckCode.SIGNATURE_INVALID, "a digest in base64", "something else") from None
    return digest, digest_value, prefixes


def _exclusive(method: etree._Element, code: CheckCode) -> tuple[str, ...]:
    """Check for exclusive canonicalisation without comments; return its InclusiveNamespaces prefixes."""
    if method.get("Algorithm") != EXCLUSIVE:
        raise SignatureError(code, EXCLUSIVE, method.get("Algorithm", ""))
    children = list(method)
    if not children:
        return ()
    if len(children) > 1 or children[0].tag != _INCLUSIVE_NAMESPACES or len(children[0]):
        raise SignatureError(code, "InclusiveNamespaces only", _names(children))
    return tuple(children[0].get("PrefixList", "").split())


def _only_text(element: etree._Element) -> str:
    """Return the text of an element that may hold nothing else."""
    if len(element):
        raise SignatureError(CheckCode.SIGNATURE_INVALID, "plain base64", _names(element))
    return element.text or ""


def embedded_fingerprints(signature: etree._Element) -> tuple[str, ...]:
    """Return the fingerprints of the certificates inside the message: to name them, never to use them."""
    found = []
    for element in signature.iterfind(f"{DS}KeyInfo/{DS}X509Data/{DS}X509Certificate"):
        try:
            der = base64.b64decode("".join((element.text or "").split()), validate=True)
            found.append(fingerprint(x509.load_der_x509_certificate(der)))
        except Exception:  # noqa: S112 - whatever is wrong with it, it is shown only, so it is left out.
            continue
    return tuple(found)


def matching_key(signature: etree._Element, keys: Sequence[TrustedKey]) -> TrustedKey | None:
    """Return the configured key with which xmlsec verifies the signature, None if there is none."""
    parent = signature.getparent()
    if parent is None:
        return None
    for key in keys:
        context = xmlsec.SignatureContext()
        # With a key set, xmlsec does not look into KeyInfo at all.
        context.key = key.key
        try:
            context.register_id(parent, "ID", None)
            context.verify(signature)
        except (xmlsec.Error, ValueError, TypeError):
            continue
        return key
    return None


def take_covered(signature: etree._Element, shape: Shape) -> bytes | None:
    """Take the signature out of the tree and return the bytes it covers, None where the digest does not fit.

    These bytes are what was signed, by the digest in the verified SignedInfo: reading them again, and nothing
    else, leaves nothing that a wrapped or moved element could change.
    """
    parent, previous, tail = signature.getparent(), signature.getprevious(), signature.tail or ""
    if parent is None:
        return None
    if previous is not None:
        previous.tail = (previous.tail or "") + tail
    else:
        parent.text = (parent.text or "") + tail
    signature.tail = None
    parent.remove(signature)
    covered: bytes = etree.tostring(
        parent, method="c14n", exclusive=True, with_comments=False, inclusive_ns_prefixes=list(shape.prefixes)
    )
    computed = hashlib.new(shape.digest, covered).digest()
    return covered if hmac.compare_digest(computed, shape.digest_value) else None


def _names(elements: Sequence[etree._Element] | etree._Element) -> str:
    """List the names of elements for a check's text."""
    return ", ".join(etree.QName(e).localname for e in elements if isinstance(e.tag, str)) or "nothing"
