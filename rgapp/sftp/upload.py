"""One file that a client is sending, and why the desk may refuse something about it."""

import os
import threading
from enum import StrEnum
from pathlib import Path

from rgapp.integrations.sftp.spool import Entry


class Reason(StrEnum):
    """Why the desk refuses something."""

    NOT_FOUND = "not_found"
    EXISTS = "exists"
    TOO_LARGE = "too_large"
    TOO_MANY = "too_many"
    NO_ROOM = "no_room"
    TAKEN_OVER = "taken_over"
    INCOMPLETE = "incomplete"
    RECEIVED = "received"


class Refused(Exception):
    """Something that the desk does not do; words are chosen by whoever speaks to the client."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


class Upload:
    """A file that a client has open for writing.

    `source` is a received file that is to be continued: it is copied before the first byte is written, for what was
    received never changes. `failed` says that a write did not succeed: then the file is not whole, whatever follows.
    Of one that was refused for its size goes what this client has `begun`; what was there before is kept.
    """

    def __init__(self, name: str, *, append: bool, entry: Entry | None = None, source: Path | None = None) -> None:
        self.name, self.append, self.entry, self.source = name, append, entry, source
        self.lock = threading.Lock()
        self.failed = self.too_large = self.taken_over = self.begun = False
        path, flags = (entry.path, os.O_RDWR) if entry is not None else (source, os.O_RDONLY)
        assert path is not None  # noqa: S101 - one of the two is given.
        self.descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC)
