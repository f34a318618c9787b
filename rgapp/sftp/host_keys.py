"""The server's own keys: made once, kept for their owner alone, in the form that OpenSSH reads too."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncssh

# RSA is for old clients; the others check the first.
KINDS: Final[dict[str, dict[str, int]]] = {"ed25519": {}, "rsa": {"key_size": 3072}}
ALGORITHMS: Final = {"ed25519": "ssh-ed25519", "rsa": "ssh-rsa"}


@dataclass(frozen=True)
class HostKey:
    """What is public of one key."""

    kind: str
    fingerprint: str
    line: str


def load(folder: Path) -> list[asyncssh.SSHKey]:
    """Return the keys, those that do not exist yet made; safe when several processes start at once."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return [_kept(folder / f"host_{kind}", kind) for kind in KINDS]


def public(folder: Path) -> list[HostKey]:
    """Return what clients should check, as far as the keys were made; reads the public halves only."""
    found = []
    for kind in KINDS:
        path = folder / f"host_{kind}.pub"
        if path.is_file():
            key = asyncssh.import_public_key(path.read_text())
            found.append(HostKey(kind, key.get_fingerprint(), key.export_public_key().decode().strip()))
    return found


def _kept(path: Path, kind: str) -> asyncssh.SSHKey:
    if not path.exists():
        made = asyncssh.generate_private_key(ALGORITHMS[kind], comment="rgapp", **KINDS[kind])
        _write_once(path, made.export_private_key("openssh"), 0o600)
    key = asyncssh.import_private_key(path.read_bytes())
    public_path = path.with_name(f"{path.name}.pub")
    if not public_path.exists():
        _write_once(public_path, key.export_public_key("openssh"), 0o644)
    return key


def _write_once(path: Path, content: bytes, mode: int) -> None:
    """Write a whole file, unless another process was first."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(content)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
