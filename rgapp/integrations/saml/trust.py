"""Establishing trust: from a parsed response to the one assertion that a configured key signed."""

from dataclasses import dataclass
from datetime import datetime

from lxml import etree

from rgapp.integrations.saml.connection import Connection, Signed
from rgapp.integrations.saml.contents import assertions_of
from rgapp.integrations.saml.document import DS, SAML, Survey, parse, schema_error, survey
from rgapp.integrations.saml.encryption import DecryptionError, decrypt, old_cipher
from rgapp.integrations.saml.keys import TrustedKey, service_key, trusted_key
from rgapp.integrations.saml.sheet import Sheet, stamp
from rgapp.integrations.saml.signature import (
    Shape,
    SignatureError,
    embedded_fingerprints,
    matching_key,
    read_shape,
    take_covered,
)
from rgapp.integrations.saml.verdict import CheckCode, Fixer


@dataclass(slots=True)
class Trusted:
    """What may be believed: `response` and `assertion` are trees parsed from signed bytes.

    `unverified` is the assertion as it came, so that the other checks can be reported on all the same.
    """

    response: etree._Element | None = None
    assertion: etree._Element | None = None
    unverified: etree._Element | None = None
    response_signed: bool = False
    encrypted: bool = False


@dataclass(slots=True)
class _Verified:
    """One well-shaped signature after xmlsec has looked at it; `keys` are those that were tried."""

    signature: etree._Element
    shape: Shape
    key: TrustedKey | None
    keys: list[TrustedKey]


def check_structure(root: etree._Element, found: Survey, sheet: Sheet, *, opened: etree._Element | None = None) -> bool:
    """Check for what only attacks have: an ID used twice, elements out of place, comments in values.

    `opened` is the assertion that was decrypted in its place.
    """
    duplicate = found.duplicate_id is not None
    sheet.test(not duplicate, CheckCode.DUPLICATE_ID, "every ID once", found.duplicate_id or "every ID once")
    places = [root, *root.findall(f"{SAML}Assertion")]
    if opened is not None:
        places.append(opened)
    strays = [s for s in found.signatures if s.getparent() not in places]
    strays += [a for a in found.assertions if a.getparent() is not root and a is not opened]
    doubles = any(len(place.findall(f"{DS}Signature")) > 1 for place in places)
    if strays or doubles:
        stray = strays[0].getparent() if strays else None
        got = f"inside {etree.QName(stray).localname}" if stray is not None else "two signatures on one element"
        sheet.failed(CheckCode.SIGNATURE_PLACE, "directly below Response and Assertion", got)
    comment = found.comment_in
    sheet.test(comment is None, CheckCode.COMMENT_IN_VALUE, "plain text", comment or "plain text")
    return not (duplicate or strays or doubles or comment)


def check_schema(root: etree._Element, sheet: Sheet) -> None:
    """Check the whole message against the schema of SAML 2.0."""
    error = schema_error(root)
    sheet.test(error is None, CheckCode.SCHEMA, "a message as SAML 2.0 defines it", error or "valid")


def establish(root: etree._Element, connection: Connection, sheet: Sheet, *, now: datetime, sound: bool) -> Trusted:
    """Verify every signature there is and say what may be believed; takes the tree apart while doing so.

    `sound` is False where the structure was refused: then nothing is believed, whatever is signed.
    """
    keys = [trusted_key(pem) for pem in connection.certificates]
    outer_signature = root.find(f"{DS}Signature")
    inner_signature = root.find(f"{SAML}Assertion/{DS}Signature")
    trusted = Trusted(response_signed=outer_signature is not None)
    outer = inner = None
    if sound:
        # Both are verified before either is taken out, because the response's covers the assertion's.
        verified = [_verify(signature, keys, sheet) for signature in (outer_signature, inner_signature)]
        outer, inner = (_finish(one, sheet, now) for one in verified)
    else:
        sheet.skipped(CheckCode.SIGNATURE, "not checked: the message is built wrongly")
    base = parse(outer) if outer is not None else root
    if outer is not None:
        trusted.response = base
    found = assertions_of(base)
    if len(found) != 1:
        return trusted
    current = found[0]
    if current.tag == f"{SAML}EncryptedAssertion":
        trusted.encrypted = True
        # Opening only what could be accepted leaves an attacker less to learn from our answers.
        may_open = outer is not None or (outer_signature is None and connection.signed is not Signed.RESPONSE)
        if sound and outer_signature is None and not may_open:
            _check_required(connection.signed, None, None, sheet)
        opened = _open(base, current, connection, sheet) if sound and may_open else None
        if opened is None:
            return trusted
        current = opened
        inner_signature = current.find(f"{DS}Signature")
        inner = _finish(_verify(inner_signature, keys, sheet), sheet, now)
    trusted.unverified = current
    complete = _check_required(connection.signed, outer_signature, inner_signature, sheet) if sound else False
    if complete and inner is not None:
        trusted.assertion = parse(inner)
    elif complete and outer is not None and inner_signature is None:
        trusted.assertion = current
    return trusted


def _verify(signature: etree._Element | None, keys: list[TrustedKey], sheet: Sheet) -> _Verified | None:
    """Check a signature's shape and find the key that fits it."""
    if signature is None:
        return None
    try:
        shape = read_shape(signature)
    except SignatureError as error:
        sheet.failed(error.code, error.expected, error.got)
        return None
    return _Verified(signature, shape, matching_key(signature, keys), keys)


def _finish(verified: _Verified | None, sheet: Sheet, now: datetime) -> bytes | None:
    """Take a signature out and return the bytes it vouches for; notes why where it does not."""
    if verified is None:
        return None
    shape, key = verified.shape, verified.key
    parent = verified.signature.getparent()
    where = etree.QName(parent).localname if parent is not None else ""
    covered = take_covered(verified.signature, shape)
    if covered is None:
        sheet.failed(
            CheckCode.SIGNATURE_INVALID,
            "content as it was signed",
            f"{where} was changed after it was signed",
        )
        return None
    if key is None:
        ours = [known.fingerprint for known in verified.keys]
        embedded = embedded_fingerprints(verified.signature)
        strange = [print_ for print_ in embedded if print_ not in ours]
        if strange or not embedded:
            got = strange[0] if strange else "a certificate that is none of these"
            sheet.failed(CheckCode.CERTIFICATE_UNKNOWN, ", ".join(ours) or "none", got, Fixer.SETUP)
        else:
            sheet.failed(CheckCode.SIGNATURE_INVALID, "a valid signature", f"{where}: the signature is wrong")
        return None
    sheet.passed(CheckCode.SIGNATURE, f"{where}: {shape.algorithm}, certificate {key.fingerprint}")
    if now > key.not_after:
        sheet.warned(CheckCode.CERTIFICATE_EXPIRED, stamp(key.not_after), stamp(now))
    return covered


def _open(base: etree._Element, wrapper: etree._Element, connection: Connection, sheet: Sheet) -> etree._Element | None:
    """Decrypt the assertion; None where that fails."""
    if connection.service_key is None:
        sheet.failed(CheckCode.ENCRYPTED_WITHOUT_KEY, "a key of ours", "an encrypted assertion", Fixer.US)
        return None
    old = old_cipher(wrapper)
    try:
        assertion = decrypt(wrapper, service_key(connection.service_key), f"{SAML}Assertion")
    except DecryptionError as error:
        sheet.failed(error.code, "encrypted with the certificate in our metadata", error.got)
        return None
    inside = Sheet()
    sound = check_structure(base, survey(base), inside, opened=assertion)
    # A document of its own, because moving it within the tree would rewrite the prefixes that its signature covers.
    alone = parse(etree.tostring(assertion, with_tail=False))
    check_schema(alone, inside)
    sheet.checks.extend(check for check in inside.checks if check.ok is False)
    if not sound:
        return None
    sheet.passed(CheckCode.ENCRYPTION, "decrypted with our key")
    if old:
        sheet.warned(CheckCode.ENCRYPTION_OLD, old, "AES", Fixer.IDENTITY_PROVIDER)
    return alone


def _check_required(signed: Signed, outer: etree._Element | None, inner: etree._Element | None, sheet: Sheet) -> bool:
    """Check that what has to be signed is signed; whether those signatures are good is noted elsewhere."""
    present = {Signed.RESPONSE: outer is not None, Signed.ASSERTION: inner is not None}
    if present.get(signed, any(present.values())):
        return True
    got = ", ".join(name.value for name, there in present.items() if there)
    fixer = Fixer.SETUP if got else Fixer.IDENTITY_PROVIDER
    expected = "a signature on the response or the assertion" if signed is Signed.EITHER else f"on the {signed}"
    sheet.failed(CheckCode.SIGNATURE_MISSING, expected, f"only on the {got}" if got else "none", fixer)
    return False
