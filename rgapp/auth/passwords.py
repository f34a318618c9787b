"""Passwords: argon2 hashes, and the rule for new ones."""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MINIMUM_LENGTH = 16
MAXIMUM_LENGTH = 200

_hasher = PasswordHasher()
# Verified when nobody has this e-mail address, so that the answer takes as long as for a wrong password.
_NOBODY = _hasher.hash("nobody has this password")


class PasswordRejected(ValueError):
    """A new password breaks the rule; `reason` is `too_short`, `too_long` or `too_simple`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def hash_password(password: str) -> str:
    """Hash a new password with argon2id.

    Raises `PasswordRejected` for fewer than 16 or more than 200 characters, or one character repeated.
    """
    if len(password) < MINIMUM_LENGTH:
        raise PasswordRejected("too_short")
    if len(password) > MAXIMUM_LENGTH:
        raise PasswordRejected("too_long")
    if len(set(password)) < 5:
        raise PasswordRejected("too_simple")
    return _hasher.hash(password)


def verify_password(stored: str | None, password: str) -> bool:
    """Compare a password with its hash; takes as long where there is no hash."""
    try:
        _hasher.verify(stored or _NOBODY, password[: MAXIMUM_LENGTH + 1])
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None
