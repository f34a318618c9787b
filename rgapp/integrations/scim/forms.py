"""The forms of the SCIM set-up: Connect, a new token, Mapping, and a pasted user."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Final

from wtforms import BooleanField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # The stubs are older.
from wtforms.validators import ValidationError as FieldError

from rgapp.integrations.base import SettingsError
from rgapp.integrations.forms import DraftForm, trimmed
from rgapp.integrations.mapped import LABELS
from rgapp.integrations.scim.paths import parse
from rgapp.integrations.scim.presets import EMPLOYEE_NUMBER
from rgapp.integrations.scim.settings import DEFAULT_MAPPING, ISO_DATE, OnDelete
from rgapp.integrations.scim.tokens import LABEL_LENGTH, USUAL_LIFETIME
from rgapp.integrations.service import check_name
from rgapp.provisioning.record import MANDATORY, Field
from rgapp.provisioning.validation import is_date_format

NOTHING: Final = ""
OTHER: Final = "other"
#: What clients usually send for each of our fields, with words for it.
USUAL: Final[Mapping[Field, tuple[tuple[str, str], ...]]] = {
    Field.MEMBERSHIP_NO: (
        ("externalId", "externalId"),
        ("userName", "userName"),
        (EMPLOYEE_NUMBER, "Employee number (enterprise extension)"),
    ),
    Field.EMAIL: (
        ("emails[primary eq true].value", "The primary e-mail address"),
        ('emails[type eq "work"].value', "The work e-mail address"),
        ("userName", "userName"),
    ),
    Field.FIRST_NAME: (("name.givenName", "name.givenName"),),
    Field.LAST_NAME: (("name.familyName", "name.familyName"),),
    Field.DATE_OF_BIRTH: ((DEFAULT_MAPPING[Field.DATE_OF_BIRTH]["attribute"], "Our extension: dateOfBirth"),),
}
LIFETIMES: Final[Mapping[str, tuple[str, timedelta | None]]] = {
    "90": ("90 days", timedelta(days=90)),
    "180": ("180 days", timedelta(days=180)),
    "365": ("One year", USUAL_LIFETIME),
    "730": ("Two years", timedelta(days=730)),
    "none": ("Until it is revoked", None),
}
LONGEST_RESOURCE: Final = 200_000


class ConnectForm(DraftForm):
    """What the connection is called, and what it may do."""

    name = StringField("Name", description="How it is called here and in the history of people.", filters=[trimmed])
    welcome_email = BooleanField("Send a welcome e-mail to new users")
    provision_master = BooleanField("Provision Master: this connection owns the fields it brings")
    on_delete = RadioField(
        "When the client deletes a user",
        choices=[
            SelectChoice(OnDelete.DEACTIVATE.value, "The person becomes a leaver"),
            SelectChoice(OnDelete.DETACH.value, "The account stays as it is"),
        ],
        default=OnDelete.DEACTIVATE.value,
    )

    def fill(self, name: str, settings: Mapping[str, Any]) -> None:
        """Fill the form from a draft."""
        self.name.data = name
        self.welcome_email.data = bool(settings.get("welcome_email", True))
        self.provision_master.data = bool(settings.get("provision_master", True))
        self.on_delete.data = settings.get("on_delete") or OnDelete.DEACTIVATE.value

    def parts(self) -> dict[str, Any]:
        """Return what goes into the draft."""
        return {
            "welcome_email": bool(self.welcome_email.data),
            "provision_master": bool(self.provision_master.data),
            "on_delete": self.on_delete.data,
        }

    def validate_name(self, field: StringField) -> None:
        """Refuse a name that cannot be shown."""
        try:
            check_name(field.data or "")
        except SettingsError as error:
            raise FieldError(error.problems[0].message) from error


class TokenForm(DraftForm):
    """A new bearer token."""

    label = StringField("Label", filters=[trimmed], description="What it is for, such as “Entra, production”.")
    lifetime = SelectField(
        "Valid for", choices=[SelectChoice(key, words) for key, (words, _) in LIFETIMES.items()], default="365"
    )

    def duration(self) -> timedelta | None:
        """Return how long the token works; None until somebody revokes it."""
        return LIFETIMES[self.lifetime.data][1]

    def validate_label(self, field: StringField) -> None:
        """Keep labels short and visible."""
        if len(field.data or "") > LABEL_LENGTH:
            raise FieldError(f"Use at most {LABEL_LENGTH} characters.")
        if not (field.data or "").isprintable():
            raise FieldError("Use letters, numbers and spaces.")


class MappingForm(DraftForm):
    """Which SCIM attribute each of our five fields comes from."""

    date_format = SelectField("Date format", choices=[], validate_choice=False)

    def rows(self) -> list[tuple[Field, Any, Any]]:
        """Return each of our fields with its two form fields: a usual attribute, and another one's path."""
        return [(field, self[f"{field.value}_source"], self[f"{field.value}_attribute"]) for field in Field]

    def fill(self, settings: Mapping[str, Any]) -> None:
        """Fill the form from a draft."""
        mapping = settings.get("mapping") or {}
        for field, source, attribute in self.rows():
            path = (mapping.get(field.value) or {}).get("attribute") or ""
            known = path in {value for value, _ in USUAL[field]}
            source.data = path if known else OTHER if path or field in MANDATORY else NOTHING
            attribute.data = "" if known else path
        birth = mapping.get(Field.DATE_OF_BIRTH.value) or {}
        self.date_format.data = birth.get("format") or ISO_DATE

    def path_of(self, field: Field) -> str:
        """Return the chosen path of one field, empty for none."""
        source, attribute = self[f"{field.value}_source"].data, self[f"{field.value}_attribute"].data
        return str(attribute or "") if source == OTHER else str(source or "")

    def mapping(self) -> dict[str, Any]:
        """Return the mapping as the draft keeps it; rows without a source are left out."""
        found: dict[str, Any] = {
            field.value: {"attribute": path} for field in Field if (path := self.path_of(field)) != NOTHING
        }
        if Field.DATE_OF_BIRTH.value in found:
            found[Field.DATE_OF_BIRTH.value]["format"] = self.date_format.data
        return found

    def offer_formats(self, formats: Iterable[tuple[str, str]]) -> None:
        """Offer date formats with their labels."""
        self.date_format.choices = [SelectChoice(*one) for one in formats]

    def validate_date_format(self, field: SelectField) -> None:
        """Accept a format that names day, month and four-digit year."""
        if not is_date_format(field.data or ""):
            raise FieldError("Choose how the date of birth is written.")


def _check_attribute(form: MappingForm, field: StringField) -> None:
    if form[field.name.removesuffix("_attribute") + "_source"].data != OTHER or not field.data:
        return
    try:
        parse(field.data)
    except ValueError as error:
        raise FieldError(str(error)) from error


def _add_rows() -> None:
    """Give the form two fields for each of ours, so that both sides keep one list of fields."""
    for field in Field:
        choices = [SelectChoice(value, words) for value, words in USUAL[field]]
        choices.append(SelectChoice(OTHER, "Another attribute"))
        if field not in MANDATORY:
            choices.append(SelectChoice(NOTHING, "Nothing: leave it empty"))
        source = SelectField(f"{LABELS[field]}: comes from", choices=choices)
        attribute = StringField(f"{LABELS[field]}: attribute", filters=[trimmed], validators=[_check_attribute])
        setattr(MappingForm, f"{field.value}_source", source)
        setattr(MappingForm, f"{field.value}_attribute", attribute)


_add_rows()


class PasteForm(DraftForm):
    """A user resource as JSON, for a dry run."""

    resource = TextAreaField("User as JSON", filters=[trimmed])

    def validate_resource(self, field: TextAreaField) -> None:
        """Ask for something of a sensible size."""
        if not field.data:
            raise FieldError("Paste a user as your SCIM client sends it.")
        if len(field.data) > LONGEST_RESOURCE:
            raise FieldError("This is too large to be one user.")
