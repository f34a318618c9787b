"""Single logout (profiles 4.4): our requests, by redirect, and strict reading of what arrives at the SLS address."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from lxml import etree
from onelogin.saml2.constants import OneLogin_Saml2_Constants as Names

from rgapp.integrations.saml.connection import Connection
from rgapp.integrations.saml.contents import issuer_of, moment, name_id_text, status_of, text_of
from rgapp.integrations.saml.document import DS, SAML, SAMLP, Survey, decode, parse, schema_error, survey
from rgapp.integrations.saml.encryption import decrypt
from rgapp.integrations.saml.keys import service_key, trusted_key
from rgapp.integrations.saml.limits import MAX_LOGOUT
from rgapp.integrations.saml.redirect import message_url, read_query
from rgapp.integrations.saml.requests import instant, new_id
from rgapp.integrations.saml.signature import SignatureError, matching_key, read_shape, take_covered

#: A LogoutRequest carries no answer to a request of ours, so its age is what limits a replay.
MAX_AGE = timedelta(minutes=5)


class LogoutProblem(StrEnum):
    """Why a logout message is refused."""

    UNREADABLE = "unreadable"
    NOT_SIGNED = "not_signed"
    SIGNATURE_INVALID = "signature_invalid"
    NOT_LOGOUT = "not_logout"
    ISSUER = "issuer"
    DESTINATION = "destination"
    EXPIRED = "expired"
    NO_NAME_ID = "no_name_id"
    IN_RESPONSE_TO = "in_response_to"
    STATUS = "status"


@dataclass(frozen=True, slots=True)
class LogoutRequest:
    """A logout request of ours, ready to be sent: redirect to `redirect_url` and remember the `id`."""

    id: str
    redirect_url: str


@dataclass(frozen=True, slots=True, repr=False)
class ReceivedLogoutRequest:
    """The identity provider asks us to sign somebody out; verified. No session index means every session."""

    id: str
    name_id: str
    session_indexes: tuple[str, ...]
    relay_state: str


@dataclass(frozen=True, slots=True)
class ReceivedLogoutResponse:
    """The identity provider has signed the person out; verified."""

    relay_state: str


@dataclass(frozen=True, slots=True)
class RefusedLogout:
    """A logout message that is not believed."""

    problem: LogoutProblem


def build_logout_request(
    connection: Connection,
    *,
    name_id: str,
    name_id_format: str | None,
    session_index: str | None,
    now: datetime,
    relay_state: str,
    name_qualifiers: tuple[str | None, str | None] = (None, None),
) -> LogoutRequest:
    """Build a signed LogoutRequest that names the person as the assertion did (core 3.7.1).

    Raises ValueError where the connection has no logout address or no key.
    """
    if not connection.slo_url or connection.service_key is None:
        raise ValueError("The connection has no logout address or no key.")
    identifier = new_id()
    root = _message("LogoutRequest", identifier, connection, connection.slo_url, now)
    root.set("NotOnOrAfter", instant(now + MAX_AGE))
    element = etree.SubElement(root, f"{SAML}NameID")
    element.text = name_id
    if name_id_format:
        element.set("Format", name_id_format)
    for attribute, value in zip(("NameQualifier", "SPNameQualifier"), name_qualifiers, strict=True):
        if value is not None:
            element.set(attribute, value)
    if session_index:
        etree.SubElement(root, f"{SAMLP}SessionIndex").text = session_index
    url = message_url(
        connection.slo_url,
        "SAMLRequest",
        etree.tostring(root),
        relay_state=relay_state,
        signing_key=connection.service_key,
    )
    return LogoutRequest(identifier, url)


def build_logout_response(
    connection: Connection, *, in_response_to: str, now: datetime, relay_state: str, success: bool = True
) -> str:
    """Return the address that answers the identity provider's LogoutRequest; raises ValueError as above."""
    address = connection.slo_response_url or connection.slo_url
    if not address or connection.service_key is None:
        raise ValueError("The connection has no logout address or no key.")
    root = _message("LogoutResponse", new_id(), connection, address, now)
    root.set("InResponseTo", in_response_to)
    status = etree.SubElement(root, f"{SAMLP}Status")
    code = Names.STATUS_SUCCESS if success else Names.STATUS_RESPONDER
    etree.SubElement(status, f"{SAMLP}StatusCode", Value=code)
    return message_url(
        address,
        "SAMLResponse",
        etree.tostring(root),
        relay_state=relay_state,
        signing_key=connection.service_key,
    )


def read_logout(
    raw_query: str, connection: Connection, *, now: datetime, expected_id: str | None = None
) -> ReceivedLogoutRequest | ReceivedLogoutResponse | RefusedLogout:
    """Read what arrived at our SLS address; never raises.

    `raw_query` is the query string exactly as it was sent, because the signature covers its encoding. `expected_id`
    is the ID of the LogoutRequest that RelayState or the browser's cookie led to; without it no response counts.
    """
    try:
        query = read_query(raw_query, limit=MAX_LOGOUT)
        if not query.signature:
            return RefusedLogout(LogoutProblem.NOT_SIGNED)
        if not query.is_signed_by([trusted_key(pem) for pem in connection.certificates]):
            return RefusedLogout(LogoutProblem.SIGNATURE_INVALID)
        root = parse(query.xml)
        if not _is_sound(root, survey(root)):
            return RefusedLogout(LogoutProblem.UNREADABLE)
        return _read(root, query.kind, query.relay_state, connection, now, expected_id)
    except Exception:
        # As with the validator: whatever arrives ends in a refusal, never in a server error.
        return RefusedLogout(LogoutProblem.UNREADABLE)


def read_posted_logout(
    kind: str, message: str, relay_state: str, connection: Connection, *, now: datetime, expected_id: str | None = None
) -> ReceivedLogoutRequest | ReceivedLogoutResponse | RefusedLogout:
    """Read what was posted to our SLS address (bindings 3.5): signed inside, as responses are; never raises.

    `kind` is SAMLRequest or SAMLResponse, `message` that field of the form; `expected_id` as above.
    """
    try:
        if len(message) > MAX_LOGOUT:
            return RefusedLogout(LogoutProblem.UNREADABLE)
        root = parse(decode(message, pasted=False))
        found, signature = survey(root), root.find(f"{DS}Signature")
        if signature is None:
            return RefusedLogout(LogoutProblem.NOT_SIGNED)
        if found.signatures != [signature] or not _is_sound(root, found):
            return RefusedLogout(LogoutProblem.UNREADABLE)
        shape = read_shape(signature)
        key = matching_key(signature, [trusted_key(pem) for pem in connection.certificates])
        covered = take_covered(signature, shape)
        if key is None or covered is None:
            return RefusedLogout(LogoutProblem.SIGNATURE_INVALID)
        return _read(parse(covered), kind, relay_state, connection, now, expected_id)
    except SignatureError:
        return RefusedLogout(LogoutProblem.SIGNATURE_INVALID)
    except Exception:
        return RefusedLogout(LogoutProblem.UNREADABLE)


def _is_sound(root: etree._Element, found: Survey) -> bool:
    """Tell whether a message is built as SAML defines it, without what only attacks have."""
    return not (found.comment_in or found.duplicate_id) and schema_error(root) is None


def _read(
    root: etree._Element, kind: str, relay_state: str, connection: Connection, now: datetime, expected_id: str | None
) -> ReceivedLogoutRequest | ReceivedLogoutResponse | RefusedLogout:
    """Read a message whose signature held."""
    problem = _common_problem(root, kind, connection, now)
    if problem is not None:
        return RefusedLogout(problem)
    if kind == "SAMLRequest":
        return _read_request(root, relay_state, connection, now)
    return _read_response(root, relay_state, expected_id)


def _common_problem(root: etree._Element, kind: str, connection: Connection, now: datetime) -> LogoutProblem | None:
    """Check what requests and responses have in common."""
    wanted = "LogoutRequest" if kind == "SAMLRequest" else "LogoutResponse"
    if root.tag != f"{SAMLP}{wanted}" or root.get("Version") != "2.0":
        return LogoutProblem.NOT_LOGOUT
    if not connection.idp_entity_id or issuer_of(root) != connection.idp_entity_id:
        return LogoutProblem.ISSUER
    if not connection.sls_url or root.get("Destination") != connection.sls_url:
        return LogoutProblem.DESTINATION
    issued = moment(root.get("IssueInstant"))
    skew = connection.clock_skew
    if issued is None or issued - now > skew or now - issued > MAX_AGE + skew:
        return LogoutProblem.EXPIRED
    return None


def _read_request(
    root: etree._Element, relay_state: str, connection: Connection, now: datetime
) -> ReceivedLogoutRequest | RefusedLogout:
    """Read whom to sign out."""
    end = root.get("NotOnOrAfter")
    if end is not None and ((at := moment(end)) is None or now - at >= connection.clock_skew):
        return RefusedLogout(LogoutProblem.EXPIRED)
    encrypted = root.find(f"{SAML}EncryptedID")
    if encrypted is not None and connection.service_key is not None:
        name_id = name_id_text(decrypt(encrypted, service_key(connection.service_key), f"{SAML}NameID"))
    else:
        name_id = name_id_text(root.find(f"{SAML}NameID"))
    if not name_id:
        return RefusedLogout(LogoutProblem.NO_NAME_ID)
    indexes = tuple(text_of(index) for index in root.findall(f"{SAMLP}SessionIndex"))
    return ReceivedLogoutRequest(root.get("ID", ""), name_id, indexes, relay_state)


def _read_response(
    root: etree._Element, relay_state: str, expected_id: str | None
) -> ReceivedLogoutResponse | RefusedLogout:
    """Read whether the identity provider has done what we asked."""
    if not expected_id or root.get("InResponseTo") != expected_id:
        return RefusedLogout(LogoutProblem.IN_RESPONSE_TO)
    if status_of(root)[0] != Names.STATUS_SUCCESS:
        return RefusedLogout(LogoutProblem.STATUS)
    return ReceivedLogoutResponse(relay_state)


def _message(name: str, identifier: str, connection: Connection, address: str, now: datetime) -> etree._Element:
    """Build an empty logout message of ours."""
    root = etree.Element(
        f"{SAMLP}{name}",
        {"ID": identifier, "Version": "2.0", "IssueInstant": instant(now), "Destination": address},
        nsmap={"samlp": Names.NS_SAMLP, "saml": Names.NS_SAML},
    )
    etree.SubElement(root, f"{SAML}Issuer").text = connection.entity_id
    return root
