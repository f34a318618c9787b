"""SSH public keys as people paste them: OpenSSH's line, RFC 4716 (PuTTY) or PEM; weak kinds are refused."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

LONGEST: Final = 20_000
SMALLEST_RSA: Final = 2048
# DSA is broken, and an RSA key without a size that is safe today is no better; the other kinds have one strength each.
SAFE_KINDS: Final = frozenset(
    {
        "ssh-ed25519",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "ssh-rsa",
        "sk-ssh-ed25519@openssh.com",
        "sk-ecdsa-sha2-nistp256@openssh.com",
    }
)
_LINE: Final = re.compile(r"(ssh-|ecdsa-|sk-)[a-z0-9@.-]+ +[A-Za-z0-9+/]+=*( |$)")


class KeyProblem(StrEnum):
    """Why a text is no key that may open an account."""

    UNREADABLE = "unreadable"
    PRIVATE = "private"
    SEVERAL = "several"
    OPTIONS = "options"
    CERTIFICATE = "certificate"
    WEAK_KIND = "weak_kind"
    SHORT_RSA = "short_rsa"


class KeyRejected(ValueError):
    """A text is no key that may open an account; `problem` says why, `found` is what kind or size it has."""

    def __init__(self, problem: KeyProblem, found: str = "") -> None:
        super().__init__(f"{problem}: {found}" if found else problem)
        self.problem, self.found = problem, found


@dataclass(frozen=True)
class PublicKey:
    """A key that may open an account: OpenSSH's line without its comment, SHA-256 fingerprint, and the comment."""

    kind: str
    line: str
    fingerprint: str
    comment: str


def read_public_key(text: str) -> PublicKey:
    """Return the key that a text holds.

    Raises `KeyRejected`.
    """
    import asyncssh  # Loads all of SSH, which only the server and this need.

    text = text.strip().removeprefix("\ufeff").strip()
    _refuse_at_sight(text)
    try:
        key = asyncssh.import_public_key(text)
    except (asyncssh.KeyImportError, ValueError) as error:
        raise KeyRejected(KeyProblem.UNREADABLE) from error
    kind = key.get_algorithm()
    if kind not in SAFE_KINDS:
        raise KeyRejected(KeyProblem.WEAK_KIND, kind)
    if kind == "ssh-rsa" and (size := _rsa_bits(key.public_data)) < SMALLEST_RSA:
        raise KeyRejected(KeyProblem.SHORT_RSA, str(size))
    line = key.export_public_key("openssh").decode().split()
    comment = " ".join((key.get_comment() or "").split())
    return PublicKey(kind, " ".join(line[:2]), key.get_fingerprint("sha256"), _printable(comment))


def _refuse_at_sight(text: str) -> None:
    """Refuse what people paste by mistake, each with its own reason."""
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines or len(text) > LONGEST or (not text.isascii() and not _LINE.match(text)):
        raise KeyRejected(KeyProblem.UNREADABLE)
    if "PRIVATE KEY" in text or text.startswith("PuTTY-User-Key-File"):
        raise KeyRejected(KeyProblem.PRIVATE)
    if "-cert-v01@" in lines[0].partition(" ")[0]:
        raise KeyRejected(KeyProblem.CERTIFICATE)
    if sum(_LINE.match(line.strip()) is not None for line in lines) > 1 or text.count("---- BEGIN") > 1:
        raise KeyRejected(KeyProblem.SEVERAL)
    if len(lines) == 1 and not _LINE.match(lines[0]) and _LINE.search(lines[0]):
        raise KeyRejected(KeyProblem.OPTIONS)


def _rsa_bits(public_data: bytes) -> int:
    """Return the size of the modulus (RFC 4253 section 6.6: the name, the exponent, the modulus)."""
    numbers, rest = [], public_data
    while rest:
        length = int.from_bytes(rest[:4], "big")
        numbers.append(rest[4 : 4 + length])
        rest = rest[4 + length :]
    return int.from_bytes(numbers[2], "big").bit_length()


def _printable(comment: str) -> str:
    return "".join(letter for letter in comment if letter.isprintable())
