"""Records on their way through provisioning: what a source said, how we read it, and the person it describes."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import Enum, StrEnum
from typing import Any, Final, Literal


class Field(StrEnum):
    """The fields of a user that sources give."""

    MEMBERSHIP_NO = "membership_no"
    EMAIL = "email"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    DATE_OF_BIRTH = "date_of_birth"

    @property
    def mandatory(self) -> bool:
        """Tell whether a record without this field is refused."""
        return self in MANDATORY


MANDATORY: Final = frozenset({Field.MEMBERSHIP_NO, Field.EMAIL})


class Unset(Enum):
    """The type of `UNSET`: the source did not mention the field, so nothing is said about it."""

    UNSET = "unset"

    def __bool__(self) -> Literal[False]:
        return False


UNSET: Final = Unset.UNSET

FieldValue = str | date | Unset | None


@dataclass(frozen=True)
class SourceRecord:
    """What a source said about one person, in its own words.

    `values` has every value under the source's own name for it; `position` ("row 17", an assertion ID) is for
    messages; `external_id` is the source's own stable identifier, where it has one.
    """

    position: str
    values: Mapping[str, Sequence[str]]
    external_id: str | None = None
    active: bool | Unset = UNSET


class ProblemCode(StrEnum):
    """Why a field could not be read."""

    NOT_MAPPED = "not_mapped"
    MISSING = "missing"
    EMPTY = "empty"
    AMBIGUOUS = "ambiguous"
    TOO_LONG = "too_long"
    HIDDEN_CHARACTERS = "hidden_characters"
    BAD_CHARACTERS = "bad_characters"
    NOT_AN_ADDRESS = "not_an_address"
    UNREADABLE_DATE = "unreadable_date"
    IMPOSSIBLE_DATE = "impossible_date"
    FUTURE_DATE = "future_date"
    TOO_LONG_AGO = "too_long_ago"
    OWNED = "owned"


class InvalidValue(ValueError):
    """A value that is not acceptable for its field: a code and the data a message needs, no words."""

    def __init__(self, code: ProblemCode, **data: Any) -> None:
        super().__init__(code)
        self.code = code
        self.data = data


@dataclass(frozen=True)
class Problem:
    """What is wrong with one field."""

    code: ProblemCode
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class FieldReading:
    """How one field of one record was read.

    `looked_for` is the source's name that the mapping points to (None where nothing is mapped), `raw` what stood
    there, `value` our reading of it. `problem` is None when all is well.
    """

    field: Field
    looked_for: str | None
    raw: tuple[str, ...] = ()
    value: FieldValue = UNSET
    problem: Problem | None = None

    @property
    def ok(self) -> bool:
        """Tell whether the field has a usable value, or was deliberately cleared."""
        return self.problem is None


@dataclass(frozen=True)
class PersonRecord:
    """A person in our words; each field is a value, `None` (cleared) or `UNSET` (not mentioned)."""

    membership_no: str | Unset = UNSET
    email: str | Unset = UNSET
    first_name: str | Unset | None = UNSET
    last_name: str | Unset | None = UNSET
    date_of_birth: date | Unset | None = UNSET
    external_id: str | None = None
    active: bool | Unset = UNSET

    def get(self, name: Field) -> FieldValue:
        """Return the value of one field."""
        value: FieldValue = getattr(self, name.value)
        return value


@dataclass(frozen=True)
class Reading:
    """A whole record as read: the person, and one `FieldReading` for each field, in our order of fields."""

    position: str
    person: PersonRecord
    fields: tuple[FieldReading, ...]

    @property
    def errors(self) -> tuple[FieldReading, ...]:
        """Return the mandatory fields that refuse the record."""
        return tuple(entry for entry in self.fields if entry.field.mandatory and not entry.ok)

    @property
    def warnings(self) -> tuple[FieldReading, ...]:
        """Return the recommended fields that stay as they are; nothing mapped is a choice, not a warning."""
        return tuple(entry for entry in self.fields if not entry.field.mandatory and not entry.ok)

    def of(self, name: Field) -> FieldReading:
        """Return the reading of one field."""
        return next(entry for entry in self.fields if entry.field is name)


class OutcomeKind(StrEnum):
    """What provisioning decided about one record."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    DEACTIVATED = "deactivated"
    REACTIVATED = "reactivated"
    HELD = "held"
    REJECTED = "rejected"


class Refusal(StrEnum):
    """Why a record was rejected."""

    FIELDS = "fields"
    NO_ACCOUNT = "no_account"
    EMAIL_CONFLICT = "email_conflict"
    MEMBERSHIP_CONFLICT = "membership_conflict"
    IDENTITY_CONFLICT = "identity_conflict"
    BIRTH_DATE_CONFLICT = "birth_date_conflict"
    LEAVER = "leaver"
    OWNED_FIELDS = "owned_fields"


@dataclass(frozen=True)
class Change:
    """One field of one user before and after."""

    field: Field
    before: str | date | None
    after: str | date | None


@dataclass(frozen=True)
class Outcome:
    """What was decided about one record, with the changes and all field problems.

    `user_id` is the account it is about (for a refusal: the account that matched, if any); `conflict_user_id` the
    other account in a conflict; `fields` every reading, for the page that explains it. `blocked` are fields that
    another directory owns and that were left out; with `only_leaves` nothing else of the record was taken: it is
    unsound.
    """

    kind: OutcomeKind
    reading: Reading
    user_id: uuid.UUID | None = None
    refusal: Refusal | None = None
    changes: tuple[Change, ...] = ()
    conflict_user_id: uuid.UUID | None = None
    blocked: tuple[Field, ...] = ()
    only_leaves: bool = False

    @property
    def accepted(self) -> bool:
        """Tell whether the record was taken."""
        return self.kind not in {OutcomeKind.REJECTED, OutcomeKind.HELD}
