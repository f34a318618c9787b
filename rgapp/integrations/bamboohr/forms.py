"""The forms of the BambooHR set-up: how we get in, and who is taken."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from wtforms import PasswordField, RadioField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # The stubs are older.
from wtforms.validators import ValidationError as FieldError
from wtforms.widgets import CheckboxInput, ListWidget

from rgapp.integrations.bamboohr.declared import API_KEY, OAUTH
from rgapp.integrations.bamboohr.settings import MOST_VALUES, SUBDOMAIN, VALUE_LENGTH
from rgapp.integrations.base import SettingsError
from rgapp.integrations.forms import DraftForm, trimmed
from rgapp.integrations.pulls.access import Secrets
from rgapp.integrations.service import check_name

SECRET_LENGTH: Final = 500
ADDRESS: Final = re.compile(r"(?:https?://)?(?P<subdomain>[^./]+)\.bamboohr\.com(?:/.*)?", re.IGNORECASE)


class ConnectForm(DraftForm):
    """What it is called, which BambooHR is meant, and what lets us in."""

    name = StringField("Name", description="How it is called here and in the history of people.", filters=[trimmed])
    subdomain = StringField("Sub-domain", filters=[trimmed])
    method = RadioField(
        "How do we get in?",
        choices=[SelectChoice(API_KEY, "With an API key"), SelectChoice(OAUTH, "With consent (OAuth)")],
        default=API_KEY,
    )
    api_key = PasswordField("API key", filters=[trimmed])
    client_id = StringField("Client ID", filters=[trimmed])
    client_secret = PasswordField("Client secret", filters=[trimmed])

    kept: Secrets | None = None

    def fill(self, name: str, settings: Mapping[str, Any]) -> None:
        """Fill the form from a draft and from what is kept; secrets are not shown again."""
        self.name.data = name
        self.subdomain.data = settings.get("subdomain") or ""
        if self.kept is not None:
            self.method.data = self.kept.method
            self.client_id.data = self.kept.values.get("client_id", "")

    def parts(self) -> dict[str, Any]:
        """Return what goes into the draft."""
        return {"subdomain": (self.subdomain.data or "").lower()}

    def secrets(self) -> Secrets | None:
        """Return what was typed to be kept from now on; None where what is kept stays."""
        if self.method.data == API_KEY:
            return Secrets(API_KEY, {"api_key": self.api_key.data}) if self.api_key.data else None
        if not self.client_secret.data and self._same_client():
            return None
        given = {"client_id": self.client_id.data or "", "client_secret": self.client_secret.data or ""}
        return Secrets(OAUTH, given)

    def validate_name(self, field: StringField) -> None:
        """Refuse a name that cannot be shown."""
        try:
            check_name(field.data or "")
        except SettingsError as error:
            raise FieldError(error.problems[0].message) from error

    def validate_subdomain(self, field: StringField) -> None:
        """Accept the whole address too, and take the sub-domain from it."""
        if not field.data:
            raise FieldError("Write the part before .bamboohr.com.")
        address = ADDRESS.fullmatch(field.data)
        if address is not None:
            field.data = address["subdomain"]
        if not re.fullmatch(SUBDOMAIN, field.data):
            raise FieldError("This is the part before .bamboohr.com only: letters, digits and dashes.")

    def validate_api_key(self, field: PasswordField) -> None:
        """Ask for a key where none is kept."""
        if self.method.data != API_KEY:
            return
        if not field.data and (self.kept is None or self.kept.method != API_KEY):
            raise FieldError("Paste the API key.")
        _check_secret(field.data)

    def validate_client_id(self, field: StringField) -> None:
        """Ask for the application where a consent is wanted."""
        if self.method.data == OAUTH and not field.data:
            raise FieldError("Paste the client ID of the application.")
        _check_secret(field.data)

    def validate_client_secret(self, field: PasswordField) -> None:
        """Ask for the application's secret where none is kept for it."""
        if self.method.data != OAUTH:
            return
        if not field.data and not self._same_client():
            raise FieldError("Paste the client secret of the application.")
        _check_secret(field.data)

    def _same_client(self) -> bool:
        kept = self.kept
        return kept is not None and kept.method == OAUTH and kept.values.get("client_id") == self.client_id.data


class Checks(SelectMultipleField):
    """Several values, each with a box to tick; what is typed by hand is taken as it is."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()

    def __init__(self, label: str, **options: Any) -> None:
        super().__init__(label, choices=[], validate_choice=False, **options)


class WhoForm(DraftForm):
    """Who is taken: where nothing is ticked, everybody."""

    status = Checks("Status")
    employment_type = Checks("Employment type")
    country = Checks("Country")
    department = Checks("Department")

    def filters(self) -> list[Checks]:
        """Return the fields in their order."""
        return [self.status, self.employment_type, self.country, self.department]

    def fill(self, settings: Mapping[str, Any]) -> None:
        """Fill the form from a draft."""
        filters = settings.get("filters") or {}
        for field in self.filters():
            field.data = list(filters.get(field.name) or ())

    def offer(self, offered: Mapping[str, Sequence[str]]) -> None:
        """Offer the values that there are, and those that are ticked already."""
        for field in self.filters():
            values = dict.fromkeys([*offered.get(field.name, ()), *(field.data or ())])
            field.choices = [SelectChoice(value, value) for value in values]

    def parts(self) -> dict[str, Any]:
        """Return what goes into the draft."""
        return {"filters": {field.name: list(dict.fromkeys(field.data or ())) for field in self.filters()}}

    def validate(self, *args: Any, **kwargs: Any) -> bool:
        """Refuse what no filter can be."""
        good = bool(super().validate(*args, **kwargs))
        for field in self.filters():
            values = field.data or ()
            if len(values) > MOST_VALUES or any(not value.strip() or len(value) > VALUE_LENGTH for value in values):
                field.errors = [f"At most {MOST_VALUES} values, of at most {VALUE_LENGTH} characters each."]
                good = False
        return good


def _check_secret(value: str | None) -> None:
    if value and (len(value) > SECRET_LENGTH or not value.isprintable() or not value.isascii()):
        raise FieldError("Copy it again: it has characters in it that none of these has.")
