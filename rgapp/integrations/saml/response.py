"""The validator: examines one SAML response (core 3.3.3, profiles 4.1.4) and says what it found.

Limits come first, then the parser, the structure and the signature; after that only bytes that a configured
key signed are read, from a tree of their own. python3-saml lends its schemas and names; the checks are ours,
because its own validation lets through a good deal of what must be refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

from lxml import etree

from rgapp.integrations.saml import checks
from rgapp.integrations.saml.confirmation import Confirmation, check_confirmation
from rgapp.integrations.saml.connection import Connection
from rgapp.integrations.saml.contents import (
    Attributes,
    attributes_of,
    elements,
    issuer_of,
    moment,
    name_id_of,
    qualifiers_of,
)
from rgapp.integrations.saml.document import SAML, SAMLP, DocumentError, decode, parse, survey
from rgapp.integrations.saml.encryption import DecryptionError, decrypt, old_cipher
from rgapp.integrations.saml.keys import service_key
from rgapp.integrations.saml.sheet import Sheet
from rgapp.integrations.saml.trust import Trusted, check_schema, check_structure, establish
from rgapp.integrations.saml.verdict import (
    GUARD,
    CheckCode,
    ExpectedRequest,
    Fixer,
    Mode,
    UntrustedContents,
    Verdict,
    VerifiedAssertion,
)


@dataclass(slots=True)
class _Read:
    """What was read from the assertion, verified or not."""

    name_id: str
    name_id_format: str
    attributes: Attributes
    confirmation: Confirmation | None
    session_end: datetime | None


def examine(
    saml_response: str | None,
    connection: Connection,
    *,
    request: ExpectedRequest | None,
    now: datetime,
    mode: Mode = Mode.SIGN_IN,
    arrived_parameters: Sequence[str] = (),
) -> Verdict:
    """Examine the form field with the response and return the verdict; never raises, whatever arrives.

    `request` is the one-use record that RelayState led to, None for an unsolicited response. With
    `Mode.PASTED` time is judged as of the response's IssueInstant and InResponseTo is not checked.
    `arrived_parameters` are the names of the form's fields, for the message when the right one is missing.
    """
    sheet = Sheet()
    seen: list[UntrustedContents] = []
    assertion = None
    try:
        checks.check_setup(connection, sheet)
        context = checks.Context(connection, request, now, mode)
        if not saml_response or not saml_response.strip():
            got = ", ".join(arrived_parameters) or "nothing"
            sheet.failed(CheckCode.PARAMETER_MISSING, connection.parameter_name, got, Fixer.SETUP)
        else:
            assertion = _examine(saml_response, context, sheet, seen)
    except DocumentError as error:
        sheet.failed(error.code, error.expected, error.got)
    except Exception as error:
        # The promise of this function: hostile input ends in a refusal, never in a server error. The error's
        # text may quote the message, so only its kind is kept.
        sheet.failed(CheckCode.UNREADABLE, "", type(error).__name__, Fixer.US)
    refusal = sheet.refusal
    if refusal is None and assertion is None:
        sheet.failed(CheckCode.UNREADABLE, "", "", Fixer.US)
        refusal = sheet.refusal
    return Verdict(tuple(sheet.checks), refusal, assertion if refusal is None else None, seen[0] if seen else None)


def _examine(
    text: str, context: checks.Context, sheet: Sheet, seen: list[UntrustedContents]
) -> VerifiedAssertion | None:
    """Examine a response that arrived; notes checks and what was seen, returns the assertion if it holds."""
    root = parse(decode(text, pasted=context.mode is Mode.PASTED))
    if root.tag != f"{SAMLP}Response":
        raise DocumentError(CheckCode.NOT_A_RESPONSE, etree.QName(root).localname, "Response")
    found = survey(root)
    sheet.passed(CheckCode.FORMAT)
    if context.mode is Mode.PASTED:
        context = replace(context, now=moment(root.get("IssueInstant")) or context.now)
    sound = check_structure(root, found, sheet)
    check_schema(root, sheet)
    checks.check_message(root, sheet)
    _note_seen(root, seen)
    trusted = establish(root, context.connection, sheet, now=context.now, sound=sound)
    header = trusted.response if trusted.response is not None else root
    subject = trusted.assertion if trusted.assertion is not None else trusted.unverified
    checks.check_response_issuer(
        header, context.connection, sheet, required=trusted.response_signed or trusted.encrypted
    )
    checks.check_destination(header, context.connection, sheet, signed=trusted.response_signed)
    if subject is None:
        return None
    if trusted.encrypted:
        seen.clear()
        _note_seen(subject, seen)
    read = _check_assertion(header, subject, context, sheet)
    if trusted.assertion is None or read.confirmation is None or sheet.refusal is not None:
        return None
    return _verified(header, trusted, read, read.confirmation, context)


def _check_assertion(header: etree._Element, subject: etree._Element, context: checks.Context, sheet: Sheet) -> _Read:
    """Make every check of the assertion itself."""
    connection = context.connection
    checks.check_assertion_issuer(subject, connection, sheet)
    checks.check_conditions(subject, context, sheet)
    checks.check_issue_instant(subject, context, sheet)
    confirmation = check_confirmation(header, subject, context, sheet)
    session_end = checks.check_authentication(subject, context, sheet)
    encrypted_id = _decrypt_name_id(subject, connection, sheet)
    name_id, name_id_format = name_id_of(subject)
    attributes = attributes_of(subject)
    checks.check_contents(name_id, attributes, connection, sheet, encrypted_id=encrypted_id)
    return _Read(name_id, name_id_format, attributes, confirmation, session_end)


def _decrypt_name_id(assertion: etree._Element, connection: Connection, sheet: Sheet) -> bool:
    """Put the NameID in the place of an EncryptedID; tells whether one was there."""
    subject = assertion.find(f"{SAML}Subject")
    encrypted = subject.find(f"{SAML}EncryptedID") if subject is not None else None
    if subject is None or encrypted is None:
        return False
    if connection.service_key is None:
        sheet.failed(CheckCode.ENCRYPTED_WITHOUT_KEY, "a readable NameID", "EncryptedID", Fixer.US)
        return True
    if old := old_cipher(encrypted):
        sheet.warned(CheckCode.ENCRYPTION_OLD, old, "AES", Fixer.IDENTITY_PROVIDER)
    try:
        name_id = decrypt(encrypted, service_key(connection.service_key), f"{SAML}NameID")
    except DecryptionError as error:
        sheet.failed(error.code, "a NameID encrypted for us", error.got or "EncryptedID")
        return True
    if survey(name_id).comment_in:
        sheet.failed(CheckCode.COMMENT_IN_VALUE, "plain text", "NameID")
    subject.replace(encrypted, name_id)
    return True


def _note_seen(element: etree._Element, seen: list[UntrustedContents]) -> None:
    """Keep what arrived for the admin's eyes: of the first assertion that stands where it belongs."""
    inside = element
    if element.tag == f"{SAMLP}Response":
        plain = elements(element, "Assertion")
        if not plain:
            seen.append(UntrustedContents(issuer=issuer_of(element) or ""))
            return
        inside = plain[0]
    name_id, name_id_format = name_id_of(inside)
    attributes = attributes_of(inside)
    seen.append(
        UntrustedContents(
            issuer=issuer_of(inside) or "",
            name_id=name_id,
            name_id_format=name_id_format,
            attributes=MappingProxyType(attributes.values),
            friendly_names=MappingProxyType(attributes.friendly_names),
        )
    )


def _verified(
    header: etree._Element,
    trusted: Trusted,
    read: _Read,
    confirmation: Confirmation,
    context: checks.Context,
) -> VerifiedAssertion | None:
    """Make the assertion that the rest of the application may believe."""
    assertion = trusted.assertion
    if assertion is None:
        return None
    statement = elements(assertion, "AuthnStatement")[0]
    return VerifiedAssertion(
        guard=GUARD,
        mode=context.mode,
        assertion_id=assertion.get("ID", ""),
        response_id=header.get("ID", ""),
        issuer=issuer_of(assertion) or "",
        name_id=read.name_id or None,
        name_id_format=read.name_id_format or None,
        name_qualifiers=qualifiers_of(assertion),
        session_index=statement.get("SessionIndex"),
        attributes=MappingProxyType(read.attributes.values),
        friendly_names=MappingProxyType(read.attributes.friendly_names),
        in_response_to=confirmation.in_response_to,
        not_on_or_after=checks.lasts_until(assertion, confirmation.not_on_or_after, context),
        session_not_on_or_after=read.session_end,
        authn_instant=moment(statement.get("AuthnInstant")),
    )
