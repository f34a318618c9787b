"""Random tokens: handed out once, kept only as their SHA-256."""

import hashlib
import secrets

REFERENCE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_token(byte_count: int = 32) -> str:
    """Make a url-safe random token of this many bytes of entropy."""
    return secrets.token_urlsafe(byte_count)


def hash_token(token: str) -> str:
    """Return the SHA-256 of a token in hex; enough for tokens of full entropy, and quick to look up."""
    return hashlib.sha256(token.encode()).hexdigest()


def new_reference() -> str:
    """Make a reference code that people can read out: two groups of four, no letters that look alike."""
    text = "".join(secrets.choice(REFERENCE_ALPHABET) for _ in range(8))
    return f"{text[:4]}-{text[4:]}"
