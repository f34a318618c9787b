"""What an admin decides about every pull: when it runs, which field is what, and what is done when it looks wrong."""

from enum import StrEnum
from functools import cached_property
from typing import Annotated, Final

from pydantic import StringConstraints, model_validator

from rgapp.integrations.base import Strict
from rgapp.integrations.mapped import DateFormat, check_mapping
from rgapp.integrations.pulls.schedule import Schedule
from rgapp.provisioning.mapping import FieldRule, Rules
from rgapp.provisioning.record import Field

FIELD_LENGTH: Final = 200

FieldName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=FIELD_LENGTH)]


class Hold(StrEnum):
    """What a held run holds: everything, or its deactivations only."""

    EVERYTHING = "everything"
    DEACTIVATIONS = "deactivations"


class FieldSource(Strict):
    """Where one of our fields comes from: a field of theirs, another where it is empty, and how dates are written."""

    field: FieldName
    otherwise: FieldName | None = None
    format: DateFormat | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Return the fields of theirs in the order in which they count."""
        return (self.field, self.otherwise) if self.otherwise else (self.field,)


class Fields(Strict):
    """The mapping: each of our fields to one of theirs."""

    membership_no: FieldSource | None = None
    email: FieldSource | None = None
    first_name: FieldSource | None = None
    last_name: FieldSource | None = None
    date_of_birth: FieldSource | None = None

    @model_validator(mode="after")
    def _usable(self) -> "Fields":
        check_mapping(self.sources)
        for field, source in self.sources.items():
            if source.otherwise and field is not Field.EMAIL:
                raise ValueError(f"Only the e-mail address has a second choice, not {field.value}.")
        if self.date_of_birth is not None and self.date_of_birth.format is None:
            raise ValueError("Say how dates of birth are written, for example date_of_birth.format: %Y-%m-%d.")
        return self

    @cached_property
    def sources(self) -> dict[Field, FieldSource]:
        """Return the mapped fields, in our order."""
        found = ((field, getattr(self, field.value)) for field in Field)
        return {field: source for field, source in found if source is not None}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Return every field of theirs that is needed, each once."""
        return tuple(dict.fromkeys(name for source in self.sources.values() for name in source.names))

    @cached_property
    def rules(self) -> Rules:
        """Return the mapping in provisioning's form; names are those of their fields."""
        return {field: FieldRule(source.field, source.format) for field, source in self.sources.items()}


class PullSettings(Strict):
    """Everything that is decided about a pull, whatever the other side is.

    With `provision_master` the fields that are mapped belong to this integration while it is on: neither a sign-in nor
    a person changes them.
    """

    schedule: Schedule = Schedule.DAILY
    hold: Hold = Hold.EVERYTHING
    welcome_email: bool = True
    provision_master: bool = True
    mapping: Fields
