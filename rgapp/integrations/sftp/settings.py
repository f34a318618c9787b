"""What an admin decides about one SFTP integration, as drafts and versions keep it; secrets are kept elsewhere."""

from collections.abc import Sequence
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, StringConstraints, model_validator

from rgapp.integrations.base import Strict
from rgapp.integrations.mapped import DateFormat, check_mapping
from rgapp.provisioning.mapping import FieldRule, Rules
from rgapp.provisioning.record import Field

COLUMN_LENGTH: Final = 200
VALUE_LENGTH: Final = 100
MOST_VALUES: Final = 50


class Hold(StrEnum):
    """What a held run holds: everything, or its deactivations only."""

    EVERYTHING = "everything"
    DEACTIVATIONS = "deactivations"


ColumnName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=COLUMN_LENGTH)]


def value_key(value: str) -> str:
    """Return the form in which values of a status column are compared: without case, spaces joined."""
    return " ".join(value.casefold().split())


def _as_text(value: Any) -> Any:
    """Return a number as text: YAML reads a status code such as 3 as one."""
    if isinstance(value, bool):
        raise ValueError("YAML reads yes, no, on and off as true and false: put the value in quotes.")
    return str(value) if isinstance(value, int) else value


def _distinct(values: Sequence[str]) -> list[str]:
    """Accept at least one value, and not too many, of which no two mean the same."""
    if not values:
        raise ValueError("Name at least one value that means that somebody has left.")
    if len(values) > MOST_VALUES:
        raise ValueError(f"At most {MOST_VALUES} values can be named.")
    keys = [value_key(value) for value in values]
    if len(set(keys)) < len(keys):
        raise ValueError("A value stands here twice; capital letters make no difference.")
    return list(values)


LeaverValue = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=VALUE_LENGTH),
    BeforeValidator(_as_text),
]


class ColumnSource(Strict):
    """Where one field comes from: the name of a column; dates have a declared format."""

    column: ColumnName
    format: DateFormat | None = None


class StatusSource(Strict):
    """Which column says who has left, and with which values; every other value means that the person is there."""

    column: ColumnName
    leaver: Annotated[list[LeaverValue], AfterValidator(_distinct)]

    @cached_property
    def leaver_keys(self) -> frozenset[str]:
        """Return the values as they are compared."""
        return frozenset(map(value_key, self.leaver))


class Columns(Strict):
    """The mapping: each of our fields to a column, and perhaps the status column."""

    membership_no: ColumnSource | None = None
    email: ColumnSource | None = None
    first_name: ColumnSource | None = None
    last_name: ColumnSource | None = None
    date_of_birth: ColumnSource | None = None
    status: StatusSource | None = None

    @model_validator(mode="after")
    def _usable(self) -> "Columns":
        check_mapping(self.fields)
        if self.date_of_birth is not None and self.date_of_birth.format is None:
            raise ValueError("Say how dates of birth are written in text, for example date_of_birth.format: %d/%m/%Y.")
        return self

    @cached_property
    def fields(self) -> dict[Field, ColumnSource]:
        """Return the mapped fields, in our order."""
        found = ((field, getattr(self, field.value)) for field in Field)
        return {field: source for field, source in found if source is not None}


class SFTPSettings(Strict):
    """Everything an admin decides about one SFTP integration.

    Of a `full_file` absence means leaver; otherwise only the status column says who leaves. With `provision_master` the
    fields that are mapped belong to this integration while it is on: neither a sign-in nor a person changes them.
    """

    full_file: bool = True
    hold: Hold = Hold.EVERYTHING
    welcome_email: bool = True
    provision_master: bool = True
    mapping: Columns

    @cached_property
    def rules(self) -> Rules:
        """Return the mapping in provisioning's form; names are those of columns."""
        return {field: FieldRule(source.column, source.format) for field, source in self.mapping.fields.items()}


def dump(settings: SFTPSettings) -> dict[str, Any]:
    """Return the settings as plain JSON, the form in which drafts and versions are kept."""
    return settings.model_dump(mode="json", exclude_none=True)
