"""The form of one person; what a value may be is decided by provisioning, as for every other source."""

from collections.abc import Mapping

from flask_wtf import FlaskForm
from wtforms import BooleanField, EmailField, HiddenField, StringField
from wtforms.widgets import DateInput

from rgapp.provisioning import Field
from rgapp.wording import FIELD_LABELS, FIELD_REASONS

LONGEST_INPUT = 1000


class PersonForm(FlaskForm):  # type: ignore[misc]  # flask-wtf ships no types.
    """The five fields of a person; `seen` tells which state of the account somebody edits."""

    membership_no = StringField(FIELD_LABELS[Field.MEMBERSHIP_NO], description=FIELD_REASONS[Field.MEMBERSHIP_NO])
    email = EmailField(FIELD_LABELS[Field.EMAIL], description=FIELD_REASONS[Field.EMAIL])
    first_name = StringField(FIELD_LABELS[Field.FIRST_NAME])
    last_name = StringField(FIELD_LABELS[Field.LAST_NAME])
    # Text that a calendar fills in: what cannot be read comes back as it was typed.
    date_of_birth = StringField(FIELD_LABELS[Field.DATE_OF_BIRTH], widget=DateInput())
    welcome_email = BooleanField("Send a welcome e-mail")
    seen = HiddenField()

    def values(self) -> Mapping[Field, str]:
        """Return what was typed, by our fields."""
        return {name: (self[name.value].data or "")[:LONGEST_INPUT] for name in Field}
