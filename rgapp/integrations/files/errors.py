"""Why a file cannot be read at all, as codes with data; the words are chosen where they are shown."""

from enum import StrEnum
from typing import Any


class Reason(StrEnum):
    """What makes a whole file unreadable."""

    UNKNOWN_ENDING = "unknown_ending"
    OTHER_CONTENT = "other_content"
    TOO_LARGE = "too_large"
    TOO_LARGE_UNPACKED = "too_large_unpacked"
    BOMB = "bomb"
    NESTED = "nested"
    EMPTY_ARCHIVE = "empty_archive"
    SEVERAL_FILES = "several_files"
    UNSAFE_NAME = "unsafe_name"
    PASSWORD = "password"  # noqa: S105 - the archive has one, this is none.  # nosec B105
    OTHER_COMPRESSION = "other_compression"
    DAMAGED_ARCHIVE = "damaged_archive"
    NO_KEY = "no_key"
    WRONG_KEY = "wrong_key"
    LOCKED_KEY = "locked_key"
    NOT_OPENPGP = "not_openpgp"
    DAMAGED_MESSAGE = "damaged_message"
    NOT_A_SPREADSHEET = "not_a_spreadsheet"
    SPREADSHEET_TOO_LARGE = "spreadsheet_too_large"
    NOT_TEXT = "not_text"
    BROKEN_HEADER = "broken_header"
    TOO_MANY_COLUMNS = "too_many_columns"
    TOO_MANY_ROWS = "too_many_rows"
    HOPELESS_QUOTES = "hopeless_quotes"


class UnreadableFile(ValueError):
    """A file that cannot be read: the reason, and what a message about it needs."""

    def __init__(self, reason: Reason, **data: Any) -> None:
        super().__init__(reason)
        self.reason = reason
        self.data = data
