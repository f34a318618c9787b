"""The forms of the SFTP set-up: the account, a key, an example file, and what is in such a file."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from flask_wtf.file import FileField
from wtforms import BooleanField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # The stubs are older.
from wtforms.validators import ValidationError as FieldError

from rgapp.integrations.base import SettingsError
from rgapp.integrations.forms import DraftForm, trimmed
from rgapp.integrations.mapped import LABELS
from rgapp.integrations.service import check_name
from rgapp.integrations.sftp.accounts import NAME_LENGTH
from rgapp.integrations.sftp.settings import COLUMN_LENGTH, MOST_VALUES, VALUE_LENGTH, Hold, value_key
from rgapp.provisioning.record import MANDATORY, Field
from rgapp.provisioning.validation import is_date_format

NOTHING: Final = ""
FULL, CHANGES = "full", "changes"


class AccountForm(DraftForm):
    """What the integration is called."""

    name = StringField("Name", description="How it is called here and in the history of people.", filters=[trimmed])

    def validate_name(self, field: StringField) -> None:
        """Refuse a name that cannot be shown."""
        try:
            check_name(field.data or "")
        except SettingsError as error:
            raise FieldError(error.problems[0].message) from error


class PasswordForm(DraftForm):
    """A new password, which we make."""

    at_once = BooleanField("End the present password at once")


class KeyForm(DraftForm):
    """A public key that opens the account."""

    key_name = StringField("Name of the key", filters=[trimmed], description="Whose it is, such as “Payroll server”.")
    public_key = TextAreaField("Public key", filters=[trimmed])

    def validate_key_name(self, field: StringField) -> None:
        """Keep names short and visible."""
        if len(field.data or "") > NAME_LENGTH:
            raise FieldError(f"Use at most {NAME_LENGTH} characters.")
        if not (field.data or "").isprintable():
            raise FieldError("Use letters, numbers and spaces.")

    def validate_public_key(self, field: TextAreaField) -> None:
        """Ask for a key; whether it is one, whoever reads it says."""
        if not field.data:
            raise FieldError("Paste the public key, the line that begins with ssh-ed25519 or ssh-rsa.")


class ExampleForm(DraftForm):
    """An example file from this computer."""

    file = FileField("Example file")

    def validate_file(self, field: FileField) -> None:
        """Ask for a file."""
        if not field.data or not field.data.filename:
            raise FieldError("Choose a file as your HR system exports it.")


class ContentForm(DraftForm):
    """What is in a file: which column each field comes from, who leaves, and what the integration may do."""

    date_format = RadioField("How are the dates written?", choices=[], validate_choice=False)
    full_file = RadioField(
        "What does a file hold?",
        choices=[
            SelectChoice(FULL, "Everybody who works there"),
            SelectChoice(CHANGES, "Only what has changed"),
        ],
        default=FULL,
    )
    status_column = SelectField("Status column", choices=[], validate_choice=False)
    leaver = TextAreaField("Values that mean that somebody has left", filters=[trimmed])
    hold = RadioField(
        "When a file looks wrong",
        choices=[
            SelectChoice(Hold.EVERYTHING.value, "Nothing of it is applied before somebody has looked"),
            SelectChoice(Hold.DEACTIVATIONS.value, "Only those who would leave wait"),
        ],
        default=Hold.EVERYTHING.value,
    )
    welcome_email = BooleanField("Send a welcome e-mail to new users")
    provision_master = BooleanField("Provision Master: this integration owns the fields it brings")

    def rows(self) -> list[tuple[Field, SelectField]]:
        """Return each of our fields with its form field."""
        return [(field, self[f"{field.value}_column"]) for field in Field]

    def fill(self, settings: Mapping[str, Any], guessed: Mapping[str, str], leaver: Sequence[str]) -> bool:
        """Fill the form from a draft, and what is not mapped at all yet from guesses; tells whether it guessed."""
        mapping = settings.get("mapping") or {}
        guesses = guessed if not mapping else {}
        for field, select in self.rows():
            select.data = (mapping.get(field.value) or {}).get("column") or guesses.get(field.value, NOTHING)
        self.date_format.data = (mapping.get(Field.DATE_OF_BIRTH.value) or {}).get("format")
        status = mapping.get("status") or {}
        self.full_file.data = FULL if settings.get("full_file", True) else CHANGES
        self.status_column.data = status.get("column") or guesses.get("status", NOTHING)
        self.leaver.data = "\n".join(map(str, status.get("leaver") or (leaver if guesses.get("status") else ())))
        self.hold.data = settings.get("hold") or Hold.EVERYTHING.value
        self.welcome_email.data = bool(settings.get("welcome_email", True))
        self.provision_master.data = bool(settings.get("provision_master", True))
        return bool(guesses)

    def offer(self, columns: Sequence[str], formats: Sequence[tuple[str, str]]) -> None:
        """Offer the columns of the example, those that are chosen already, and the date formats."""
        for field, select in self.rows():
            none = "Choose a column" if field in MANDATORY else "No column: it stays empty"
            select.choices = _choices(columns, select.data, none)
        self.status_column.choices = _choices(columns, self.status_column.data, "No status column")
        self.date_format.choices = [SelectChoice(*one) for one in formats]

    def column_of(self, field: Field) -> str:
        """Return the chosen column of one field, empty for none."""
        return str(self[f"{field.value}_column"].data or NOTHING)

    def leaver_values(self) -> list[str]:
        """Return the values that mean that somebody has left, each once."""
        found: dict[str, str] = {}
        for line in (self.leaver.data or "").splitlines():
            if line.strip():
                found.setdefault(value_key(line), line.strip())
        return list(found.values())

    def parts(self) -> dict[str, Any]:
        """Return what goes into the draft; what has no column is left out."""
        mapping: dict[str, Any] = {
            field.value: {"column": column} for field in Field if (column := self.column_of(field)) != NOTHING
        }
        if Field.DATE_OF_BIRTH.value in mapping and self.date_format.data:
            mapping[Field.DATE_OF_BIRTH.value]["format"] = self.date_format.data
        if self.status_column.data:
            mapping["status"] = {"column": self.status_column.data, "leaver": self.leaver_values()}
        return {
            "mapping": mapping,
            "full_file": self.full_file.data == FULL,
            "hold": self.hold.data,
            "welcome_email": bool(self.welcome_email.data),
            "provision_master": bool(self.provision_master.data),
        }

    def validate_date_format(self, field: RadioField) -> None:
        """Ask how dates are written wherever they are mapped: no sample can tell."""
        if not self.column_of(Field.DATE_OF_BIRTH):
            return
        if not field.data:
            raise FieldError("Say how the dates are written: no file tells 3 April from 4 March.")
        if not is_date_format(field.data):
            raise FieldError("Choose one of the formats.")

    def validate_status_column(self, field: SelectField) -> None:
        """Ask for a status column where absence says nothing."""
        if self.full_file.data == CHANGES and not field.data:
            raise FieldError("Choose the column that says who has left: in a file of changes, nobody else tells.")
        chosen = [self.column_of(one) for one in Field]
        if field.data and field.data in chosen:
            raise FieldError("This column is one of the fields above already.")

    def validate_leaver(self, field: TextAreaField) -> None:
        """Ask for the values where there is a status column."""
        if not self.status_column.data:
            return
        values = self.leaver_values()
        if not values:
            raise FieldError("Write at least one value that means that somebody has left, each on a line of its own.")
        if len(values) > MOST_VALUES or any(len(value) > VALUE_LENGTH for value in values):
            raise FieldError(f"At most {MOST_VALUES} values, of at most {VALUE_LENGTH} characters each.")


def _choices(columns: Sequence[str], chosen: str | None, none: str) -> list[SelectChoice]:
    names = list(dict.fromkeys([*columns, *([chosen] if chosen else [])]))
    return [SelectChoice(NOTHING, none), *(SelectChoice(name, name) for name in names)]


def _check_column(form: ContentForm, field: SelectField) -> None:
    """Refuse the same column twice, and what cannot be a name."""
    if not field.data:
        return
    if len(field.data) > COLUMN_LENGTH:
        raise FieldError(f"A name of at most {COLUMN_LENGTH} characters.")
    earlier = [select for _, select in form.rows() if select is not field and select.data == field.data]
    if earlier:
        raise FieldError("Another field comes from this column already.")


def _add_rows() -> None:
    """Give the form a field for each of ours, so that both sides keep one list of fields."""
    for field in Field:
        select = SelectField(LABELS[field], choices=[], validate_choice=False, validators=[_check_column])
        setattr(ContentForm, f"{field.value}_column", select)


_add_rows()
