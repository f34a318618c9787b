"""What an admin decides about one SCIM integration, as drafts and versions keep it."""

from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Final

from pydantic import AfterValidator, StringConstraints, field_validator

from rgapp.integrations.base import Strict
from rgapp.integrations.mapped import DateFormat, check_mapping
from rgapp.integrations.scim.paths import parse
from rgapp.provisioning.mapping import FieldRule, Rules
from rgapp.provisioning.record import Field

PERSON_SCHEMA: Final = "urn:rgapp:params:scim:schemas:extension:person:2.0:User"
ENTERPRISE_SCHEMA: Final = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
# SCIM writes dates this way (RFC 7643 section 2.3.5); a client that sends another form says so in the mapping.
ISO_DATE: Final = "%Y-%m-%d"


def _check_path(value: str) -> str:
    parse(value)
    return value


class OnDelete(StrEnum):
    """What a DELETE of a user means for the person."""

    DEACTIVATE = "deactivate"
    DETACH = "detach"


class FieldSource(Strict):
    """Where one field comes from: the path of a SCIM attribute; dates have a declared format."""

    attribute: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300), AfterValidator(_check_path)
    ]
    format: DateFormat | None = None


DEFAULT_MAPPING: Final[dict[Field, dict[str, str]]] = {
    Field.MEMBERSHIP_NO: {"attribute": "externalId"},
    Field.EMAIL: {"attribute": "emails[primary eq true].value"},
    Field.FIRST_NAME: {"attribute": "name.givenName"},
    Field.LAST_NAME: {"attribute": "name.familyName"},
    Field.DATE_OF_BIRTH: {"attribute": f"{PERSON_SCHEMA}:dateOfBirth", "format": ISO_DATE},
}


class SCIMSettings(Strict):
    """Everything an admin decides about one SCIM integration.

    With `provision_master` the fields that are mapped belong to this integration while it is on: neither a sign-in nor
    a person changes them.
    """

    welcome_email: bool = True
    provision_master: bool = True
    on_delete: OnDelete = OnDelete.DEACTIVATE
    mapping: dict[Field, FieldSource]

    @field_validator("mapping")
    @classmethod
    def _mandatory_fields(cls, mapping: dict[Field, FieldSource]) -> dict[Field, FieldSource]:
        check_mapping(mapping)
        return mapping

    @cached_property
    def rules(self) -> Rules:
        """Return the mapping in provisioning's form."""
        return {
            field: FieldRule(source.attribute, source.format or (ISO_DATE if field is Field.DATE_OF_BIRTH else None))
            for field, source in self.mapping.items()
        }


def dump(settings: SCIMSettings) -> dict[str, Any]:
    """Return the settings as plain JSON, the form in which drafts and versions are kept."""
    return settings.model_dump(mode="json", exclude_none=True)
