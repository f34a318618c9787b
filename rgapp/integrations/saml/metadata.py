"""Metadata (SAML metadata 2.0): understands an identity provider's document."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from lxml import etree
from onelogin.saml2.constants import OneLogin_Saml2_Constants as Names

from rgapp.integrations.saml.certificates import (
    CertificateError,
    SigningCertificate,
    Validity,
    read_certificates,
)
from rgapp.integrations.saml.connection import Binding
from rgapp.integrations.saml.contents import moment
from rgapp.integrations.saml.document import DS, SAML, DocumentError, parse
from rgapp.integrations.saml.limits import MAX_METADATA, MAX_METADATA_ELEMENTS
from rgapp.integrations.saml.metadata_problems import MetadataError, MetadataProblem, MetadataWarning
from rgapp.integrations.saml.service_metadata import MD
from rgapp.integrations.saml.verdict import CheckCode

_MDUI = "{urn:oasis:names:tc:SAML:metadata:ui}"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_CLAIM_TYPE = "{http://docs.oasis-open.org/wsfed/authorization/200706}ClaimType"
_HTML = re.compile(rb"^\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class OfferedAttribute:
    """An attribute that the identity provider says it can send."""

    name: str
    friendly_name: str = ""


@dataclass(frozen=True, slots=True)
class IdentityProviderMetadata:
    """An identity provider as its metadata describes it."""

    entity_id: str
    sso_url: str
    sso_binding: Binding
    slo_url: str | None
    slo_response_url: str | None
    certificates: tuple[SigningCertificate, ...]
    want_authn_requests_signed: bool
    name_id_formats: tuple[str, ...]
    attributes: tuple[OfferedAttribute, ...]
    valid_until: datetime | None
    display_name: str
    warnings: tuple[MetadataWarning, ...]


def read_metadata(data: bytes, *, now: datetime, entity_id: str | None = None) -> IdentityProviderMetadata:
    """Read an identity provider's metadata; `entity_id` chooses where the document describes several.

    Raises MetadataError. Reads no network and expands no entity.
    """
    root = _parse(data)
    entity = _choose(root, entity_id)
    descriptor = _descriptor(entity)
    valid_until = _check_dates([root, entity, descriptor], now)
    sso_url, sso_binding = _sign_in_address(descriptor)
    warnings: set[MetadataWarning] = set()
    certificates = _certificates(descriptor, warnings)
    states = {certificate.state(now) for certificate in certificates}
    if Validity.EXPIRED in states:
        warnings.add(MetadataWarning.CERTIFICATE_EXPIRED)
    if Validity.NOT_YET in states:
        warnings.add(MetadataWarning.CERTIFICATE_NOT_YET_VALID)
    parts = urlsplit(sso_url)
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        warnings.add(MetadataWarning.PLAIN_HTTP)
    slo_url, slo_response_url = _logout_address(descriptor)
    return IdentityProviderMetadata(
        entity_id=entity.get("entityID", "").strip(),
        sso_url=sso_url,
        sso_binding=sso_binding,
        slo_url=slo_url,
        slo_response_url=slo_response_url,
        certificates=tuple(certificates),
        want_authn_requests_signed=descriptor.get("WantAuthnRequestsSigned") in ("true", "1"),
        name_id_formats=tuple(_texts(descriptor, f"{MD}NameIDFormat")),
        attributes=tuple(_offered(entity, descriptor)),
        valid_until=valid_until,
        display_name=_display_name(entity, descriptor),
        warnings=tuple(sorted(warnings)),
    )


def _parse(data: bytes) -> etree._Element:
    """Parse the document, saying what it is instead where it is no XML."""
    if len(data) > MAX_METADATA:
        raise MetadataError(MetadataProblem.TOO_LARGE)
    if not data.strip():
        raise MetadataError(MetadataProblem.EMPTY)
    if _HTML.match(data[:4096].removeprefix(b"\xef\xbb\xbf")):
        raise MetadataError(MetadataProblem.HTML_PAGE)
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = re.sub(r"^<\?xml[^>]*\?>", "", data.decode("utf-16", "replace")).encode()
    try:
        return parse(data, max_elements=MAX_METADATA_ELEMENTS)
    except DocumentError as error:
        problems = {
            CheckCode.DOCTYPE: MetadataProblem.DOCTYPE,
            CheckCode.TOO_DEEP: MetadataProblem.TOO_COMPLEX,
            CheckCode.TOO_MANY_ELEMENTS: MetadataProblem.TOO_COMPLEX,
        }
        raise MetadataError(problems.get(error.code, MetadataProblem.NOT_XML), error.got) from None


def _choose(root: etree._Element, entity_id: str | None) -> etree._Element:
    """Return the EntityDescriptor of the identity provider that is meant."""
    if root.tag not in (f"{MD}EntityDescriptor", f"{MD}EntitiesDescriptor"):
        raise MetadataError(MetadataProblem.NOT_METADATA, str(etree.QName(root).localname))
    entities = list(root.iter(f"{MD}EntityDescriptor"))
    providers = [e for e in entities if e.find(f"{MD}IDPSSODescriptor") is not None]
    if not providers:
        services = any(e.find(f"{MD}SPSSODescriptor") is not None for e in entities)
        raise MetadataError(MetadataProblem.SP_METADATA_ONLY if services else MetadataProblem.NOT_METADATA)
    names = tuple(e.get("entityID", "").strip() for e in providers)
    if not all(names):
        raise MetadataError(MetadataProblem.NO_ENTITY_ID)
    if entity_id is not None:
        if entity_id not in names:
            raise MetadataError(MetadataProblem.UNKNOWN_ENTITY_ID, entity_id, names)
        return providers[names.index(entity_id)]
    if len(providers) > 1:
        raise MetadataError(MetadataProblem.SEVERAL_IDPS, str(len(providers)), names)
    return providers[0]


def _descriptor(entity: etree._Element) -> etree._Element:
    """Return the description of the SAML 2.0 identity provider."""
    descriptors = entity.findall(f"{MD}IDPSSODescriptor")
    for descriptor in descriptors:
        if Names.NS_SAMLP in descriptor.get("protocolSupportEnumeration", "").split():
            return descriptor
    raise MetadataError(MetadataProblem.SAML1_ONLY)


def _check_dates(elements: Sequence[etree._Element], now: datetime) -> datetime | None:
    """Return the earliest validUntil; refuse a document that has expired."""
    ends = [end for element in elements if (end := moment(element.get("validUntil"))) is not None]
    earliest = min(ends, default=None)
    if earliest is not None and earliest < now:
        raise MetadataError(MetadataProblem.EXPIRED, earliest.strftime("%Y-%m-%d"))
    return earliest


def _addresses(descriptor: etree._Element, service: str, attribute: str = "Location") -> dict[str, str]:
    """Return the usable addresses of a service by binding."""
    found: dict[str, str] = {}
    for place in descriptor.iterfind(f"{MD}{service}"):
        location = place.get(attribute, "").strip()
        if _is_web_address(location):
            found.setdefault(place.get("Binding", ""), location)
    return found


def _is_web_address(location: str) -> bool:
    """Tell whether a browser may be sent there: http(s) only, and nothing odd in it."""
    if not location.isprintable() or " " in location or "\\" in location:
        return False
    try:
        parts = urlsplit(location)
    except ValueError:
        return False
    return parts.scheme in ("https", "http") and bool(parts.hostname) and parts.username is None


def _sign_in_address(descriptor: etree._Element) -> tuple[str, Binding]:
    """Return where to send people; by redirect if the provider takes that."""
    addresses = _addresses(descriptor, "SingleSignOnService")
    for binding, ours in ((Names.BINDING_HTTP_REDIRECT, Binding.REDIRECT), (Names.BINDING_HTTP_POST, Binding.POST)):
        if binding in addresses:
            return addresses[binding], ours
    raise MetadataError(MetadataProblem.NO_SSO)


def _logout_address(descriptor: etree._Element) -> tuple[str | None, str | None]:
    """Return where logout requests go, and responses if that is elsewhere; by redirect only."""
    request = _addresses(descriptor, "SingleLogoutService").get(Names.BINDING_HTTP_REDIRECT)
    answer = _addresses(descriptor, "SingleLogoutService", "ResponseLocation").get(Names.BINDING_HTTP_REDIRECT)
    return request, answer


def _certificates(descriptor: etree._Element, warnings: set[MetadataWarning]) -> list[SigningCertificate]:
    """Return every certificate that may sign, once each."""
    found: dict[str, SigningCertificate] = {}
    problem: CertificateError | None = None
    for key in descriptor.iterfind(f"{MD}KeyDescriptor"):
        if key.get("use", "signing") != "signing":
            continue
        for body in _texts(key, f"{DS}KeyInfo/{DS}X509Data/{DS}X509Certificate"):
            try:
                for certificate in read_certificates(body):
                    found.setdefault(certificate.fingerprint_sha256, certificate)
            except CertificateError as error:
                problem = error
                warnings.add(MetadataWarning.CERTIFICATE_SKIPPED)
    if not found:
        if problem is not None:
            raise MetadataError(MetadataProblem.BAD_CERTIFICATE, str(problem))
        raise MetadataError(MetadataProblem.NO_CERTIFICATE)
    return list(found.values())


def _offered(entity: etree._Element, descriptor: etree._Element) -> Iterator[OfferedAttribute]:
    """Yield the attributes offered, in SAML's way and in that of ADFS and Entra (ClaimType)."""
    seen: set[str] = set()
    for attribute in descriptor.iterfind(f"{SAML}Attribute"):
        name = attribute.get("Name", "").strip()
        if name and name not in seen:
            seen.add(name)
            yield OfferedAttribute(name, attribute.get("FriendlyName", ""))
    for claim in entity.iter(_CLAIM_TYPE):
        name = claim.get("Uri", "").strip()
        if name and name not in seen:
            seen.add(name)
            label = claim.find("{*}DisplayName")
            yield OfferedAttribute(name, (label.text or "").strip() if label is not None else "")


def _display_name(entity: etree._Element, descriptor: etree._Element) -> str:
    """Return the name the provider gives itself, in English if it has one in English."""
    for path in (
        f"{MD}Extensions/{_MDUI}UIInfo/{_MDUI}DisplayName",
        f"{MD}Organization/{MD}OrganizationDisplayName",
    ):
        named = [*descriptor.iterfind(path), *entity.iterfind(path)]
        named.sort(key=lambda element: not element.get(_LANG, "").startswith("en"))
        for element in named:
            if element.text and element.text.strip():
                return element.text.strip()[:200]
    return ""


def _texts(parent: etree._Element, path: str) -> list[str]:
    """Return the texts of the elements at a path, without empty ones."""
    return [text for element in parent.iterfind(path) if (text := (element.text or "").strip())]


__all__ = [
    "IdentityProviderMetadata",
    "MetadataError",
    "MetadataProblem",
    "MetadataWarning",
    "OfferedAttribute",
    "read_metadata",
]
