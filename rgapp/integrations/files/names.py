"""What the name of an uploaded file says: which layers are around which kind of table, in any case of letters."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from rgapp.integrations.files.errors import Reason, UnreadableFile

LONGEST_SHOWN: Final = 100


class Layer(StrEnum):
    """What may be around a table."""

    OPENPGP = "openpgp"
    GZIP = "gzip"
    ZIP = "zip"


class Form(StrEnum):
    """The kinds of table."""

    TEXT = "text"
    XLSX = "xlsx"


LAYERS: Final = {
    ".gpg": Layer.OPENPGP,
    ".pgp": Layer.OPENPGP,
    ".asc": Layer.OPENPGP,
    ".gz": Layer.GZIP,
    ".zip": Layer.ZIP,
}
FORMS: Final = {".csv": Form.TEXT, ".txt": Form.TEXT, ".tsv": Form.TEXT, ".xlsx": Form.XLSX}


@dataclass(frozen=True)
class NamedContent:
    """What a name promises: the layers from the outside in, and the table in them.

    `form` is None where the name says nothing of what is inside: inside a zip always, and for "people.gpg".
    """

    layers: Sequence[Layer]
    form: Form | None
    ending: str = ""


def ending_of(name: str) -> str:
    """Return the last ending of a name in small letters with its dot, empty where it has none; digits are a date."""
    stem, dot, ending = name.rpartition(".")
    return (
        f".{ending.lower()}" if dot and stem and ending.isalnum() and not ending.isdigit() and len(ending) <= 10 else ""
    )


def read_name(name: str) -> NamedContent:
    """Return what a name promises.

    Raises `UnreadableFile`: an ending that we do not read, or layers that do not go around each other.
    """
    layers: list[Layer] = []
    rest = name.strip()
    while (ending := ending_of(rest)) in LAYERS:
        layer = LAYERS[ending]
        if layers and (layer is Layer.OPENPGP or layers[-1] is not Layer.OPENPGP):
            raise UnreadableFile(Reason.NESTED, name=name[:LONGEST_SHOWN])
        layers.append(layer)
        rest = rest[: -len(ending)]
        if layer is Layer.ZIP:
            return NamedContent(layers, None)
    if ending in FORMS:
        return NamedContent(layers, FORMS[ending], ending)
    if layers and not ending:
        return NamedContent(layers, None)
    raise UnreadableFile(Reason.UNKNOWN_ENDING, ending=ending, name=name[:LONGEST_SHOWN])
