"""The identity provider's side of SAML 2.0, for the demo and for tests: reads requests, builds signed responses."""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import xmlsec
from lxml import etree
from onelogin.saml2.constants import OneLogin_Saml2_Constants as Names

from rgapp.integrations.saml.certificates import make_service_key
from rgapp.integrations.saml.document import DS, SAML, SAMLP, parse
from rgapp.integrations.saml.limits import MAX_LOGOUT
from rgapp.integrations.saml.redirect import message_url, read_query
from rgapp.integrations.saml.requests import instant, new_id
from rgapp.integrations.saml.service_metadata import MD

XS = "http://www.w3.org/2001/XMLSchema"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
_CONSTANTS = xmlsec.constants


@dataclass(frozen=True, kw_only=True)
class ResponseSpec:
    """What a response says. `edit` changes the finished tree before anything is signed.

    `sign` is response, assertion, both or none; `encrypt_for` is the recipient's certificate (PEM).
    """

    issuer: str
    audience: str
    acs_url: str
    now: datetime
    name_id: str = "E1001"
    name_id_format: str = Names.NAMEID_UNSPECIFIED
    attributes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    friendly_names: Mapping[str, str] = field(default_factory=dict)
    attribute_format: str = Names.ATTRNAME_FORMAT_UNSPECIFIED
    in_response_to: str | None = None
    lifetime: timedelta = timedelta(minutes=5)
    session_lifetime: timedelta | None = None
    session_index: str = "_session-1"
    response_id: str = field(default_factory=new_id)
    assertion_id: str = field(default_factory=new_id)
    status: Sequence[str] = (Names.STATUS_SUCCESS,)
    status_message: str = ""
    typed_values: bool = True
    sign: str = "assertion"
    signature_transform: str = "TransformRsaSha256"
    digest_transform: str = "TransformSha256"
    key_info: bool = True
    encrypt_for: str | None = None
    content_transform: str = "TransformAes256Gcm"
    key_transform: str = "TransformRsaOaep"
    edit: Callable[[etree._Element], None] | None = None


@dataclass(frozen=True)
class ReceivedRequest:
    """An AuthnRequest or LogoutRequest as it arrived at the identity provider."""

    id: str
    issuer: str
    relay_state: str
    acs_url: str | None = None
    name_id: str | None = None


def make_idp_key(now: datetime, common_name: str = "Demo identity provider") -> tuple[str, str]:
    """Make a signing key: (private key, certificate), both PEM."""
    return make_service_key(now, common_name)


def idp_metadata(
    *,
    entity_id: str,
    sso_url: str,
    certificates: Sequence[str],
    slo_url: str | None = None,
    want_signed_requests: bool = False,
) -> bytes:
    """Return the identity provider's metadata; `certificates` are PEM."""
    root = etree.Element(f"{MD}EntityDescriptor", {"entityID": entity_id}, nsmap={"md": Names.NS_MD, "ds": Names.NS_DS})
    descriptor = etree.SubElement(root, f"{MD}IDPSSODescriptor", protocolSupportEnumeration=Names.NS_SAMLP)
    descriptor.set("WantAuthnRequestsSigned", "true" if want_signed_requests else "false")
    for certificate in certificates:
        key = etree.SubElement(descriptor, f"{MD}KeyDescriptor", use="signing")
        data = etree.SubElement(etree.SubElement(key, f"{DS}KeyInfo"), f"{DS}X509Data")
        etree.SubElement(data, f"{DS}X509Certificate").text = "".join(certificate.strip().splitlines()[1:-1])
    if slo_url:
        place = {"Binding": Names.BINDING_HTTP_REDIRECT, "Location": slo_url}
        etree.SubElement(descriptor, f"{MD}SingleLogoutService", place)
    etree.SubElement(descriptor, f"{MD}NameIDFormat").text = Names.NAMEID_UNSPECIFIED
    for binding in (Names.BINDING_HTTP_REDIRECT, Names.BINDING_HTTP_POST):
        etree.SubElement(descriptor, f"{MD}SingleSignOnService", {"Binding": binding, "Location": sso_url})
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def parse_authn_request(query_string: str) -> ReceivedRequest:
    """Read an AuthnRequest from a raw query string (redirect binding); raises ValueError or QueryError."""
    query = read_query(query_string, limit=MAX_LOGOUT)
    return _received(query.xml, "AuthnRequest", query.relay_state)


def parse_posted_authn_request(saml_request: str, relay_state: str = "") -> ReceivedRequest:
    """Read an AuthnRequest from a form field (POST binding); raises ValueError."""
    return _received(base64.b64decode(saml_request, validate=True), "AuthnRequest", relay_state)


def parse_logout_request(query_string: str) -> ReceivedRequest:
    """Read a LogoutRequest from a raw query string; raises ValueError or QueryError."""
    query = read_query(query_string, limit=MAX_LOGOUT)
    return _received(query.xml, "LogoutRequest", query.relay_state)


def logout_response_url(
    *, address: str, issuer: str, in_response_to: str, now: datetime, relay_state: str, key: str
) -> str:
    """Return the address that answers a LogoutRequest with success, signed."""
    root = _message("LogoutResponse", new_id(), issuer, now)
    root.set("Destination", address)
    root.set("InResponseTo", in_response_to)
    status = etree.SubElement(root, f"{SAMLP}Status")
    etree.SubElement(status, f"{SAMLP}StatusCode", Value=Names.STATUS_SUCCESS)
    return message_url(address, "SAMLResponse", etree.tostring(root), relay_state=relay_state, signing_key=key)


def build_response(spec: ResponseSpec, key: str, certificate: str) -> bytes:
    """Build a response, sign and encrypt it as the spec says, and return its XML."""
    root = build_tree(spec)
    if spec.edit is not None:
        spec.edit(root)
    assertion = root.find(f"{SAML}Assertion")
    if spec.sign in ("assertion", "both") and assertion is not None:
        sign(assertion, spec, key, certificate)
    if spec.encrypt_for is not None and assertion is not None:
        encrypt(assertion, spec, spec.encrypt_for)
    if spec.sign in ("response", "both"):
        sign(root, spec, key, certificate)
    return etree.tostring(root)


def encode(xml: bytes) -> str:
    """Return the value of the form field for a response."""
    return base64.b64encode(xml).decode()


def build_tree(spec: ResponseSpec) -> etree._Element:
    """Build the response without signatures."""
    root = _message("Response", spec.response_id, spec.issuer, spec.now)
    root.set("Destination", spec.acs_url)
    if spec.in_response_to is not None:
        root.set("InResponseTo", spec.in_response_to)
    status: etree._Element = etree.SubElement(root, f"{SAMLP}Status")
    place = status
    for code in spec.status:
        place = etree.SubElement(place, f"{SAMLP}StatusCode", Value=code)
    if spec.status_message:
        etree.SubElement(status, f"{SAMLP}StatusMessage").text = spec.status_message
    if spec.status[0] == Names.STATUS_SUCCESS:
        root.append(_assertion(spec))
    return root


def _assertion(spec: ResponseSpec) -> etree._Element:
    """Build the assertion, its children in the schema's order."""
    start, end = instant(spec.now - timedelta(minutes=1)), instant(spec.now + spec.lifetime)
    assertion = etree.Element(
        f"{SAML}Assertion",
        {"ID": spec.assertion_id, "Version": "2.0", "IssueInstant": instant(spec.now)},
        nsmap={"saml": Names.NS_SAML, "xs": XS, "xsi": XSI},
    )
    etree.SubElement(assertion, f"{SAML}Issuer").text = spec.issuer
    subject = etree.SubElement(assertion, f"{SAML}Subject")
    etree.SubElement(subject, f"{SAML}NameID", Format=spec.name_id_format).text = spec.name_id
    confirmation = etree.SubElement(subject, f"{SAML}SubjectConfirmation", Method=Names.CM_BEARER)
    data = {"NotOnOrAfter": end, "Recipient": spec.acs_url}
    if spec.in_response_to is not None:
        data["InResponseTo"] = spec.in_response_to
    etree.SubElement(confirmation, f"{SAML}SubjectConfirmationData", data)
    conditions = etree.SubElement(assertion, f"{SAML}Conditions", NotBefore=start, NotOnOrAfter=end)
    restriction = etree.SubElement(conditions, f"{SAML}AudienceRestriction")
    etree.SubElement(restriction, f"{SAML}Audience").text = spec.audience
    statement = etree.SubElement(
        assertion, f"{SAML}AuthnStatement", AuthnInstant=instant(spec.now), SessionIndex=spec.session_index
    )
    if spec.session_lifetime is not None:
        statement.set("SessionNotOnOrAfter", instant(spec.now + spec.session_lifetime))
    context = etree.SubElement(statement, f"{SAML}AuthnContext")
    etree.SubElement(context, f"{SAML}AuthnContextClassRef").text = Names.AC_PASSWORD_PROTECTED
    if spec.attributes:
        _add_attributes(etree.SubElement(assertion, f"{SAML}AttributeStatement"), spec)
    return assertion


def _add_attributes(statement: etree._Element, spec: ResponseSpec) -> None:
    """Add the attributes in their order."""
    for name, values in spec.attributes.items():
        attribute = etree.SubElement(statement, f"{SAML}Attribute", Name=name, NameFormat=spec.attribute_format)
        if name in spec.friendly_names:
            attribute.set("FriendlyName", spec.friendly_names[name])
        for value in values:
            element = etree.SubElement(attribute, f"{SAML}AttributeValue")
            element.text = value
            if spec.typed_values:
                element.set(f"{{{XSI}}}type", "xs:string")


def sign(element: etree._Element, spec: ResponseSpec, key: str, certificate: str) -> etree._Element:
    """Sign an element with an enveloped signature after its Issuer; return the signature."""
    method, digest = getattr(_CONSTANTS, spec.signature_transform), getattr(_CONSTANTS, spec.digest_transform)
    signature = xmlsec.template.create(element, _CONSTANTS.TransformExclC14N, method, ns="ds")
    issuer = element.find(f"{SAML}Issuer")
    element.insert(0 if issuer is None else element.index(issuer) + 1, signature)
    reference = xmlsec.template.add_reference(signature, digest, uri=f"#{element.get('ID')}")
    xmlsec.template.add_transform(reference, _CONSTANTS.TransformEnveloped)
    xmlsec.template.add_transform(reference, _CONSTANTS.TransformExclC14N)
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(key, _CONSTANTS.KeyDataFormatPem)
    if spec.key_info:
        xmlsec.template.add_x509_data(xmlsec.template.ensure_key_info(signature))
        context.key.load_cert_from_memory(certificate, _CONSTANTS.KeyDataFormatPem)
    context.register_id(element, "ID")
    context.sign(signature)
    return signature


def encrypt(assertion: etree._Element, spec: ResponseSpec, certificate: str) -> None:
    """Put an EncryptedAssertion in the place of the assertion, unless it stands in one already."""
    wrapper = assertion.getparent()
    if wrapper is None:
        raise ValueError("An assertion to be encrypted stands in a response.")
    if wrapper.tag != f"{SAML}EncryptedAssertion":
        response, wrapper = wrapper, etree.Element(f"{SAML}EncryptedAssertion", nsmap={assertion.prefix: Names.NS_SAML})
        response.replace(assertion, wrapper)
        wrapper.append(assertion)
    content = getattr(_CONSTANTS, spec.content_transform)
    data = xmlsec.template.encrypted_data_create(wrapper, content, type=_CONSTANTS.TypeEncElement, ns="xenc")
    xmlsec.template.encrypted_data_ensure_cipher_value(data)
    info = xmlsec.template.encrypted_data_ensure_key_info(data, ns="ds")
    sent = xmlsec.template.add_encrypted_key(info, getattr(_CONSTANTS, spec.key_transform))
    xmlsec.template.encrypted_data_ensure_cipher_value(sent)
    manager = xmlsec.KeysManager()
    manager.add_key(xmlsec.Key.from_memory(certificate, _CONSTANTS.KeyDataFormatCertPem))
    context = xmlsec.EncryptionContext(manager)
    kind = _CONSTANTS.KeyDataDes if "Des" in spec.content_transform else _CONSTANTS.KeyDataAes
    bits = next((b for b in (128, 192, 256) if str(b) in spec.content_transform), 192)
    context.key = xmlsec.Key.generate(kind, bits, _CONSTANTS.KeyDataTypeSession)
    context.encrypt_xml(data, assertion)


def _message(name: str, identifier: str, issuer: str, now: datetime) -> etree._Element:
    """Build an empty protocol message."""
    root = etree.Element(
        f"{SAMLP}{name}",
        {"ID": identifier, "Version": "2.0", "IssueInstant": instant(now)},
        nsmap={"samlp": Names.NS_SAMLP, "saml": Names.NS_SAML},
    )
    etree.SubElement(root, f"{SAML}Issuer").text = issuer
    return root


def _received(xml: bytes, name: str, relay_state: str) -> ReceivedRequest:
    """Read what the identity provider needs of a request."""
    root = parse(xml)
    if root.tag != f"{SAMLP}{name}":
        raise ValueError(f"Expected {name}.")
    return ReceivedRequest(
        id=root.get("ID", ""),
        issuer=root.findtext(f"{SAML}Issuer") or "",
        relay_state=relay_state,
        acs_url=root.get("AssertionConsumerServiceURL"),
        name_id=root.findtext(f"{SAML}NameID"),
    )
