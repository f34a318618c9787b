"""What is said of a file that cannot be read: what is wrong with it, and what to do about it."""

from typing import Final

from rgapp.integrations.files.errors import Reason, UnreadableFile
from rgapp.integrations.sync.feed import FeedFailure

ENDINGS: Final = ".csv, .txt, .tsv or .xlsx, alone or in a .zip, .gz, .gpg, .pgp or .asc"
KINDS: Final = {
    "zip": "a .zip archive or a spreadsheet",
    "gzip": "a .gz archive",
    "xls": "an old spreadsheet",
    "pdf": "a PDF",
    "rtf": "a text document",
    "png": "a picture",
    "jpeg": "a picture",
    "openpgp": "an OpenPGP message",
    "utf-32": "text in UTF-32",
}
SENTENCES: Final = {
    Reason.UNKNOWN_ENDING: f"“{{name}}” is no file that we read. Send {ENDINGS}.",
    Reason.OTHER_CONTENT: "What is in this file is {looks_like}, not what its name promises. Export it as CSV.",
    Reason.TOO_LARGE: "This file is larger than {limit} bytes. Send fewer columns, or compress it.",
    Reason.TOO_LARGE_UNPACKED: "Unpacked, this file is larger than {limit} bytes. Send fewer columns.",
    Reason.BOMB: "This file grows far more than files of people do when it is unpacked, so it was left alone.",
    Reason.NESTED: "This is an archive in an archive. Pack the file once, and encrypt it last.",
    Reason.EMPTY_ARCHIVE: "There is no .csv, .txt, .tsv or .xlsx in this archive.",
    Reason.SEVERAL_FILES: "There are several files in this archive ({names}). Send each by itself.",
    Reason.UNSAFE_NAME: "This archive holds a file under a name that leads out of it, “{name}”. Pack it anew.",
    Reason.PASSWORD: "This file has a password, or is of the old .xls kind. Send it as .xlsx or .csv without one.",
    Reason.OTHER_COMPRESSION: "This archive is packed in an unusual way. Pack it anew as a usual .zip.",
    Reason.DAMAGED_ARCHIVE: "This archive is damaged or incomplete. Send it again.",
    Reason.NO_KEY: "This file is encrypted, and this integration has no OpenPGP key. Make one, and encrypt with it.",
    Reason.WRONG_KEY: "This file is encrypted for another key. Encrypt it with the key of this integration.",
    Reason.LOCKED_KEY: "The OpenPGP key of this integration cannot be opened. Make a new one.",
    Reason.NOT_OPENPGP: "This is no OpenPGP message, although its name says so.",
    Reason.DAMAGED_MESSAGE: "This encrypted file is damaged or incomplete. Send it again.",
    Reason.NOT_A_SPREADSHEET: "This is no .xlsx spreadsheet, although its name says so, or it is damaged.",
    Reason.SPREADSHEET_TOO_LARGE: "This spreadsheet is too large to be read. Export it as CSV.",
    Reason.NOT_TEXT: "This is no text file, although its name says so. Export it as CSV.",
    Reason.BROKEN_HEADER: "The header, the first row, cannot be read: a quote in it never closes.",
    Reason.TOO_MANY_COLUMNS: "There are more than {limit} columns. Send those that are needed.",
    Reason.TOO_MANY_ROWS: "There are more than {limit} rows. Split the file.",
    Reason.HOPELESS_QUOTES: "Quotes in this file open and never close, again and again. Export it anew.",
}


def sentence(error: UnreadableFile) -> str:
    """Return what to tell whoever sent the file."""
    data = {key: ", ".join(value) if isinstance(value, list) else value for key, value in error.data.items()}
    if "looks_like" in data:
        data["looks_like"] = KINDS[data["looks_like"]]
    return SENTENCES[error.reason].format_map(data)


def failure(error: UnreadableFile) -> FeedFailure:
    """Return the failure of a run whose file cannot be read."""
    return FeedFailure(error.reason.value, sentence(error), **error.data)
