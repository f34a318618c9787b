"""Open OpenPGP messages with an integration's private key."""

import base64
import errno
import os
from dataclasses import dataclass, field
from pathlib import Path

from rgapp.integrations.files.contained.runner import run
from rgapp.integrations.files.errors import Reason, UnreadableFile
from rgapp.integrations.files.limits import Limits


@dataclass(frozen=True)
class PrivateKey:
    """An OpenPGP private key, armored or binary, and the passphrase that opens it, if it is locked."""

    material: bytes = field(repr=False)
    passphrase: str | None = field(default=None, repr=False)


def decrypt(path: Path, target: Path, key: PrivateKey | None, limits: Limits) -> None:
    """Decrypt a message into a file, by streaming, in a process of its own.

    Raises `UnreadableFile`, and `OSError` where our disk is full; what was written before the message's own check
    failed is deleted.
    """
    if key is None:
        raise UnreadableFile(Reason.NO_KEY)
    task = {
        "source": str(path),
        "target": str(target),
        "key": base64.b64encode(key.material).decode(),
        "passphrase": key.passphrase,
        "bytes": limits.plain_bytes,
        # The library maps the whole message into its address space, and needs 35 MB besides, however long it is.
        "memory": limits.memory + path.stat().st_size,
        "seconds": limits.seconds,
    }
    target.touch(mode=0o600)
    said = run("decrypt", task, seconds=2 * limits.seconds)
    reason = said.get("reason") if said is not None else Reason.DAMAGED_MESSAGE
    if reason == "no_space":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if reason:
        target.unlink(missing_ok=True)
        raise UnreadableFile(Reason(reason), limit=limits.plain_bytes)
