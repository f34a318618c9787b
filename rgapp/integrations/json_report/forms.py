"""The form of the set-up of a JSON report: where it is, what opens it, and where in it the people are."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import ValidationError
from wtforms import PasswordField, RadioField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # The stubs are older.
from wtforms.validators import ValidationError as FieldError

from rgapp.integrations.base import SettingsError, problems_of
from rgapp.integrations.forms import DraftForm, trimmed
from rgapp.integrations.json_report.declared import BASIC, BEARER
from rgapp.integrations.json_report.settings import JSONReportSettings
from rgapp.integrations.pulls.access import Secrets
from rgapp.integrations.service import check_name

SECRET_LENGTH: Final = 4000
ANY_MAPPING: Final = {"membership_no": {"field": "a"}, "email": {"field": "b"}}


class ConnectForm(DraftForm):
    """What it is called, where it is, and what opens it."""

    name = StringField("Name", description="How it is called here and in the history of people.", filters=[trimmed])
    url = StringField("Address of the report", filters=[trimmed])
    list = StringField("Where the people are", filters=[trimmed])
    method = RadioField(
        "What opens it?",
        choices=[
            SelectChoice(BASIC, "A user name and a password"),
            SelectChoice(BEARER, "A token"),
        ],
        default=BASIC,
    )
    username = StringField("User name", filters=[trimmed])
    password = PasswordField("Password")
    token = PasswordField("Token", filters=[trimmed])

    kept: Secrets | None = None
    kept_for: str = ""

    def fill(self, name: str, settings: Mapping[str, Any]) -> None:
        """Fill the form from a draft and from what is kept; secrets are not shown again."""
        self.name.data, self.url.data = name, settings.get("url") or ""
        self.list.data = settings.get("list") or ""
        if self.kept is not None:
            self.method.data = self.kept.method
            self.username.data = self.kept.values.get("username", "")

    def parts(self) -> dict[str, Any]:
        """Return what goes into the draft."""
        return {"url": self.url.data, "list": self.list.data or ""}

    def secrets(self) -> Secrets | None:
        """Return what was typed to be kept from now on; None where what is kept stays."""
        if self.method.data == BEARER:
            return Secrets(BEARER, {"token": self.token.data}) if self.token.data else None
        if not self.password.data:
            return None
        return Secrets(BASIC, {"username": self.username.data or "", "password": self.password.data})

    def validate_name(self, field: StringField) -> None:
        """Refuse a name that cannot be shown."""
        try:
            check_name(field.data or "")
        except SettingsError as error:
            raise FieldError(error.problems[0].message) from error

    def validate_url(self, field: StringField) -> None:
        """Refuse what is no address."""
        self._check(field, {"url": field.data or ""})

    def validate_list(self, field: StringField) -> None:
        """Refuse what is no path."""
        self._check(field, {"url": "https://reports.example/", "list": field.data or ""})

    def validate_username(self, field: StringField) -> None:
        """Ask for a user name with a password, and for the password with another user name."""
        if self.method.data == BASIC and not field.data:
            raise FieldError("Write the user name.")

    def validate_password(self, field: PasswordField) -> None:
        """Ask for a password where none is kept for this user name, and for another server: it is not sent there."""
        kept = self.kept.values.get("username") if self.kept is not None else None
        if self.method.data == BASIC and not field.data:
            if kept is None or kept != self.username.data:
                raise FieldError("Write the password.")
            self._check_place()
        _check_secret(field.data)

    def validate_token(self, field: PasswordField) -> None:
        """Ask for a token where none is kept, and for another server: the one that is kept is not sent there."""
        if self.method.data == BEARER and not field.data:
            if self.kept is None or self.kept.method != BEARER:
                raise FieldError("Paste the token.")
            self._check_place()
        _check_secret(field.data)

    def _check_place(self) -> None:
        if _place(self.url.data or "") != _place(self.kept_for):
            raise FieldError("The report is at another server now: give this once more.")

    def _check(self, field: StringField, parts: Mapping[str, Any]) -> None:
        try:
            JSONReportSettings.model_validate({"mapping": ANY_MAPPING} | dict(parts))
        except ValidationError as error:
            raise FieldError(problems_of(error)[0].message) from error


def _place(url: str) -> tuple[str, str]:
    """Return which server an address means; what is no address means none."""
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.netloc.lower()
    except ValueError:
        return "", ""


def _check_secret(value: str | None) -> None:
    if value and (len(value) > SECRET_LENGTH or not value.isprintable()):
        raise FieldError("Copy it again: it has characters in it that none of these has.")
