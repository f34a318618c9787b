"""Files that another SFTP server put into the spool, such as OpenSSH's: which of them are finished, and taking them.

Such a server writes into `<user name>/files/` (or `<user name>/` itself) and tells us nothing. So a file counts when
nobody has it open for writing, as far as the system says, and something happened to it after its last byte: it was
renamed into place, or its times were set. A plain upload without either looks the same whether it is whole or was cut;
it counts once it has been left alone for a while.

What was taken stays listed as a copy, for its sender, until the file itself is listed no more.
"""

import errno
import fcntl
import json
import os
import shutil
import signal
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rgapp.integrations.sftp import names
from rgapp.integrations.sftp.names import BadName
from rgapp.integrations.sftp.spool import HIDDEN, OURS, Entry, Folder

SUBFOLDER: Final = "files"
QUIET_SECONDS: Final = 600.0


@dataclass(frozen=True)
class _Identity:
    """What tells a file from another one that has its name: rewriting it changes this."""

    inode: int
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, found: os.stat_result) -> "_Identity":
        return cls(found.st_ino, found.st_size, found.st_mtime_ns)


class PlainFolder:
    """The folders of one account in which another server leaves files."""

    def __init__(self, spool: Path, username: str) -> None:
        self.folder = Folder(spool, username)
        self._places = (spool / username, spool / username / SUBFOLDER)
        self._memory = self.folder.base / "copies.json"

    def exists(self) -> bool:
        """Tell whether another server uses this account."""
        return self._places[0].is_dir() and not self._places[0].is_symlink()

    def take(self, *, now: float, quiet_seconds: float = QUIET_SECONDS) -> list[Entry]:
        """Take what is finished, each file by one rename, and leave a copy in its place; returns what was taken."""
        self.folder.make()
        copies = self._forget_old(self._remembered())
        taken = []
        for path, found in self._candidates():
            key = str(path.relative_to(self._places[0]))
            if copies.get(key, {}).get("is") == list(vars(_Identity.of(found)).values()):
                continue
            if not is_finished(path, now=now, quiet_seconds=quiet_seconds):
                continue
            with suppress(FileNotFoundError):  # Its sender was faster.
                entry = self.folder.adopt(path, path.name)
                taken.append(entry)
                if (left := self._leave_copy(entry, path, found)) is not None:
                    copies[key] = {"of": entry.id.hex, "is": list(vars(left).values())}
        self._remember(copies)
        return taken

    def _candidates(self) -> Iterator[tuple[Path, os.stat_result]]:
        for place in self._places:
            if place.is_symlink() or not place.is_dir():
                continue
            with os.scandir(place) as listed:
                found = sorted((each.stat(follow_symlinks=False).st_mtime_ns, each.name) for each in listed)
            for _, name in found:
                with suppress(FileNotFoundError, BadName):
                    status = (place / name).lstat()
                    if stat.S_ISREG(status.st_mode) and not names.waits(names.check(name)):
                        yield place / name, status

    def _leave_copy(self, entry: Entry, path: Path, before: os.stat_result) -> _Identity | None:
        """Leave a copy where a file was, unless there is a new one already."""
        draft = self.folder.base / f"copy-{entry.id.hex}"
        try:
            shutil.copyfile(entry.path, draft)
            draft.chmod(stat.S_IMODE(before.st_mode))
            with suppress(PermissionError):
                os.chown(draft, before.st_uid, before.st_gid)
            os.utime(draft, ns=(before.st_atime_ns, before.st_mtime_ns))
            os.link(draft, path)
            return _Identity.of(path.lstat())
        except OSError:  # A new file is there, or the disk is full: the copy is for looking at only.
            return None
        finally:
            draft.unlink(missing_ok=True)

    def _forget_old(self, copies: dict[str, Any]) -> dict[str, Any]:
        """Remove the copies of files that are listed no more."""
        listed = {entry.id.hex for entry in self.folder.received_files() if entry.name != HIDDEN}
        kept = {}
        for key, known in copies.items():
            path = self._places[0] / key
            if known["of"] in listed:
                kept[key] = known
                continue
            with suppress(FileNotFoundError):
                if list(vars(_Identity.of(path.lstat())).values()) == known["is"]:
                    path.unlink()
        return kept

    def _remembered(self) -> dict[str, Any]:
        try:
            read = json.loads(self._memory.read_text())
        except (OSError, ValueError):
            return {}
        return read if isinstance(read, dict) else {}

    def _remember(self, copies: dict[str, Any]) -> None:
        draft = self._memory.with_suffix(".new")
        draft.write_text(json.dumps(copies))
        draft.replace(self._memory)


def is_finished(path: Path, *, now: float, quiet_seconds: float = QUIET_SECONDS) -> bool:
    """Tell whether a file that another server wrote is whole."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        if _is_being_written(descriptor):
            return False
        found = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    # Writing sets both times; renaming a file, or setting its times, is noted in the second one alone.
    return found.st_ctime_ns > found.st_mtime_ns or now - found.st_mtime >= quiet_seconds


def _is_being_written(descriptor: int) -> bool:
    """Tell whether anybody has a file open for writing: then Linux grants no read lease on it."""
    if not hasattr(fcntl, "F_SETLEASE"):
        return False
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)  # Whoever opens it meanwhile must not stop us.
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        return error.errno in {errno.EAGAIN, errno.EWOULDBLOCK}
    return False


def plain_usernames(spool: Path) -> list[str]:
    """Return under which user names other servers may have left files."""
    try:
        with os.scandir(spool) as found:
            return sorted(each.name for each in found if each.name != OURS and each.is_dir(follow_symlinks=False))
    except FileNotFoundError:
        return []
