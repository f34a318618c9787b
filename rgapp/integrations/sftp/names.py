"""Names in an account's root: what a client's path means, which names wait for their rename, and which are refused."""

import unicodedata
from enum import StrEnum
from typing import Final

LONGEST: Final = 200  # Bytes of UTF-8: on disk the file's id stands before it, and file systems allow 255.
LONGEST_PATH: Final = 4096
WAITING_ENDINGS: Final = (".tmp", ".part", ".partial", ".filepart", ".upload")
# They turn the order of what follows around: a name could look like another one.
_BIDI: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_REFUSED_CATEGORIES: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})


class NameProblem(StrEnum):
    """Why a path names nothing that could be here."""

    NOT_UTF8 = "not_utf8"
    TOO_LONG = "too_long"
    CHARACTERS = "characters"
    FOLDER = "folder"


class BadName(ValueError):
    """A path names nothing that could be here; a `FOLDER` problem is a path below a folder, and there are none."""

    def __init__(self, problem: NameProblem) -> None:
        super().__init__(problem)
        self.problem = problem


def name_of(path: bytes) -> str:
    """Return which file of the root a path names; the empty text is the root itself.

    Paths are those of a root that nothing leads out of: `..` of the root is the root, and what comes in is only ever
    compared with names that we keep, never given to the file system as a path. Raises `BadName`.
    """
    if len(path) > LONGEST_PATH:
        raise BadName(NameProblem.TOO_LONG)
    try:
        text = path.decode()
    except UnicodeDecodeError as error:
        raise BadName(NameProblem.NOT_UTF8) from error
    parts: list[str] = []
    for part in text.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in {"", "."}:
            parts.append(part)
    if len(parts) > 1:
        raise BadName(NameProblem.FOLDER)
    return check(parts[0]) if parts else ""


def check(name: str) -> str:
    """Return a name that can stand in the root.

    Raises `BadName`.
    """
    if len(name.encode("utf-8", "replace")) > LONGEST:
        raise BadName(NameProblem.TOO_LONG)
    odd = any(unicodedata.category(letter) in _REFUSED_CATEGORIES or letter in _BIDI for letter in name)
    if odd or not name or name in {".", ".."} or "/" in name or "\\" in name:
        raise BadName(NameProblem.CHARACTERS)
    return name


def waits(name: str) -> bool:
    """Tell whether a file with this name waits for its rename."""
    return name.startswith(".") or name.casefold().endswith(WAITING_ENDINGS)
