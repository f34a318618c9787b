"""What the mappings of all kinds have in common: mandatory fields have a source, dates a declared format."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Final, Protocol

from pydantic import AfterValidator

from rgapp.provisioning.record import MANDATORY, Field
from rgapp.provisioning.validation import DAY_FORMATS, format_label, is_date_format

EXAMPLE_DAY: Final = date(1990, 4, 3)
LABELS: Final = {
    Field.MEMBERSHIP_NO: "Membership No.",
    Field.EMAIL: "E-mail address",
    Field.FIRST_NAME: "First name",
    Field.LAST_NAME: "Last name",
    Field.DATE_OF_BIRTH: "Date of birth",
}


class HasFormat(Protocol):
    """Where one field comes from; only dates have a format."""

    @property
    def format(self) -> str | None:
        """Return the declared format of a date."""


def _known_format(value: str) -> str:
    if not is_date_format(value):
        raise ValueError("A date format names day, month and four-digit year once, for example %d/%m/%Y.")
    return value


DateFormat = Annotated[str, AfterValidator(_known_format)]


def check_mapping(mapping: Mapping[Field, HasFormat]) -> None:
    """Accept a mapping that can be used.

    Raises `ValueError` with a sentence.
    """
    missing = sorted(field.value for field in MANDATORY if field not in mapping)
    if missing:
        raise ValueError(f"These mandatory fields have no source yet: {', '.join(missing)}.")
    for field, source in mapping.items():
        if source.format and field is not Field.DATE_OF_BIRTH:
            raise ValueError(f"Only the date of birth has a format, not {field.value}.")


def missing_of_mapping(settings: Mapping[str, Any]) -> list[str]:
    """Return the mandatory fields that nothing is mapped to, by label."""
    mapping = settings.get("mapping") or {}
    return [f"where the {LABELS[field]} comes from" for field in Field if field in MANDATORY and field not in mapping]


def date_format_choices(usual: str, current: str | None) -> list[tuple[str, str]]:
    """Return the date formats to choose from, the region's usual one first, each with an example in long form."""
    formats = dict.fromkeys([usual, *DAY_FORMATS, *([current] if current else [])])
    example = f"{EXAMPLE_DAY.day} April {EXAMPLE_DAY.year}"
    return [(key, f"{format_label(key)}: {EXAMPLE_DAY.strftime(key)} is {example}") for key in formats]
