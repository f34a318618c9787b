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
    number, text = secrets.randbelow(len(REFERENCE_ALPHABET) ** 8), ""
    for _ in range(8):
        number, place = divmod(number, len(REFERENCE_ALPHABET))
        text += REFERENCE_ALPHABET[place]
    return f"{text[:4]}-{text[4:]}"


def read_reference(text: str) -> str | None:
    """Return a reference code as it is stored, however it was typed ("k7qd 2mxw"); None for anything else."""
    letters = [letter for letter in text.upper() if letter.isalnum()]
    if len(letters) != 8 or len(text) > 20 or any(letter not in REFERENCE_ALPHABET for letter in letters):
        return None
    code = "".join(letters)
    return f"{code[:4]}-{code[4:]}"
