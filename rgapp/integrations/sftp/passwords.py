"""Passwords of SFTP accounts: made by us or chosen by whoever sets up a client, kept as argon2id."""

import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from rgapp.tokens import new_token

# A person does not type it: a client keeps it. What we make is far longer; guesses are slowed by the server.
SHORTEST: Final = 8
LONGEST: Final = 200
MADE_BYTES: Final = 24

_hasher = PasswordHasher()
_NOBODY: Final = _hasher.hash("nobody has this password")


class PasswordProblem(StrEnum):
    """A rule that a new password breaks."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    HIDDEN_CHARACTERS = "hidden_characters"
    USERNAME = "username"


class PasswordRejected(ValueError):
    """A new password breaks a rule."""

    def __init__(self, problem: PasswordProblem) -> None:
        super().__init__(problem)
        self.problem = problem


@dataclass(frozen=True)
class NewPassword:
    """A password that passed the rules, hashed; nothing but `new_password()` makes one."""

    hashed: str


def make_password() -> str:
    """Make a password of full entropy that every client takes."""
    return new_token(MADE_BYTES)


def new_password(password: str, *, username: str) -> NewPassword:
    """Check a new password and hash it; takes a tenth of a second, so call it with no writing transaction open.

    Raises `PasswordRejected`.
    """
    return NewPassword(_hasher.hash(check(password, username=username)))


def check(password: str, *, username: str) -> str:
    """Return a new password in the form that is compared.

    Raises `PasswordRejected`.
    """
    plain = prepared(password)
    if len(plain) < SHORTEST:
        raise PasswordRejected(PasswordProblem.TOO_SHORT)
    if len(plain) > LONGEST:
        raise PasswordRejected(PasswordProblem.TOO_LONG)
    if not plain.isprintable():
        raise PasswordRejected(PasswordProblem.HIDDEN_CHARACTERS)
    if username and username.casefold() in plain.casefold():
        raise PasswordRejected(PasswordProblem.USERNAME)
    return plain


def verify(stored: str | None, password: str) -> bool:
    """Compare a password with its hash; takes as long where there is no hash."""
    try:
        _hasher.verify(stored or _NOBODY, prepared(password)[: LONGEST + 1])
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def prepared(password: str) -> str:
    """Return a password in the form that the SSH library gives us at a sign-in (SASLprep, RFC 4013)."""
    spaced = "".join(" " if unicodedata.category(letter) == "Zs" else letter for letter in password)
    return unicodedata.normalize("NFKC", spaced)
