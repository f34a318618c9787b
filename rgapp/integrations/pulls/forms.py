"""The forms that the set-up of every pull has: which field is what, and when and how carefully it pulls."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from wtforms import BooleanField, RadioField, SelectField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # The stubs are older.
from wtforms.validators import ValidationError as FieldError

from rgapp.integrations.forms import DraftForm
from rgapp.integrations.mapped import LABELS
from rgapp.integrations.pulls.account import AccountField
from rgapp.integrations.pulls.schedule import Schedule
from rgapp.integrations.pulls.settings import FIELD_LENGTH, Hold
from rgapp.integrations.pulls.setup import SCHEDULES
from rgapp.integrations.sftp import headers
from rgapp.provisioning.record import MANDATORY, Field
from rgapp.provisioning.validation import is_date_format

NOTHING: Final = ""


class MappingForm(DraftForm):
    """Which of their fields each of ours comes from."""

    otherwise = SelectField("If it is empty", choices=[], validate_choice=False)
    date_format = SelectField("How are the dates written?", choices=[], validate_choice=False)

    def rows(self) -> list[tuple[Field, SelectField]]:
        """Return each of our fields with its form field."""
        return [(field, self[f"{field.value}_field"]) for field in Field]

    def fill(self, settings: Mapping[str, Any]) -> None:
        """Fill the form from a draft."""
        mapping = settings.get("mapping") or {}
        for field, select in self.rows():
            select.data = (mapping.get(field.value) or {}).get("field") or NOTHING
        self.otherwise.data = (mapping.get(Field.EMAIL.value) or {}).get("otherwise") or NOTHING
        self.date_format.data = (mapping.get(Field.DATE_OF_BIRTH.value) or {}).get("format")

    def guess(self, fields: Sequence[AccountField]) -> None:
        """Choose the fields whose labels say what they are."""
        found = headers.guess([field.label for field in fields])
        for field, select in self.rows():
            if field.value in found:
                select.data = fields[found[field.value]].name

    def offer(self, fields: Sequence[AccountField], usual: Iterable[str], formats: Sequence[tuple[str, str]]) -> None:
        """Offer their fields by label, the `usual` ones first, with those that are chosen already; and date formats."""
        for field, select in self.rows():
            none = "Choose a field" if field in MANDATORY else "No field: it stays empty"
            select.choices = choices(fields, usual, select.data, none)
        self.otherwise.choices = choices(fields, usual, self.otherwise.data, "Nothing: the person is refused")
        self.date_format.choices = [SelectChoice(*one) for one in formats]

    def field_of(self, field: Field) -> str:
        """Return the chosen field of theirs, empty for none."""
        return str(self[f"{field.value}_field"].data or NOTHING)

    def mapping(self) -> dict[str, Any]:
        """Return what goes into the draft; what has no field is left out."""
        found: dict[str, Any] = {field.value: {"field": name} for field in Field if (name := self.field_of(field))}
        if Field.EMAIL.value in found and self.otherwise.data:
            found[Field.EMAIL.value]["otherwise"] = self.otherwise.data
        if Field.DATE_OF_BIRTH.value in found and self.date_format.data:
            found[Field.DATE_OF_BIRTH.value]["format"] = self.date_format.data
        return found

    def validate_otherwise(self, field: SelectField) -> None:
        """Refuse the same field as a second choice."""
        if field.data and field.data == self.field_of(Field.EMAIL):
            raise FieldError("Choose another field than the first one.")
        _check_name(field)

    def validate_date_format(self, field: SelectField) -> None:
        """Ask how dates are written wherever they are mapped."""
        if not self.field_of(Field.DATE_OF_BIRTH):
            return
        if not field.data:
            raise FieldError("Say how the dates are written: no value tells 3 April from 4 March.")
        if not is_date_format(field.data):
            raise FieldError("Choose one of the formats.")


class ScheduleForm(DraftForm):
    """How often it pulls, what is done when a pull looks wrong, and what it may do."""

    schedule = RadioField(
        "How often?",
        choices=[SelectChoice(str(each), words) for each, words in SCHEDULES.items()],
        default=Schedule.DAILY.value,
    )
    hold = RadioField(
        "When a pull looks wrong",
        choices=[
            SelectChoice(Hold.EVERYTHING.value, "Nothing of it is applied before somebody has looked"),
            SelectChoice(Hold.DEACTIVATIONS.value, "Only those who would leave wait"),
        ],
        default=Hold.EVERYTHING.value,
    )
    welcome_email = BooleanField("Send a welcome e-mail to new users")
    provision_master = BooleanField("Provision Master: this integration owns the fields it brings")

    def fill(self, settings: Mapping[str, Any]) -> None:
        """Fill the form from a draft."""
        self.schedule.data = settings.get("schedule") or Schedule.DAILY.value
        self.hold.data = settings.get("hold") or Hold.EVERYTHING.value
        self.welcome_email.data = bool(settings.get("welcome_email", True))
        self.provision_master.data = bool(settings.get("provision_master", True))

    def parts(self) -> dict[str, Any]:
        """Return what goes into the draft."""
        return {
            "schedule": self.schedule.data,
            "hold": self.hold.data,
            "welcome_email": bool(self.welcome_email.data),
            "provision_master": bool(self.provision_master.data),
        }


def choices(fields: Sequence[AccountField], usual: Iterable[str], chosen: str | None, none: str) -> list[SelectChoice]:
    """Return their fields to choose from, by label: the usual ones in a group of their own, and what is chosen."""
    labels = {field.name: field.label for field in fields}
    if chosen:
        labels.setdefault(chosen, chosen)
    first = [name for name in dict.fromkeys(usual) if name in labels]
    rest = sorted(labels.keys() - set(first), key=lambda name: labels[name].casefold())
    groups = (("Usual", first), ("All other fields", rest)) if first and rest else ((None, [*first, *rest]),)
    found = [SelectChoice(NOTHING, none)]
    for group, names in groups:
        found += [SelectChoice(name, label_of(name, labels[name]), optgroup=group) for name in names]
    return found


def label_of(name: str, label: str) -> str:
    """Return how a field is offered: its label, with its name where that says more."""
    plain = "".join(letter for letter in label.casefold() if letter.isalnum())
    return label if name in {label, ""} or plain == name.casefold() else f"{label} ({name})"


def _check_name(field: SelectField) -> None:
    if field.data and len(field.data) > FIELD_LENGTH:
        raise FieldError(f"A name of at most {FIELD_LENGTH} characters.")


def _check_field(form: MappingForm, field: SelectField) -> None:
    """Refuse the same field twice, and what cannot be a name."""
    _check_name(field)
    if not field.data:
        return
    earlier = [select for _, select in form.rows() if select is not field and select.data == field.data]
    if earlier:
        raise FieldError("Another of our fields comes from this one already.")


def _add_rows() -> None:
    """Give the form a field for each of ours, so that both sides keep one list of fields."""
    for field in Field:
        select = SelectField(LABELS[field], choices=[], validate_choice=False, validators=[_check_field])
        setattr(MappingForm, f"{field.value}_field", select)


_add_rows()
