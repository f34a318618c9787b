"""What was understood of certificates, metadata and pasted text, and what is wrong with them, in words for an admin."""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, unquote

from rgapp.integrations.saml.certificates import (
    CertificateError,
    CertificateProblem,
    SigningCertificate,
    Validity,
    read_certificates,
)
from rgapp.integrations.saml.limits import MAX_CERTIFICATES
from rgapp.integrations.saml.metadata import (
    IdentityProviderMetadata,
    MetadataError,
    MetadataProblem,
    MetadataWarning,
    read_metadata,
)

EXPIRY_WARNING_DAYS = 30
LONG = 400
MOST_CHOICES = 20
_ATTRIBUTE = re.compile(r"(?<![A-Za-z])([A-Z]+)=([^,+]+)")

_CERTIFICATE_SENTENCES = {
    CertificateProblem.EMPTY: "Paste or upload a certificate.",
    CertificateProblem.TOO_LARGE: "This is too large to be a certificate.",
    CertificateProblem.TOO_MANY: f"These are more certificates than we keep. Give at most {MAX_CERTIFICATES}.",
    CertificateProblem.PRIVATE_KEY: (
        "This contains a private key. We have not kept it, and it should not leave your identity provider: "
        "give us the certificate alone, and consider replacing the key."
    ),
    CertificateProblem.CSR: "This is a certificate request. Give us the certificate that was issued for it.",
    CertificateProblem.PUBLIC_KEY_ONLY: "This is a public key alone. Give us the whole certificate.",
    CertificateProblem.NOT_A_CERTIFICATE: (
        "This is not a certificate. It begins with -----BEGIN CERTIFICATE----- or is a .cer or .crt file."
    ),
    CertificateProblem.WEAK_KEY: "The key of this certificate is too short to be safe; RSA needs 2048 bits.",
    CertificateProblem.UNSUPPORTED_KEY: "Certificates with this kind of key cannot be checked. Use RSA or an EC curve.",
}
_METADATA_SENTENCES = {
    MetadataProblem.EMPTY: "The file is empty.",
    MetadataProblem.TOO_LARGE: "This is larger than 2 MiB, so it is not one identity provider's metadata.",
    MetadataProblem.NOT_XML: "This is not readable XML. Download the file again, without opening it in between.",
    MetadataProblem.HTML_PAGE: (
        "This is a web page, not metadata. Perhaps the sign-in page was saved in place of the file."
    ),
    MetadataProblem.DOCTYPE: "This contains a document type declaration, which metadata never needs. It was not read.",
    MetadataProblem.TOO_COMPLEX: "This is nested too deeply or has too many elements to be metadata.",
    MetadataProblem.NOT_METADATA: "This is XML, but not SAML metadata: it has no EntityDescriptor.",
    MetadataProblem.NO_ENTITY_ID: "The metadata names no entityID.",
    MetadataProblem.SP_METADATA_ONLY: (
        "This describes a service like ours, not an identity provider. You may have taken our own metadata."
    ),
    MetadataProblem.SAML1_ONLY: "This identity provider offers SAML 1 only. SAML 2.0 is needed.",
    MetadataProblem.NO_SSO: "The metadata names no sign-in address that we can use (redirect or POST).",
    MetadataProblem.NO_CERTIFICATE: "The metadata holds no signing certificate, so no answer could be verified.",
    MetadataProblem.BAD_CERTIFICATE: "The signing certificate in the metadata cannot be used.",
    MetadataProblem.EXPIRED: "The metadata has expired. Download it again.",
    MetadataProblem.SEVERAL_IDPS: (
        f"This describes more than {MOST_CHOICES} identity providers. Download the metadata of yours alone."
    ),
    MetadataProblem.UNKNOWN_ENTITY_ID: "The identity provider you chose is not in this file.",
}
_WARNING_SENTENCES = {
    MetadataWarning.CERTIFICATE_EXPIRED: "A certificate has expired. Ask your IT team whether a new one is on its way.",
    MetadataWarning.CERTIFICATE_NOT_YET_VALID: "A certificate is not valid yet.",
    MetadataWarning.CERTIFICATE_SKIPPED: "A certificate could not be read and was left out.",
    MetadataWarning.PLAIN_HTTP: "An address begins with http://, so what travels there is not encrypted.",
}


@dataclass(frozen=True)
class CertificateRow:
    """One signing certificate as a page shows it."""

    certificate: SigningCertificate
    validity: Validity
    days_left: int

    @property
    def name(self) -> str:
        """Return the common name of the subject, or the whole subject."""
        parts = dict(_ATTRIBUTE.findall(self.certificate.subject))
        return (parts.get("CN") or parts.get("O") or self.certificate.subject or "Certificate").strip()

    @property
    def state(self) -> str:
        """Return `ok`, `warning` or `failed`."""
        if self.validity is Validity.EXPIRED:
            return "failed"
        return "warning" if self.validity is Validity.NOT_YET or self.days_left <= EXPIRY_WARNING_DAYS else "ok"

    @property
    def sentence(self) -> str:
        """Say where the certificate stands."""
        if self.validity is Validity.EXPIRED:
            return f"Expired {_days(-self.days_left)} ago" if self.days_left else "Expired today"
        if self.validity is Validity.NOT_YET:
            return "Not valid yet"
        if self.days_left > LONG:
            return f"Valid until {self.certificate.not_after:%Y}"
        return f"Expires in {_days(self.days_left)}" if self.days_left else "Expires today"


@dataclass(frozen=True)
class UnderstoodIdp:
    """One identity provider of a metadata document: the settings it gives and what is odd about them."""

    settings: dict[str, Any]
    display_name: str
    warnings: tuple[str, ...]
    attributes: tuple[str, ...]


def certificate_rows(pems: Sequence[str], now: datetime) -> list[CertificateRow]:
    """Return what the certificates of a draft or a version are; unreadable ones are left out."""
    rows = []
    for pem in pems:
        try:
            found = read_certificates(pem)
        except CertificateError:
            continue
        for certificate in found:
            days = certificate.expires_in(now).total_seconds() / 86400
            rows.append(CertificateRow(certificate, certificate.state(now), int(days)))
    return rows


def certificate_sentence(error: CertificateError) -> str:
    """Say why something is no usable certificate; never repeats what was given."""
    sentence = _CERTIFICATE_SENTENCES[error.code]
    known = error.code in {CertificateProblem.WEAK_KEY, CertificateProblem.UNSUPPORTED_KEY}
    return f"{sentence} This one: {error.detail}." if known and error.detail else sentence


def metadata_sentence(error: MetadataError) -> str:
    """Say why a document is no usable metadata."""
    sentence = _METADATA_SENTENCES[error.code]
    if error.code is MetadataProblem.BAD_CERTIFICATE and error.detail:
        try:
            return f"{sentence} {_CERTIFICATE_SENTENCES[CertificateProblem(error.detail)]}"
        except ValueError:
            return sentence
    return sentence


def understand_metadata(data: bytes, *, now: datetime) -> list[UnderstoodIdp]:
    """Read a metadata document: one identity provider, or those to choose from.

    Raises `MetadataError`.
    """
    try:
        return [_understood(data, now, None)]
    except MetadataError as error:
        if error.code is not MetadataProblem.SEVERAL_IDPS or not 0 < len(error.entity_ids) <= MOST_CHOICES:
            raise
        choices, last = [], error
        for entity_id in error.entity_ids:
            try:
                choices.append(_understood(data, now, entity_id))
            except MetadataError as unusable:
                last = unusable
        if not choices:
            raise last from error
        return choices


def idp_settings(metadata: IdentityProviderMetadata) -> dict[str, Any]:
    """Return what identity provider metadata says, in the form of our settings."""
    found: dict[str, Any] = {
        "entity_id": metadata.entity_id,
        "sso_url": metadata.sso_url,
        "sso_binding": metadata.sso_binding,
        "slo_url": metadata.slo_url,
        "slo_response_url": metadata.slo_response_url if metadata.slo_response_url != metadata.slo_url else None,
        "certificates": [certificate.pem for certificate in metadata.certificates],
        "want_signed_requests": metadata.want_authn_requests_signed,
    }
    return {key: value for key, value in found.items() if value is not None}


def _understood(data: bytes, now: datetime, entity_id: str | None) -> UnderstoodIdp:
    found = read_metadata(data, now=now, entity_id=entity_id)
    return UnderstoodIdp(
        settings={key: str(value) if key == "sso_binding" else value for key, value in idp_settings(found).items()},
        display_name=found.display_name,
        warnings=tuple(_WARNING_SENTENCES[warning] for warning in found.warnings),
        attributes=tuple(attribute.name for attribute in found.attributes),
    )


def read_pasted(text: str) -> str:
    """Return the SAMLResponse in what somebody pasted: its base64, a whole form body, percent-encoded, or the XML."""
    text = text.strip().strip("\"'")
    if text.startswith("<"):
        return base64.b64encode(text.encode()).decode()
    if "SAMLResponse=" in text:
        query = text[text.index("SAMLResponse=") :]
        return "".join(parse_qs(query, max_num_fields=20).get("SAMLResponse", [""])[0].split())
    if "%" in text:
        text = unquote(text)
    return "".join(text.removeprefix("SAMLResponse:").split())


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count:,} days"
