"""The rules for the value of each field, the same for every source (FACTS: data rules of every feed)."""

import re
import unicodedata
from collections.abc import Callable
from datetime import date, datetime
from functools import lru_cache

import email_validator
from email_validator import EmailNotValidError, validate_email

from rgapp.provisioning.record import Field, InvalidValue, ProblemCode

# Companies do use these inside; mail reaches their people although it crosses no public network. This is how the
# library documents the choice.
email_validator.SPECIAL_USE_DOMAIN_NAMES[:] = [
    name for name in email_validator.SPECIAL_USE_DOMAIN_NAMES if name not in {"local", "test"}
]

MEMBERSHIP_NO_LENGTH = 64
EMAIL_LENGTH = 200
NAME_LENGTH = 50
EARLIEST_BIRTH = date(1900, 1, 1)
JOINERS = frozenset("\u200c\u200d")
NAME_PUNCTUATION = frozenset(" -.'\u2019")
# What most names and addresses consist of; whatever else there is takes the longer way.
_PLAIN_NAME = re.compile(r"[ .'-]*[A-Za-z][A-Za-z .'-]*")
_PLAIN_LOCAL = re.compile(r"[A-Za-z0-9_+'-]+(?:\.[A-Za-z0-9_+'-]+)*")
PLAIN_LOCAL_LENGTH = 64
# Directives a declared date format may use; two-digit years are left out because they need a guess.
DATE_DIRECTIVES = frozenset("dmYbBHMSfzjTZ%")
DAY_FORMATS: dict[str, str] = {
    "%d/%m/%Y": "dd/mm/yyyy",
    "%m/%d/%Y": "mm/dd/yyyy",
    "%Y-%m-%d": "yyyy-mm-dd",
    "%d.%m.%Y": "dd.mm.yyyy",
    "%d-%m-%Y": "dd-mm-yyyy",
    "%m-%d-%Y": "mm-dd-yyyy",
    "%Y/%m/%d": "yyyy/mm/dd",
    "%Y%m%d": "yyyymmdd",
    "%d %b %Y": "dd Mon yyyy",
    "%d %B %Y": "dd Month yyyy",
}


def clean(raw: str) -> str:
    """Trim and compose (NFC) a value.

    Raises `InvalidValue` for control characters, surrogates and bidirectional overrides: text that does not look like
    what it is.
    """
    value = unicodedata.normalize("NFC", raw).strip()
    if value.isascii() and value.isprintable():
        return value
    if any(_is_hidden(character) for character in value):
        raise InvalidValue(ProblemCode.HIDDEN_CHARACTERS)
    return value


def clean_identifier(raw: str) -> str:
    """Trim and compose what tells people apart.

    Raises `InvalidValue` also for joiners, which cannot be seen, and for letters that composing turns into another one
    (the Kelvin sign into K): two identifiers of the source must not become one here.
    """
    if not raw.isascii() and any(character in JOINERS or _becomes_another(character) for character in raw):
        raise InvalidValue(ProblemCode.HIDDEN_CHARACTERS)
    return clean(raw)


def _becomes_another(character: str) -> bool:
    return not character.isascii() and not unicodedata.is_normalized("NFC", character)


def _is_hidden(character: str) -> bool:
    category = unicodedata.category(character)
    return category in {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"} or (category == "Cf" and character not in "\u200c\u200d")


def read_membership_no(value: str) -> str:
    """Accept up to 64 printable characters; compared exactly, so leading zeros and case are kept."""
    if len(value) > MEMBERSHIP_NO_LENGTH:
        raise InvalidValue(ProblemCode.TOO_LONG, limit=MEMBERSHIP_NO_LENGTH, length=len(value))
    return value


def read_email(value: str) -> str:
    """Accept a valid address of at most 200 characters; kept as sent, compared by `email_key()`."""
    if max(len(value), len(email_key(value))) > EMAIL_LENGTH:
        raise InvalidValue(ProblemCode.TOO_LONG, limit=EMAIL_LENGTH, length=len(value))
    if not _is_address(value):
        raise InvalidValue(ProblemCode.NOT_AN_ADDRESS)
    return value


def _is_address(value: str) -> bool:
    local, _, domain = value.rpartition("@")
    if len(local) <= PLAIN_LOCAL_LENGTH and _PLAIN_LOCAL.fullmatch(local) and domain.isascii():
        # Such a name is right before any domain; colleagues share theirs, which is looked at once.
        return _is_valid(f"x@{domain}")
    return _is_valid(value)


@lru_cache(maxsize=4096)
def _is_valid(value: str) -> bool:
    # Encoded words (RFC 2047) are decoded by mail programs, also in an address: the mail would go to somebody else.
    if "<" in value or ">" in value or "=?" in value or "." not in value.rpartition("@")[2]:
        return False
    try:
        validate_email(value, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError:
        return False
    return True


def read_name(value: str) -> str:
    """Accept 1 to 50 letters of any script with their marks, spaces, hyphens, dots and apostrophes."""
    if len(value) > NAME_LENGTH:
        raise InvalidValue(ProblemCode.TOO_LONG, limit=NAME_LENGTH, length=len(value))
    if _PLAIN_NAME.fullmatch(value):
        return value
    bad = sorted({character for character in value if not _is_name_character(character)})
    if bad or not any(unicodedata.category(character).startswith("L") for character in value):
        raise InvalidValue(ProblemCode.BAD_CHARACTERS, characters="".join(bad)[:10])
    return value


def _is_name_character(character: str) -> bool:
    return character in NAME_PUNCTUATION or unicodedata.category(character)[0] in "LM" or character in "\u200c\u200d"


def read_date_of_birth(value: str, date_format: str, today: date) -> date:
    """Read a date in the declared format only; nothing is guessed, and no time zone is applied."""
    if not value.isascii() and not re.search(r"%[bB]", date_format):
        raise InvalidValue(ProblemCode.UNREADABLE_DATE, format=date_format)
    try:
        parsed = datetime.strptime(value, date_format).date()  # noqa: DTZ007 - a birthday has no time zone.
    except ValueError as error:
        impossible = _shape(date_format).fullmatch(value) is not None
        code = ProblemCode.IMPOSSIBLE_DATE if impossible else ProblemCode.UNREADABLE_DATE
        raise InvalidValue(code, format=date_format) from error
    return check_date_of_birth(parsed, date_format, today)


def check_date_of_birth(parsed: date, date_format: str, today: date) -> date:
    """Accept a day from 1900 to `today`."""
    if parsed > today:
        raise InvalidValue(ProblemCode.FUTURE_DATE, format=date_format)
    if parsed < EARLIEST_BIRTH:
        raise InvalidValue(ProblemCode.TOO_LONG_AGO, format=date_format)
    return parsed


@lru_cache(maxsize=64)
def _shape(date_format: str) -> re.Pattern[str]:
    """Return a pattern of what looks like the format, so that 31 February is told from a wrong format."""
    pattern = re.escape(date_format)
    for directive, shape in {"d": r"\d{1,2}", "m": r"\d{1,2}", "Y": r"\d{4}"}.items():
        pattern = pattern.replace(f"%{directive}", shape)
    return re.compile(pattern)


def is_date_format(date_format: str) -> bool:
    """Tell whether a declared format names day, month and four-digit year once each, and nothing unknown."""
    directives = re.findall(r"%(.?)", date_format)
    months = sum(directives.count(letter) for letter in "mbB")
    known = all(directive and directive in DATE_DIRECTIVES for directive in directives)
    return known and directives.count("d") == 1 and directives.count("Y") == 1 and months == 1 and len(date_format) < 41


def format_label(date_format: str) -> str:
    """Return how people write a format: `dd/mm/yyyy` for `%d/%m/%Y`."""
    return DAY_FORMATS.get(date_format, date_format)


def email_key(email: str) -> str:
    """Return the form in which addresses are compared."""
    folded = email.casefold()
    return folded if folded.isascii() else unicodedata.normalize("NFC", folded)


def name_key(name: str | None) -> str:
    """Return the form in which names are searched and sorted."""
    return unicodedata.normalize("NFC", (name or "").casefold())[:100]


READERS: dict[Field, Callable[[str], str]] = {
    Field.MEMBERSHIP_NO: read_membership_no,
    Field.EMAIL: read_email,
    Field.FIRST_NAME: read_name,
    Field.LAST_NAME: read_name,
}
