"""The form of Review and publish, the same for every kind."""

from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField


class PublishForm(FlaskForm):  # type: ignore[misc]  # flask-wtf ships no types.
    """Publish the draft that was reviewed; `seen` is the digest of the draft as it was shown."""

    seen = HiddenField()
    without_test = BooleanField("Publish without a test")
