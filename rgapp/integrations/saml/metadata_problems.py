"""What can be wrong or odd about an identity provider's metadata, with the sentences for it."""

from enum import StrEnum
from typing import Final


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


SENTENCES: Final = {
    MetadataProblem.EMPTY: "The document is empty.",
    MetadataProblem.TOO_LARGE: "The document is larger than 2 MiB, so it is not one provider's metadata.",
    MetadataProblem.NOT_XML: "This is not an XML document. Download the metadata file again from the provider.",
    MetadataProblem.HTML_PAGE: (
        "This is a web page, not metadata: perhaps a sign-in page was saved. Download the file from the provider's "
        "console, or copy the metadata address from there."
    ),
    MetadataProblem.DOCTYPE: "The document has a document type declaration (DOCTYPE), which SAML does not allow.",
    MetadataProblem.TOO_COMPLEX: "The document is far larger or deeper than one provider's metadata.",
    MetadataProblem.NOT_METADATA: "This is XML, but not the metadata of a SAML identity provider.",
    MetadataProblem.NO_ENTITY_ID: "The metadata names no entityID, so we could not tell who signs people in.",
    MetadataProblem.SP_METADATA_ONLY: (
        "This is the metadata of a service, perhaps our own. We need that of your identity provider."
    ),
    MetadataProblem.SAML1_ONLY: "This identity provider does not offer SAML 2.0.",
    MetadataProblem.NO_SSO: (
        "The metadata has no sign-in address (SingleSignOnService) for HTTP-Redirect or HTTP-POST."
    ),
    MetadataProblem.NO_CERTIFICATE: "The metadata has no signing certificate, so nothing could be verified.",
    MetadataProblem.BAD_CERTIFICATE: "The signing certificate in the metadata cannot be used. {detail}",
    MetadataProblem.EXPIRED: "The metadata was valid until {detail}. Download it again from the provider.",
    MetadataProblem.SEVERAL_IDPS: "The document describes {detail} identity providers. Choose one by its entityID.",
    MetadataProblem.UNKNOWN_ENTITY_ID: "The document has no identity provider with this entityID.",
}
WARNINGS: Final = {
    MetadataWarning.CERTIFICATE_EXPIRED: "A certificate in the metadata has expired. Ask whether it is still used.",
    MetadataWarning.CERTIFICATE_NOT_YET_VALID: "A certificate in the metadata is not valid yet.",
    MetadataWarning.CERTIFICATE_SKIPPED: "A certificate in the metadata cannot be used and was left out.",
    MetadataWarning.PLAIN_HTTP: "The sign-in address begins with http://: what is sent there can be read by others.",
}


class MetadataError(ValueError):
    """The document cannot be used; the message is a sentence for the admin.

    `entity_ids` lists the identity providers where there are several.
    """

    def __init__(self, code: MetadataProblem, detail: str = "", entity_ids: tuple[str, ...] = ()) -> None:
        super().__init__(SENTENCES[code].format(detail=detail).strip())
        self.code = code
        self.detail = detail
        self.entity_ids = entity_ids
