"""Settings of an inbound SAML connection: the schema that the set-up pages and the declarative file share."""

from functools import cached_property
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    StringConstraints,
    field_validator,
    model_validator,
)

from rgapp.integrations.base import Strict
from rgapp.integrations.mapped import DateFormat, check_mapping
from rgapp.integrations.saml.certificates import CertificateError, read_certificates
from rgapp.integrations.saml.connection import Binding, Signed
from rgapp.integrations.saml.understood import certificate_sentence
from rgapp.provisioning.mapping import FieldRule, Rules
from rgapp.provisioning.record import Field

NAME_ID = ":NameID"  # How a SourceRecord names the NameID; no attribute can be called so, XML names have one colon.
MOST_CERTIFICATES = 10


def check_url(value: str) -> str:
    """Accept an absolute http or https address without credentials.

    Raises `ValueError` with a sentence.
    """
    parts = urlsplit(value)
    if parts.scheme not in {"https", "http"} or not parts.hostname or parts.username or parts.password:
        raise ValueError("This must be a full address that begins with https://.")
    if any(character in parts.netloc for character in ";,'\"<>"):
        raise ValueError("This address contains characters that do not belong in the name of a server.")
    if any(character.isspace() or ord(character) < 32 for character in value) or "\\" in value:
        raise ValueError("This address contains spaces or characters that do not belong in one.")
    return value


URL = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000), AfterValidator(check_url)]
EntityID = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1024)]


class IdentityProvider(Strict):
    """The identity provider's side, as its metadata says or as typed."""

    entity_id: EntityID
    sso_url: URL | None = None
    sso_binding: Binding = Binding.REDIRECT
    slo_url: URL | None = None
    slo_response_url: URL | None = None
    certificates: list[str]
    metadata_url: URL | None = None
    want_signed_requests: bool = False

    @field_validator("certificates")
    @classmethod
    def _readable(cls, certificates: list[str]) -> list[str]:
        if not certificates:
            raise ValueError("Add the identity provider's signing certificate.")
        if len(certificates) > MOST_CERTIFICATES:
            raise ValueError(f"At most {MOST_CERTIFICATES} certificates can be kept.")
        try:
            return [read.pem for certificate in certificates for read in read_certificates(certificate)]
        except CertificateError as error:
            raise ValueError(certificate_sentence(error)) from error


class JIT(Strict):
    """What a sign-in may write."""

    create: bool = False
    update: bool = False
    welcome_email: bool = True


class FieldSource(Strict):
    """Where one field comes from: the NameID or one attribute; dates have a declared format."""

    attribute: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)] | None = None
    name_id: bool = False
    format: DateFormat | None = None

    @model_validator(mode="after")
    def _one_source(self) -> "FieldSource":
        if self.name_id == bool(self.attribute):
            raise ValueError("Choose the NameID or name one attribute, not both and not neither.")
        return self


class InboundSAMLSettings(Strict):
    """Everything an admin decides about one inbound SAML connection."""

    idp: IdentityProvider
    signed: Signed = Signed.ASSERTION
    sp_initiated: bool = True
    idp_initiated: bool = False
    parameter_name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$")] = "SAMLResponse"
    jit: JIT = JIT()
    mapping: dict[Field, FieldSource]

    @field_validator("mapping")
    @classmethod
    def _mandatory_fields(cls, mapping: dict[Field, FieldSource]) -> dict[Field, FieldSource]:
        check_mapping(mapping)
        return mapping

    @model_validator(mode="after")
    def _startable(self) -> "InboundSAMLSettings":
        if self.sp_initiated and not self.idp.sso_url:
            raise ValueError("Sign-in that starts here needs the identity provider's sign-in address (sso_url).")
        if not self.sp_initiated and not self.idp_initiated:
            raise ValueError("Allow sign-in to start here, at the identity provider, or both.")
        return self

    @cached_property
    def rules(self) -> Rules:
        """Return the mapping in provisioning's form."""
        return {field: FieldRule(source.attribute or NAME_ID, source.format) for field, source in self.mapping.items()}


def dump(settings: InboundSAMLSettings) -> dict[str, Any]:
    """Return the settings as plain JSON, the form in which drafts and versions are kept."""
    return settings.model_dump(mode="json", exclude_none=True)
