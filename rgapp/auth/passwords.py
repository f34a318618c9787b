"""Passwords: the rules for new ones, argon2 hashes, and the comparison at a sign-in."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MINIMUM_LENGTH = 16
MAXIMUM_LENGTH = 200
NOT_REUSED = 10
# Characters that zxcvbn also reads as letters. Many different ones multiply: 40 of them take it a second.
LOOKALIKES = frozenset("4@8({[<369!1|70$5+%2")
MOST_LOOKALIKES = 3
# How much of a password it is asked about, and of one with many such characters.
ESTIMATED_LENGTH, ESTIMATED_LENGTH_OF_MANY = 72, 24
HARD_TO_GUESS = 4  # The best of zxcvbn's scores: ten thousand million guesses or more.
SHORTEST_PART = 4  # "Ann" is a part of "annual" too: shorter names count as words of their own only.
# Words of a programme's name that say nothing about which programme it is.
GENERAL_WORDS = frozenset({"reward", "rewards", "programme", "program", "benefits", "company", "group", "limited"})

REPETITION = re.compile(r"(.{3,}?)\1+")

_hasher = PasswordHasher()
# Verified when nobody has this e-mail address, so that the answer takes as long as for a wrong password.
_NOBODY = _hasher.hash("nobody has this password")


class PasswordProblem(StrEnum):
    """A rule that a new password breaks."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    TOO_COMMON = "too_common"
    PERSONAL = "personal"
    USED_BEFORE = "used_before"


class PasswordRejected(ValueError):
    """A new password breaks rules; `problems` names each of them."""

    def __init__(self, problems: Sequence[PasswordProblem]) -> None:
        super().__init__(", ".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True)
class NewPassword:
    """A password that passed every rule, hashed; nothing but `new_password()` makes one."""

    hashed: str


def new_password(password: str, *, personal: Iterable[str] = (), earlier: Sequence[str] = ()) -> NewPassword:
    """Check a new password by every rule and hash it with argon2id.

    `personal` are names and addresses that it must not contain, `earlier` the hashes of the person's last passwords.
    Takes a tenth of a second, and as long again for each earlier hash: call it with no transaction open that writes.

    Raises `PasswordRejected` with all that is wrong.
    """
    problems = []
    if len(password) < MINIMUM_LENGTH:
        problems.append(PasswordProblem.TOO_SHORT)
    if len(password) > MAXIMUM_LENGTH:
        problems.append(PasswordProblem.TOO_LONG)
    if is_common(password):
        problems.append(PasswordProblem.TOO_COMMON)
    if contains_personal(password, personal):
        problems.append(PasswordProblem.PERSONAL)
    if len(password) <= MAXIMUM_LENGTH and any(verify_password(hashed, password) for hashed in earlier):
        problems.append(PasswordProblem.USED_BEFORE)
    if problems:
        raise PasswordRejected(problems)
    return NewPassword(_hasher.hash(password))


def is_common(password: str) -> bool:
    """Tell whether somebody who tries the usual ones first finds this password.

    zxcvbn knows the 30,000 commonest passwords, names and words, and sees through repetition, sequences, keyboard
    rows, years and letters written as digits. It is asked about the core as well, without padding and repetition, for
    combinations of those escape it.
    """
    from zxcvbn import zxcvbn  # Loads its lists, which only setting a password needs.

    core = _core(password[: MAXIMUM_LENGTH + 1])
    forms = {form[: _estimated_length(form)] for form in (password, core)}
    return bool(password) and ("" in forms or any(zxcvbn(form)["score"] < HARD_TO_GUESS for form in forms))


def contains_personal(password: str, personal: Iterable[str]) -> bool:
    """Tell whether a password contains one of these names or addresses, however it is spaced and written."""
    plain, words = _plain(password), set(_words(password))
    for text in personal:
        name = text.partition("@")[0]
        parts = {_plain(text), _plain(name), *_words(name)} - GENERAL_WORDS - {""}
        if any(part in plain if len(part) >= SHORTEST_PART else part in words for part in parts if len(part) > 1):
            return True
    return False


def verify_password(stored: str | None, password: str) -> bool:
    """Compare a password with its hash; takes as long where there is no hash."""
    try:
        _hasher.verify(stored or _NOBODY, password[: MAXIMUM_LENGTH + 1])
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def _estimated_length(text: str) -> int:
    return ESTIMATED_LENGTH if len(LOOKALIKES & set(text)) <= MOST_LOOKALIKES else ESTIMATED_LENGTH_OF_MANY


def _core(password: str) -> str:
    """Return what is left of a password without marks and rows around it, and once of what it says again and again."""
    core, before = password, ""
    while core != before:
        before, core = core, core.strip("".join(letter for letter in set(core) if not letter.isalnum()))
        core = re.sub(r"^(.)\1{2,}", "", core)
        core = re.sub(r"(.)\1{2,}$", "", core)
    plain = _plain(core)
    once = REPETITION.sub(r"\1", plain)
    return once if once != plain else core


def _words(text: str) -> list[str]:
    """Return the words of a text without case and accents."""
    folded = unicodedata.normalize("NFKD", text).casefold()
    bare = "".join(letter for letter in folded if not unicodedata.combining(letter))
    return re.findall(r"[^\W_]+", bare)


def _plain(text: str) -> str:
    return "".join(_words(text))
