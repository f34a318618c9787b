"""Forms of the programme site."""

from flask_wtf import FlaskForm
from wtforms import EmailField, PasswordField
from wtforms.validators import DataRequired, EqualTo, Length


class PasswordForm(FlaskForm):  # type: ignore[misc]  # flask-wtf ships no types.
    """Sign in with e-mail and password."""

    email = EmailField("E-mail address", validators=[DataRequired("Enter your e-mail address."), Length(max=200)])
    password = PasswordField("Password", validators=[DataRequired("Enter your password."), Length(max=200)])


class ForgottenForm(FlaskForm):  # type: ignore[misc]  # flask-wtf ships no types.
    """Ask for a link to set a new password."""

    email = EmailField("E-mail address", validators=[DataRequired("Enter your e-mail address."), Length(max=200)])


class NewPasswordForm(FlaskForm):  # type: ignore[misc]  # flask-wtf ships no types.
    """Choose a password, twice."""

    password = PasswordField("New password", validators=[DataRequired("Choose a password.")])
    again = PasswordField(
        "The same again",
        validators=[EqualTo("password", message="The two passwords are not the same.")],
    )
