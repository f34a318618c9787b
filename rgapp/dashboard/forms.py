"""The form of Review and publish, the same for every kind."""

from wtforms import BooleanField

from rgapp.integrations.forms import DraftForm


class PublishForm(DraftForm):
    """Publish the draft that was reviewed."""

    without_test = BooleanField("Publish without a test")
