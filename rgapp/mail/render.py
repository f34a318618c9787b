"""Render a mail from its data: subject, plain text and HTML."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

SUBJECT_LENGTH = 60


@dataclass(frozen=True)
class Message:
    """A mail ready to be sent."""

    subject: str
    text: str
    html: str


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("rgapp", "templates/mail"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(kind: str, context: dict[str, Any]) -> Message:
    """Render the mail of this kind.

    Its subject is the block `subject` of the text template, cut to 60 characters and to one line.
    """
    template = _environment().get_template(f"{kind}.txt")
    subject = "".join(template.blocks["subject"](template.new_context(context)))
    return Message(
        subject=" ".join(subject.split())[:SUBJECT_LENGTH],
        text=template.render(context).strip() + "\n",
        html=_environment().get_template(f"{kind}.html").render(context),
    )
