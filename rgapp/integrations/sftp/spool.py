"""The spool: what stands in an account's root on disk, and how a finished file leaves its sender's hands.

Below `.rgapp/<user name>/` each account has three folders. In `unfinished/` is what is still being uploaded, what a cut
connection left, and what waits for its rename. `received/` holds files that are finished: they came there by one
rename, are never written again, and keep their path until they are deleted, so a run can read them whatever the sender
does next. Every file is called by an id and its name; the ids of received files are made when they are finished, so
their order is that of arrival. In `relisted/` stands under which other name a received file is listed, or that it is
not listed any more.

The disk is the truth: nothing here needs the database, and whoever dies at any line leaves a state that is good.
"""

import errno
import os
import stat
import uuid
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rgapp.integrations.sftp import names
from rgapp.integrations.sftp.names import BadName
from rgapp.models.base import new_id

OURS: Final = ".rgapp"
ID_LENGTH: Final = 32
HIDDEN: Final = ""
# A file system gives room by blocks, and an empty file takes one elsewhere on the disk.
BLOCK: Final = 4096


@dataclass(frozen=True)
class Entry:
    """A file of an account: its id, the name it is listed by, the name it came with, where it is, size in bytes."""

    id: uuid.UUID
    name: str
    sent_as: str
    path: Path
    size: int
    modified: float
    received: bool


class Folder:
    """One account's files. Its methods do not lock: the server lets one thread at a time change an account."""

    def __init__(self, spool: Path, username: str) -> None:
        # A user name is ours, made of letters, digits and dashes; anything else must not become a path.
        if not username or not username.replace("-", "").isalnum() or not username.isascii():
            raise ValueError("not a user name")
        self.username = username
        self.base = spool / OURS / username
        self.unfinished, self.received = self.base / "unfinished", self.base / "received"
        self._relisted = self.base / "relisted"

    def make(self) -> None:
        """Make the folders, for their owner alone."""
        for folder in (self.base.parent, self.base, self.unfinished, self.received, self._relisted):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def unfinished_files(self) -> list[Entry]:
        """Return what is not finished, in the order in which it was begun."""
        return sorted(self._in(self.unfinished, {}), key=lambda entry: entry.id)

    def received_files(self) -> list[Entry]:
        """Return what is finished, in the order of arrival, whether it is still listed or not."""
        return sorted(self._in(self.received, self._other_names()), key=lambda entry: entry.id)

    def listing(self) -> dict[str, Entry]:
        """Return what the sender sees: for each name the newest file."""
        found = {entry.name: entry for entry in self.received_files() if entry.name != HIDDEN}
        for entry in self.unfinished_files():
            if entry.name not in found or found[entry.name].id < entry.id:
                found[entry.name] = entry
        return found

    def size(self) -> int:
        """Return how much room everything takes, listed or not, in bytes."""
        return sum(room_of(entry.size) for folder in (self.unfinished, self.received) for entry in self._in(folder, {}))

    def drop_repeated(self, *, busy: Collection[uuid.UUID] = ()) -> None:
        """Delete unfinished files that nobody can reach, for a newer one has their name."""
        newest = {entry.name: entry.id for entry in self.unfinished_files()}
        for entry in self.unfinished_files():
            if entry.id != newest[entry.name] and entry.id not in busy:
                entry.path.unlink(missing_ok=True)

    def begin(self, name: str) -> Entry:
        """Make a new, empty file that is not finished."""
        file_id = new_id()
        path = self.unfinished / _file_name(file_id, name)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
        return Entry(file_id, name, name, path, 0, path.stat().st_mtime, False)

    def finish(self, entry: Entry, *, name: str | None = None, busy: Collection[uuid.UUID] = ()) -> Entry:
        """Take an unfinished file over, under its name or another one; the one rename is the moment at which it counts.

        What stands unfinished under the same name, and is not in `busy`, was an earlier try and goes.
        """
        done = self.adopt(entry.path, entry.name if name is None else name)
        for other in self.unfinished_files():
            if other.name == done.name and other.id < done.id and other.id not in busy:
                other.path.unlink(missing_ok=True)
        return done

    def adopt(self, path: Path, name: str) -> Entry:
        """Take a finished file over from wherever it is on this disk.

        Raises `FileNotFoundError`, also where its sender put something else into its place meanwhile, such as a link.
        """
        file_id = new_id()
        target = self.received / _file_name(file_id, name)
        try:
            _sync(path)
        except OSError as error:
            raise _gone(path) if error.errno == errno.ELOOP else error from error
        path.rename(target)
        found = target.lstat()
        if not stat.S_ISREG(found.st_mode):
            target.unlink()
            raise _gone(path)
        _sync(self.received)
        return Entry(file_id, name, name, target, found.st_size, found.st_mtime, True)

    def rename_unfinished(self, entry: Entry, name: str) -> Entry:
        """Give an unfinished file another name, under which it stays unfinished."""
        target = self.unfinished / _file_name(entry.id, name)
        entry.path.rename(target)
        return Entry(entry.id, name, name, target, entry.size, entry.modified, False)

    def relist(self, entry: Entry, name: str) -> None:
        """List a received file under another name, or no more; what it is to us does not change."""
        target = self._relisted / _file_name(entry.id, name)
        for other in self._relisted.iterdir():
            if other.name.startswith(entry.id.hex):
                other.rename(target)
                return
        target.touch(mode=0o600)

    def remove(self, name: str) -> None:
        """Let nothing be listed under a name: unfinished files go, received ones are only listed no more."""
        for entry in (*self.unfinished_files(), *self.received_files()):
            if entry.name == name and entry.received:
                self.relist(entry, HIDDEN)
            elif entry.name == name:
                entry.path.unlink(missing_ok=True)

    def sweep(self, *, before: float, busy: Collection[uuid.UUID] = ()) -> int:
        """Delete what was left unfinished and not touched since `before`; returns how many files went."""
        old = [each for each in self.unfinished_files() if each.modified < before and each.id not in busy]
        for entry in old:
            entry.path.unlink(missing_ok=True)
        present = {entry.id.hex for entry in self._in(self.received, {})}
        for other in self._scan(self._relisted):
            if other.name[:ID_LENGTH] not in present:
                Path(other).unlink(missing_ok=True)
        return len(old)

    def _in(self, folder: Path, other_names: dict[uuid.UUID, str]) -> Iterator[Entry]:
        for found in self._scan(folder):
            split = _split(found.name)
            if split is None or not found.is_file(follow_symlinks=False):
                continue
            file_id, name = split
            with suppress(FileNotFoundError):  # It has gone on since.
                status = found.stat(follow_symlinks=False)
                listed = other_names.get(file_id, name)
                received = folder is self.received
                yield Entry(file_id, listed, name, Path(found), status.st_size, status.st_mtime, received)

    def _other_names(self) -> dict[uuid.UUID, str]:
        split = (_split(found.name) for found in self._scan(self._relisted))
        return dict(each for each in split if each is not None)

    def _scan(self, folder: Path) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(folder) as found:
                return list(found)
        except FileNotFoundError:
            return []


def room_of(size: int) -> int:
    """Return how much room a file of this size takes, in bytes: whole blocks, and one at least."""
    return max(-(-size // BLOCK), 1) * BLOCK


def usernames(spool: Path) -> list[str]:
    """Return whose files are in the spool."""
    try:
        with os.scandir(spool / OURS) as found:
            return sorted(entry.name for entry in found if entry.is_dir(follow_symlinks=False))
    except FileNotFoundError:
        return []


def _file_name(file_id: uuid.UUID, name: str) -> str:
    return f"{file_id.hex}-{name}"


def _split(file_name: str) -> tuple[uuid.UUID, str] | None:
    """Return id and name of a file in the spool; None for what is none of ours."""
    head, dash, name = file_name[:ID_LENGTH], file_name[ID_LENGTH : ID_LENGTH + 1], file_name[ID_LENGTH + 1 :]
    try:
        return (uuid.UUID(hex=head), names.check(name) if name else HIDDEN) if dash == "-" else None
    except (BadName, ValueError):
        return None


def _gone(path: Path) -> FileNotFoundError:
    return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))


def _sync(path: Path) -> None:
    """Bring a file or a folder to the disk before anybody is told that it is there."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
