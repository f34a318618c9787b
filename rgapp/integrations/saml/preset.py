"""What a preset of an identity provider consists of."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from rgapp.integrations.saml.connection import Signed


class OurValue(StrEnum):
    """A value of this connection that somebody copies into the provider's console."""

    ENTITY_ID = "entity_id"
    ACS_URL = "acs_url"
    METADATA_URL = "metadata_url"
    LOGIN_URL = "login_url"
    SLS_URL = "sls_url"


@dataclass(frozen=True, slots=True)
class Step:
    """One step in the provider's console; `copy` is the value of ours that belongs in the field `their_field`."""

    text: str
    copy: OurValue | None = None
    their_field: str = ""


@dataclass(frozen=True, slots=True)
class ProviderPreset:
    """One identity provider as its administrators know it.

    `claims` maps our field names to the attribute names that come of the steps, `metadata_hint` says where the
    provider keeps its metadata.
    """

    key: str
    name: str
    summary: str
    minutes: int
    needs: str
    steps: tuple[Step, ...]
    claims: Mapping[str, str]
    metadata_hint: str
    signed: Signed = Signed.ASSERTION


def claims(membership_no: str, email: str, first_name: str, last_name: str, date_of_birth: str) -> Mapping[str, str]:
    """Name our five fields as a provider calls them."""
    return MappingProxyType(
        {
            "membership_no": membership_no,
            "email": email,
            "first_name": first_name,
            "last_name": last_name,
            "date_of_birth": date_of_birth,
        }
    )


def paste(text: str, value: OurValue, their_field: str) -> Step:
    """Return a step in which one of our values is copied."""
    return Step(text, value, their_field)
