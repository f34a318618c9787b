"""Seal secrets at rest with keys that live outside the database."""

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class UnsealError(RuntimeError):
    """A sealed value cannot be opened with the configured keys."""


class Sealer:
    """Seals with the first key and opens with any of them, so that keys can be rotated."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def seal(self, secret: str) -> bytes:
        """Encrypt and authenticate a secret."""
        return self._fernet.encrypt(secret.encode())

    def unseal(self, sealed: bytes) -> str:
        """Return the secret.

        Raises `UnsealError` where no configured key fits.
        """
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken as error:
            raise UnsealError("no key of RGAPP_ENCRYPTION_KEYS opens this value") from error
