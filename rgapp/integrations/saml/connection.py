"""Connection: everything about one inbound SAML connection that building and checking messages needs."""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum


class Signed(StrEnum):
    """What the identity provider has to sign."""

    RESPONSE = "response"
    ASSERTION = "assertion"
    EITHER = "either"


class Binding(StrEnum):
    """How a request travels to the identity provider (SAML bindings 3.4 and 3.5)."""

    REDIRECT = "redirect"
    POST = "post"


@dataclass(frozen=True, slots=True)
class Connection:
    """One connection as the protocol sees it; hashable, so that what is compiled from it can be cached.

    `certificates` are the identity provider's signing certificates (PEM): no other key is ever trusted.
    `service_key` and `service_certificate` (PEM) are our own pair, to decrypt assertions and sign requests.
    `requires_name_id` is set where the mapping reads the NameID.
    """

    entity_id: str
    acs_url: str
    idp_entity_id: str
    certificates: tuple[str, ...]
    sls_url: str | None = None
    service_key: str | None = field(default=None, repr=False)
    service_certificate: str | None = None
    sso_url: str | None = None
    sso_binding: Binding = Binding.REDIRECT
    slo_url: str | None = None
    slo_response_url: str | None = None
    signed: Signed = Signed.ASSERTION
    sp_initiated: bool = True
    idp_initiated: bool = False
    sign_requests: bool = False
    requires_name_id: bool = False
    clock_skew: timedelta = timedelta(seconds=120)
    parameter_name: str = "SAMLResponse"
