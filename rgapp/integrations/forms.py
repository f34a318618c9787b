"""What the set-up forms of all kinds share; what is empty may be saved in a draft, what is wrong may not."""

from flask_wtf import FlaskForm
from wtforms import HiddenField


def trimmed(value: str | None) -> str:
    """Trim what was typed; None becomes empty."""
    return (value or "").strip()


class DraftForm(FlaskForm):  # type: ignore[misc]  # flask-wtf ships no types.
    """A form over a draft; `seen` is the digest of the draft it was filled from, to notice changes in between."""

    seen = HiddenField()
