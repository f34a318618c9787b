"""What examining a response results in: the checks, the verdict, and the type that stands for trust."""

import hashlib
from collections.abc import Mapping
from dataclasses import InitVar, dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

GUARD = object()
"""Held by the validator only; see VerifiedAssertion."""


class Mode(StrEnum):
    """What the examination is for: a real sign-in, or an admin's dry run of a pasted response."""

    SIGN_IN = "sign-in"
    PASTED = "pasted"


class Fixer(StrEnum):
    """Who can put a failed check right."""

    IDENTITY_PROVIDER = "identity_provider"
    SETUP = "setup"
    HR_DATA = "hr_data"
    EMPLOYEE = "employee"
    US = "us"


class CheckCode(StrEnum):
    """Every check by name, the most telling first: of several that failed, the first here is the refusal.

    What can be wrong in several ways has a code for each way; the plain code is used when it passed.
    """

    # The message as it travelled.
    PARAMETER_MISSING = "parameter_missing"
    TOO_LARGE = "too_large"
    NOT_BASE64 = "not_base64"
    DOCTYPE = "doctype"
    ENCODING = "encoding"
    TOO_DEEP = "too_deep"
    TOO_MANY_ELEMENTS = "too_many_elements"
    NOT_XML = "not_xml"
    NOT_A_RESPONSE = "not_a_response"
    FORMAT = "format"
    # Signs of an attack on the structure.
    DUPLICATE_ID = "duplicate_id"
    SIGNATURE_PLACE = "signature_place"
    COMMENT_IN_VALUE = "comment_in_value"
    VERSION = "version"
    # What the identity provider says of the sign-in, and whether we can judge it at all.
    STATUS = "status"
    ASSERTION_COUNT = "assertion_count"
    SETUP_INCOMPLETE = "setup_incomplete"
    # Encryption.
    ENCRYPTED_WITHOUT_KEY = "encrypted_without_key"
    ENCRYPTION_ALGORITHM = "encryption_algorithm"
    DECRYPTION_FAILED = "decryption_failed"
    ENCRYPTED_ATTRIBUTE = "encrypted_attribute"
    ENCRYPTION = "encryption"
    ENCRYPTION_OLD = "encryption_old"
    # Issuer and signature.
    ISSUER_RESPONSE = "issuer_response"
    ISSUER_ASSERTION = "issuer_assertion"
    SIGNATURE_ALGORITHM = "signature_algorithm"
    DIGEST_ALGORITHM = "digest_algorithm"
    SIGNATURE_TRANSFORM = "signature_transform"
    SIGNATURE_REFERENCE = "signature_reference"
    CERTIFICATE_UNKNOWN = "certificate_unknown"
    SIGNATURE_INVALID = "signature_invalid"
    SIGNATURE_MISSING = "signature_missing"
    SIGNATURE = "signature"
    CERTIFICATE_EXPIRED = "certificate_expired"
    # For whom it is.
    DESTINATION = "destination"
    CONDITIONS_MISSING = "conditions_missing"
    CONDITIONS_UNKNOWN = "conditions_unknown"
    AUDIENCE = "audience"
    CONFIRMATION_METHOD = "confirmation_method"
    RECIPIENT = "recipient"
    # The answer to which request.
    IN_RESPONSE_TO_FOREIGN = "in_response_to_foreign"
    IN_RESPONSE_TO_MISSING = "in_response_to_missing"
    IN_RESPONSE_TO_UNEXPECTED = "in_response_to_unexpected"
    IN_RESPONSE_TO = "in_response_to"
    IDP_INITIATED_OFF = "idp_initiated_off"
    # When.
    ISSUED_IN_FUTURE = "issued_in_future"
    NOT_BEFORE = "not_before"
    NOT_ON_OR_AFTER = "not_on_or_after"
    CONFIRMATION_END_MISSING = "confirmation_end_missing"
    CONFIRMATION_EXPIRED = "confirmation_expired"
    CONFIRMATION_NOT_BEFORE = "confirmation_not_before"
    # About whom.
    AUTHN_STATEMENT_MISSING = "authn_statement_missing"
    SESSION_EXPIRED = "session_expired"
    NAME_ID_MISSING = "name_id_missing"
    TOO_MANY_VALUES = "too_many_values"
    VALUE_TOO_LONG = "value_too_long"
    # What nothing above explains.
    SCHEMA = "schema"
    UNREADABLE = "unreadable"


class Check(NamedTuple):
    """One check: `ok` is True, False, or None where it was not made.

    `warning` marks one that passed but needs somebody's care.
    `expected` and `got` are short, printable and never hold more of the message than the value concerned.
    """

    code: CheckCode
    ok: bool | None
    expected: str = ""
    got: str = ""
    fixer: Fixer = Fixer.IDENTITY_PROVIDER
    warning: bool = False


@dataclass(frozen=True, slots=True)
class ExpectedRequest:
    """The AuthnRequest that the caller found by RelayState and has used up."""

    id: str


@dataclass(frozen=True, slots=True, repr=False)
class UntrustedContents:
    """What arrived, believable or not: shown to an admin in a dry run, never acted on."""

    issuer: str = ""
    name_id: str = ""
    name_id_format: str = ""
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    friendly_names: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, repr=False)
class VerifiedAssertion:
    """An assertion that passed every check; only the validator can make one.

    `attributes` maps an attribute's Name to its values in order, `friendly_names` a Name to its FriendlyName.
    `not_on_or_after` is how long the replay memory has to keep `replay_key`, clock skew included.
    `mode` tells a real sign-in from a dry run: the latter must not open a session.
    """

    guard: InitVar[object]
    mode: Mode
    assertion_id: str
    response_id: str
    issuer: str
    name_id: str | None
    name_id_format: str | None
    name_qualifiers: tuple[str | None, str | None]
    session_index: str | None
    attributes: Mapping[str, tuple[str, ...]]
    friendly_names: Mapping[str, str]
    in_response_to: str | None
    not_on_or_after: datetime
    session_not_on_or_after: datetime | None
    authn_instant: datetime | None

    def __post_init__(self, guard: object) -> None:
        """Refuse to exist outside the validator; raises TypeError."""
        if guard is not GUARD:
            raise TypeError("Only rgapp.integrations.saml.response.examine() makes a VerifiedAssertion.")

    def __repr__(self) -> str:
        """Name the assertion without its contents, so that no log can hold them."""
        return f"<VerifiedAssertion {self.replay_key[:12]}>"

    @property
    def replay_key(self) -> str:
        """Return what identifies this assertion for good: 64 hexadecimal digits."""
        return hashlib.sha256(f"{self.issuer}\0{self.assertion_id}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of examining one response.

    Exactly one of `refusal` and `assertion` is set. `checks` are in the order in which a person reads them.
    """

    checks: tuple[Check, ...]
    refusal: Check | None
    assertion: VerifiedAssertion | None = None
    seen: UntrustedContents | None = field(default=None, repr=False)

    @property
    def accepted(self) -> bool:
        """Tell whether every check passed."""
        return self.assertion is not None

    @property
    def warnings(self) -> tuple[Check, ...]:
        """Return the checks that passed but need somebody's care."""
        return tuple(check for check in self.checks if check.warning)
