"""The Mapping and Testing forms of the inbound SAML set-up."""

from collections.abc import Iterable, Mapping
from typing import Any

from wtforms import BooleanField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # The stubs are older.
from wtforms.validators import ValidationError as FieldError

from rgapp.integrations.forms import DraftForm, trimmed
from rgapp.integrations.saml.limits import MAX_BASE64
from rgapp.provisioning.record import MANDATORY, Field
from rgapp.provisioning.validation import is_date_format

NOTHING, ATTRIBUTE, NAME_ID = "", "attribute", "name_id"
LONGEST_ATTRIBUTE = 300


class MappingForm(DraftForm):
    """Where each of our five fields comes from, and what a sign-in may write."""

    date_format = SelectField("Date format", choices=[], validate_choice=False)
    jit_create = BooleanField("Just-In-Time provisioning: create an account on the first sign-in")
    jit_update = BooleanField("Update details on sign-in")
    welcome_email = BooleanField("Send a welcome e-mail")

    def rows(self) -> list[tuple[Field, Any, Any]]:
        """Return each of our fields with its two form fields: where it comes from, and the attribute's name."""
        return [(field, self[f"{field.value}_source"], self[f"{field.value}_attribute"]) for field in Field]

    def fill(self, settings: Mapping[str, Any], usual_format: str) -> None:
        """Fill the form from a draft."""
        mapping, jit = settings.get("mapping") or {}, settings.get("jit") or {}
        for field, source, attribute in self.rows():
            entry = mapping.get(field.value) or {}
            attribute.data = entry.get("attribute") or ""
            source.data = NAME_ID if entry.get("name_id") else ATTRIBUTE if entry else NOTHING
            if field in MANDATORY and not entry:
                source.data = ATTRIBUTE
        birth = mapping.get(Field.DATE_OF_BIRTH.value) or {}
        self.date_format.data = birth.get("format") or usual_format
        self.jit_create.data = bool(jit.get("create"))
        self.jit_update.data = bool(jit.get("update"))
        self.welcome_email.data = bool(jit.get("welcome_email", True))

    def mapping(self) -> dict[str, Any]:
        """Return the mapping as the draft keeps it; rows without a source are left out."""
        found: dict[str, Any] = {}
        for field, source, attribute in self.rows():
            if source.data == NAME_ID:
                found[field.value] = {"name_id": True}
            elif source.data == ATTRIBUTE and attribute.data:
                found[field.value] = {"attribute": attribute.data}
        if Field.DATE_OF_BIRTH.value in found:
            found[Field.DATE_OF_BIRTH.value]["format"] = self.date_format.data
        return found

    def jit(self) -> dict[str, bool]:
        """Return what a sign-in may write."""
        created, updated, mailed = self.jit_create.data, self.jit_update.data, self.welcome_email.data
        return {"create": created, "update": updated, "welcome_email": mailed}

    def offer_formats(self, formats: Iterable[tuple[str, str]]) -> None:
        """Offer date formats with their labels."""
        self.date_format.choices = [SelectChoice(*one) for one in formats]

    def validate_date_format(self, field: SelectField) -> None:
        """Accept a format that names day, month and four-digit year."""
        if not is_date_format(field.data or ""):
            raise FieldError("Choose how the date of birth is written.")


def _check_attribute(form: MappingForm, field: StringField) -> None:
    name = field.data or ""
    source = form[field.name.removesuffix("_attribute") + "_source"].data
    if source == ATTRIBUTE and len(name) > LONGEST_ATTRIBUTE:
        raise FieldError(f"An attribute name has at most {LONGEST_ATTRIBUTE} characters.")
    if source == ATTRIBUTE and not name.isprintable():
        raise FieldError("This contains invisible characters. Type the name again.")


def _add_rows() -> None:
    """Give the form two fields for each of ours, so that both sides keep one list of fields."""
    from rgapp.integrations.mapped import LABELS

    for field in Field:
        choices = [SelectChoice(ATTRIBUTE, "An attribute"), SelectChoice(NAME_ID, "The NameID")]
        if field not in MANDATORY:
            choices.append(SelectChoice(NOTHING, "Nothing: leave it empty"))
        source = SelectField(f"{LABELS[field]}: comes from", choices=choices, default=ATTRIBUTE)
        attribute = StringField(f"{LABELS[field]}: attribute name", filters=[trimmed], validators=[_check_attribute])
        setattr(MappingForm, f"{field.value}_source", source)
        setattr(MappingForm, f"{field.value}_attribute", attribute)


_add_rows()


class PasteForm(DraftForm):
    """A SAMLResponse for a dry run."""

    response = TextAreaField("SAMLResponse", filters=[trimmed])

    def validate_response(self, field: TextAreaField) -> None:
        """Ask for something of a sensible size."""
        if not field.data:
            raise FieldError("Paste the SAMLResponse that your identity provider sent.")
        if len(field.data) > 2 * MAX_BASE64:
            raise FieldError("This is too large to be a SAMLResponse.")
