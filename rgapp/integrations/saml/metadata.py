"""Metadata (SAML metadata 2.0): understands an identity provider's document."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from rgapp.integrations.saml.certificates import SigningCertificate
from rgapp.integrations.saml.connection import Binding


class MetadataProblem(StrEnum):
    """Why a document is no identity provider's metadata that we can use."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    NOT_XML = "not_xml"
    HTML_PAGE = "html_page"
    DOCTYPE = "doctype"
    TOO_COMPLEX = "too_complex"
    NOT_METADATA = "not_metadata"
    NO_ENTITY_ID = "no_entity_id"
    SP_METADATA_ONLY = "sp_metadata_only"
    SAML1_ONLY = "saml1_only"
    NO_SSO = "no_sso"
    NO_CERTIFICATE = "no_certificate"
    BAD_CERTIFICATE = "bad_certificate"
    EXPIRED = "expired"
    SEVERAL_IDPS = "several_idps"
    UNKNOWN_ENTITY_ID = "unknown_entity_id"


class MetadataWarning(StrEnum):
    """What is odd about metadata that can be used nevertheless."""

    CERTIFICATE_EXPIRED = "certificate_expired"
    CERTIFICATE_NOT_YET_VALID = "certificate_not_yet_valid"
    CERTIFICATE_SKIPPED = "certificate_skipped"
    PLAIN_HTTP = "plain_http"


class MetadataError(ValueError):
    """The document cannot be used; `entity_ids` lists the identity providers where there are several."""

    def __init__(self, code: MetadataProblem, detail: str = "", entity_ids: tuple[str, ...] = ()) -> None:
        super().__init__(code.value)
        self.code = code
        self.detail = detail
        self.entity_ids = entity_ids


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

    Raises MetadataError. Reads no network and no entity.
    """
    raise NotImplementedError
