"""Forms of the inbound SAML set-up; what is empty may be saved in a draft, what is wrong may not."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from flask_wtf.file import FileField
from pydantic import ValidationError
from wtforms import (
    BooleanField,
    HiddenField,
    MultipleFileField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # The stubs are older.
from wtforms.validators import ValidationError as FieldError

from rgapp.integrations.base import SettingsError
from rgapp.integrations.forms import DraftForm, trimmed
from rgapp.integrations.saml.certificates import CertificateError, read_certificates
from rgapp.integrations.saml.connection import Binding, Signed
from rgapp.integrations.saml.settings import MOST_CERTIFICATES, IdentityProvider, check_url
from rgapp.integrations.saml.understood import certificate_rows, certificate_sentence
from rgapp.integrations.service import check_name

WAYS = (
    SelectChoice("keep", "Keep what is saved"),
    SelectChoice("file", "Upload a metadata file"),
    SelectChoice("url", "Give a metadata address"),
    SelectChoice("hand", "Enter the details by hand"),
)
PARAMETER = "Use letters, digits, dots, hyphens and underscores, at most 64."


class InitialForm(DraftForm):
    """Initial set-up: the name, the identity provider in one of three ways, and how sign-in works."""

    name = StringField(
        "Name",
        description="Employees see it on the button: “Sign in with …”.",
        filters=[trimmed],
    )
    way = RadioField("How do you give us your identity provider’s details?", choices=list(WAYS), default="file")
    metadata_file = FileField("Metadata file")
    metadata_url = StringField("Metadata address", filters=[trimmed])
    entity_id = StringField("entityID of the identity provider", filters=[trimmed])
    sso_url = StringField("Sign-in address", filters=[trimmed])
    sso_binding = SelectField(
        "How requests are sent there",
        choices=[SelectChoice(Binding.REDIRECT.value, "Redirect (usual)"), SelectChoice(Binding.POST.value, "POST")],
        default=Binding.REDIRECT.value,
    )
    slo_url = StringField("Sign-out address", filters=[trimmed])
    want_signed_requests = BooleanField("Requests have to be signed by us")
    remove = SelectMultipleField("Certificates to remove", choices=[], validate_choice=False)
    certificates = TextAreaField("Add certificates by pasting")
    certificate_files = MultipleFileField("Add certificates from files")
    signed = RadioField(
        "What does the identity provider sign?",
        choices=[
            SelectChoice(Signed.ASSERTION.value, "The assertion"),
            SelectChoice(Signed.RESPONSE.value, "The whole response"),
            SelectChoice(Signed.EITHER.value, "Either will do"),
        ],
        default=Signed.ASSERTION.value,
    )
    sp_initiated = BooleanField("Sign-in starts here", default=True)
    idp_initiated = BooleanField("Sign-in starts at the identity provider")
    parameter_name = StringField("Parameter name", default="SAMLResponse", filters=[trimmed])

    def __init__(self, *args: Any, saved: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.saved = dict(saved or {})
        self.pems: list[str] = list(self.saved.get("certificates") or [])
        if not self.has_saved:
            self.way.choices = [choice for choice in WAYS if choice.value != "keep"]

    @property
    def has_saved(self) -> bool:
        """Tell whether the draft knows an identity provider already."""
        return bool(self.saved.get("entity_id") or self.saved.get("certificates") or self.saved.get("sso_url"))

    def settle_way(self) -> None:
        """Follow what was filled in where the choice was left alone: nothing that was given is silently ignored."""
        if self.way.data not in {"keep", None}:
            return
        if self.metadata_file.data:
            self.way.data = "file"
        elif self.metadata_url.data and self.metadata_url.data != self.saved.get("metadata_url"):
            self.way.data = "url"
        elif self.remove.data or self.certificates.data or any(self.certificate_files.data or ()):
            self.way.data = "hand"

    def validate_name(self, field: StringField) -> None:
        """Accept a name that a button can show."""
        try:
            field.data = check_name(field.data or "")
        except SettingsError as error:
            raise FieldError(error.problems[0].message) from error

    def validate_metadata_file(self, field: FileField) -> None:
        """Ask for the file where this way was chosen."""
        if self.way.data == "file" and not field.data:
            raise FieldError("Choose the metadata file, or another way.")

    def validate_metadata_url(self, field: StringField) -> None:
        """Ask for a full address where this way was chosen."""
        if self.way.data != "url":
            return
        if not field.data:
            raise FieldError("Give the address of the metadata, or choose another way.")
        _check_address(field)

    def validate_sso_url(self, field: StringField) -> None:
        """Accept an empty or a full address."""
        self._by_hand(field)

    def validate_slo_url(self, field: StringField) -> None:
        """Accept an empty or a full address."""
        self._by_hand(field)

    def validate_entity_id(self, field: StringField) -> None:
        """Accept what the schema accepts, or nothing yet."""
        if self.way.data == "hand" and len(field.data or "") > 1024:
            raise FieldError("An entityID has at most 1,024 characters.")

    def validate_certificates(self, field: TextAreaField) -> None:
        """Read pasted certificates; a private key is not kept, not even in the form."""
        if self.way.data == "hand" and trimmed(field.data):
            self._add_certificates(field, field.data or "")

    def validate_certificate_files(self, field: MultipleFileField) -> None:
        """Read uploaded certificates."""
        if self.way.data == "hand":
            for file in field.data or ():
                if file and getattr(file, "filename", ""):
                    self._add_certificates(field, file.read())

    def validate_parameter_name(self, field: StringField) -> None:
        """Accept what a form field can be called."""
        field.data = field.data or "SAMLResponse"
        plain = field.data.replace("_", "").replace(".", "").replace("-", "")
        if len(field.data) > 64 or not (plain.isascii() and plain.isalnum()):
            raise FieldError(PARAMETER)

    def validate_sp_initiated(self, field: BooleanField) -> None:
        """Ask for at least one place where sign-in may start."""
        if not field.data and not self.idp_initiated.data:
            raise FieldError("Choose at least one place where sign-in may start.")

    def kept_certificates(self) -> list[str]:
        """Return the certificates that stay, with those added, each once."""
        gone = set(self.remove.data or ())
        return [row.certificate.pem for row in _rows(self.pems) if row.certificate.fingerprint_sha256 not in gone]

    def hand_settings(self) -> dict[str, Any]:
        """Return the identity provider as entered by hand; what is empty is left out."""
        typed = {name: self[name].data for name in ("entity_id", "sso_url", "sso_binding", "slo_url")}
        found: dict[str, Any] = {key: value for key, value in typed.items() if value}
        answers = self.saved.get("slo_response_url")
        if answers and found.get("slo_url") == self.saved.get("slo_url"):
            found["slo_response_url"] = answers  # Metadata named it; it has no field of its own.
        signed = {"want_signed_requests": self.want_signed_requests.data}
        return found | signed | {"certificates": self.kept_certificates()}

    def keep_uploads(self) -> None:
        """Move certificates that were uploaded well into the text, because browsers do not fill in files again."""
        if self.certificate_files.errors or self.way.data != "hand":
            return
        given = {row.certificate.pem for row in _rows([trimmed(self.certificates.data)])}
        saved = set(self.saved.get("certificates") or ())
        uploaded = [pem for pem in self.pems if pem not in saved | given]
        if uploaded:
            self.certificates.data = "\n".join([trimmed(self.certificates.data), *uploaded]).strip()

    def options(self) -> dict[str, Any]:
        """Return the parts of the draft beside the identity provider."""
        parts = {"signed": self.signed.data, "sp_initiated": self.sp_initiated.data}
        return parts | {"idp_initiated": self.idp_initiated.data, "parameter_name": self.parameter_name.data}

    def _by_hand(self, field: StringField) -> None:
        if self.way.data == "hand" and field.data:
            _check_address(field)

    def _add_certificates(self, field: Any, given: str | bytes) -> None:
        try:
            found = read_certificates(given)
        except CertificateError as error:
            if error.code == "private_key":
                self.certificates.data = ""
            raise FieldError(certificate_sentence(error)) from None
        fingerprints = {row.certificate.fingerprint_sha256 for row in _rows(self.pems)}
        self.pems += [one.pem for one in found if one.fingerprint_sha256 not in fingerprints]
        if len(self.kept_certificates()) > MOST_CERTIFICATES:
            raise FieldError(f"At most {MOST_CERTIFICATES} certificates can be kept. Remove those no longer used.")


class ConfirmForm(DraftForm):
    """Metadata as understood, before it is saved; carries what was typed and the understood settings through."""

    name = HiddenField(filters=[trimmed])
    way = HiddenField()
    metadata_url = HiddenField(filters=[trimmed])
    signed = HiddenField()
    sp_initiated = HiddenField()
    idp_initiated = HiddenField()
    parameter_name = HiddenField()
    understood = HiddenField()
    choice = RadioField("Which one is yours?", choices=[], validate_choice=False)

    def offer(self, names: Iterable[str]) -> None:
        """Offer these identity providers to choose from, by their number."""
        self.choice.choices = [SelectChoice(str(index), name) for index, name in enumerate(names)]

    def chosen(self) -> dict[str, Any] | None:
        """Return the identity provider that was confirmed, read by its schema again; None where it is not usable."""
        try:
            offered = json.loads(self.understood.data or "[]")
            index = int(self.choice.data or 0)
            picked = offered[index] if index >= 0 else {}
            read = IdentityProvider.model_validate({**picked, "metadata_url": self.metadata_url.data or None})
        except (ValueError, TypeError, IndexError, KeyError, ValidationError):
            return None
        return read.model_dump(mode="json", exclude_none=True)


def _check_address(field: StringField) -> None:
    try:
        if len(field.data or "") > 2000:
            raise ValueError("An address has at most 2,000 characters.")
        check_url(field.data or "")
    except ValueError as error:
        raise FieldError(str(error)) from error


def _rows(pems: list[str]) -> list[Any]:
    from rgapp.clock import utcnow

    return certificate_rows(pems, utcnow())
