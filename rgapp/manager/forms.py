"""Forms of Reward Manager's own pages."""

from zoneinfo import available_timezones

from flask_wtf import FlaskForm
from wtforms import BooleanField, EmailField, IntegerField, PasswordField, RadioField, SelectField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # The stubs are older than wtforms.
from wtforms.validators import DataRequired, EqualTo, InputRequired, NumberRange

from rgapp.models import Colour, Region
from rgapp.wording_events import REGION_LABELS

LONGEST_INPUT = 500


class SignInForm(FlaskForm):  # type: ignore[misc]  # flask-wtf ships no types.
    """Sign in with e-mail and password."""

    email = EmailField("E-mail address", validators=[DataRequired("Enter your e-mail address.")])
    password = PasswordField("Password", validators=[DataRequired("Enter your password.")])


class NewPasswordForm(FlaskForm):  # type: ignore[misc]  # flask-wtf ships no types.
    """Choose a password, twice."""

    password = PasswordField("New password", validators=[DataRequired("Choose a password.")])
    again = PasswordField(
        "The same again", validators=[EqualTo("password", message="The two passwords are not the same.")]
    )


class CodeForm(FlaskForm):  # type: ignore[misc]  # flask-wtf ships no types.
    """The second step of signing in."""

    code = StringField("Code", validators=[DataRequired("Enter the code.")])


class EnrolForm(FlaskForm):  # type: ignore[misc]  # flask-wtf ships no types.
    """Confirm a new second step: a code of the app, and the password of whoever did not just give it."""

    code = StringField(
        "Code from the app",
        description="The six digits that the app shows now.",
        validators=[DataRequired("Enter the six digits that the app shows.")],
    )
    password = PasswordField("Your password", validators=[DataRequired("Enter your password.")])


class ProofForm(FlaskForm):  # type: ignore[misc]  # flask-wtf ships no types.
    """Prove to be who is signed in, with both steps, before something that protects the account changes."""

    password = PasswordField("Your password", validators=[DataRequired("Enter your password.")])
    code = StringField(
        "Code",
        description="The six digits that your authenticator app shows now, or a recovery code.",
        validators=[DataRequired("Enter the code.")],
    )


class ChangePasswordForm(NewPasswordForm):
    """Choose another password; the present one proves who asks."""

    present = PasswordField("Present password", validators=[DataRequired("Enter your present password.")])


class WholeNumber(IntegerField):
    """A whole number; what is none is left to the validator, which says everything in one sentence."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read what was typed, None where it is no whole number."""
        typed = valuelist[0].strip() if valuelist else ""
        self.data = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else None


class SettingsForm(FlaskForm):  # type: ignore[misc]  # flask-wtf ships no types.
    """A programme's settings; texts and choices are checked by `rgapp.programmes`, as for the command line."""

    name = StringField("Name", description="Employees see it on the sign-in page, at home and in e-mails.")
    contact_name = StringField("Contact", description="Whom employees are pointed to when they cannot sign in.")
    contact_email = EmailField("Contact’s e-mail address")
    region = RadioField(
        "Region",
        choices=[SelectChoice(region.value, REGION_LABELS[region]) for region in Region],
        validate_choice=False,
    )
    timezone = SelectField("Time zone", description="Times in Reward Manager are shown in it.", validate_choice=False)
    colour = SelectField(
        "Colour",
        choices=[SelectChoice(colour.value, colour.value.capitalize()) for colour in Colour],
        validate_choice=False,
    )
    password_sign_in = BooleanField("Sign-in with e-mail and password, beside the connections")
    second_factor_required = BooleanField("Everyone who runs this programme signs in with a second step")
    guard_percent = WholeNumber(
        "Share of active users, in percent",
        validators=[
            InputRequired("Enter a whole number from 1 to 100."),
            NumberRange(1, 100, "Enter a whole number from 1 to 100."),
        ],
    )
    guard_people = WholeNumber(
        "People",
        validators=[
            InputRequired("Enter a whole number from 0 to 1,000,000."),
            NumberRange(0, 1_000_000, "Enter a whole number from 0 to 1,000,000."),
        ],
    )

    guard_second_person = BooleanField("A second person releases what was held")

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        zones = {"UTC", *(zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/"))}
        if self.timezone.data:
            zones.add(self.timezone.data)  # What is stored stays selectable, whatever its name.
        self.timezone.choices = [SelectChoice(zone, zone.replace("_", " ")) for zone in sorted(zones)]
