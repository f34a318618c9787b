"""An SFTP session (draft-ietf-secsh-filexfer-02, version 3) over an account's desk: what clients ask, in our words.

Each request is answered before the next one is read, as the library does it. The root `/` is all there is.
"""

import os
import stat
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, Final, TypeVar

import asyncssh
from asyncssh.constants import (
    FXF_APPEND,
    FXF_CREAT,
    FXF_EXCL,
    FXF_TRUNC,
    FXF_WRITE,
)

from rgapp.integrations.sftp.names import BadName, NameProblem, name_of
from rgapp.integrations.sftp.spool import Entry
from rgapp.sftp.desk import Desk
from rgapp.sftp.limits import MOST_HANDLES_OF_SESSION
from rgapp.sftp.services import Services
from rgapp.sftp.upload import Upload
from rgapp.sftp.words import NO_FOLDERS, NO_LINKS, as_sftp_error

T = TypeVar("T")
# A client may ask for four gigabytes at once, and memory is taken before it is known how much there is.
LONGEST_READ: Final = 256 * 1024
LAST_OFFSET: Final = 2**63 - 1
FILE_MODE: Final = stat.S_IFREG | 0o600
FOLDER_MODE: Final = stat.S_IFDIR | 0o700


class Reading:
    """A file that a client has open for reading."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor


class Session(asyncssh.SFTPServer):
    """What one client does with its account's files."""

    def __init__(self, chan: Any, desk: Desk, services: Services, touch: Callable[[], None]) -> None:
        super().__init__(chan)
        self._desk, self._services, self._touch = desk, services, touch
        self._handles: set[Upload | Reading] = set()

    async def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        """Open a file; what is opened for writing counts once it is closed."""
        if len(self._handles) >= MOST_HANDLES_OF_SESSION:
            raise asyncssh.SFTPFailure("Too many files are open.")
        name = self._file(path)
        handle: Upload | Reading
        if pflags & (FXF_WRITE | FXF_APPEND):
            handle = await self._ask(
                lambda: self._desk.open_to_write(
                    name,
                    create=bool(pflags & FXF_CREAT),
                    exclusive=bool(pflags & FXF_EXCL),
                    truncate=bool(pflags & FXF_TRUNC),
                    append=bool(pflags & FXF_APPEND),
                )
            )
        else:
            handle = Reading(await self._ask(lambda: self._desk.open_to_read(name)))
        self._handles.add(handle)
        return handle

    async def close(self, file_obj: object) -> None:
        """Close what a client is done with."""
        handle = self._handle(file_obj)
        if handle not in self._handles:  # The connection is gone, and this was cut already.
            return
        self._handles.discard(handle)
        if isinstance(handle, Reading):
            os.close(handle.descriptor)
        elif await self._ask(lambda: self._desk.close(handle)) is not None:
            await self._services.arrived(self._desk.folder.username)

    async def cut(self) -> None:
        """End everything that is open, for the connection is gone: nothing of it counts."""
        for handle in tuple(self._handles):
            self._handles.discard(handle)
            if isinstance(handle, Reading):
                os.close(handle.descriptor)
            else:
                await self._services.disk(self._desk.cut, handle)

    async def read(self, file_obj: object, offset: int, size: int) -> bytes:
        """Return what stands there, as much of it as goes into one answer; the client asks for the rest."""
        handle = self._handle(file_obj)
        if offset > LAST_OFFSET:
            return b""
        return await self._ask(lambda: os.pread(handle.descriptor, min(size, LONGEST_READ), offset))

    async def write(self, file_obj: object, offset: int, data: bytes) -> int:
        """Write what a client sends."""
        upload = self._upload(file_obj)
        await self._ask(lambda: self._desk.write(upload, offset, data))
        return len(data)

    async def stat(self, path: bytes) -> asyncssh.SFTPAttrs:
        """Return size and time of a file or of the root."""
        name = self._name(path)
        return _attributes(await self._ask(lambda: self._desk.find(name))) if name else _folder_attributes()

    async def lstat(self, path: bytes) -> asyncssh.SFTPAttrs:
        """Return the same: there are no links."""
        return await self.stat(path)

    async def fstat(self, file_obj: object) -> asyncssh.SFTPAttrs:
        """Return size and time of what is open."""
        handle = self._handle(file_obj)
        found = await self._ask(lambda: os.fstat(handle.descriptor))
        return _attributes_of(found.st_size, found.st_mtime)

    async def setstat(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        """Take times and permissions, which mean nothing here; a size is set."""
        name = self._name(path)
        if name:
            await self._ask(lambda: self._desk.find(name))
        if attrs.size is not None:
            size = attrs.size
            await self._ask(lambda: self._desk.set_size(self._file(path), size))

    async def lsetstat(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        """Do the same: there are no links."""
        await self.setstat(path, attrs)

    async def fsetstat(self, file_obj: object, attrs: asyncssh.SFTPAttrs) -> None:
        """Take times and permissions, which mean nothing here; a size is set."""
        if attrs.size is not None:
            upload, size = self._upload(file_obj), attrs.size
            await self._ask(lambda: self._desk.truncate(upload, size))

    async def fsync(self, file_obj: object) -> None:
        """Bring what was written to the disk."""
        handle = self._handle(file_obj)
        await self._ask(lambda: os.fsync(handle.descriptor))

    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        """List the root."""
        name = self._name(path)
        if name:
            await self._ask(lambda: self._desk.find(name))
            raise asyncssh.SFTPNotADirectory("This is a file.")
        for folder in (b".", b".."):
            yield asyncssh.SFTPName(folder, attrs=_folder_attributes())
        for name, entry in sorted((await self._ask(self._desk.listing)).items()):
            yield asyncssh.SFTPName(name.encode(), attrs=_attributes(entry))

    async def remove(self, path: bytes) -> None:
        """List a file no more."""
        name = self._file(path)
        await self._ask(lambda: self._desk.remove(name))

    async def rename(self, oldpath: bytes, newpath: bytes) -> None:
        """Rename a file, over one that is there: the same name again is what a daily file is."""
        old, new = self._file(oldpath), self._file(newpath)
        if await self._ask(lambda: self._desk.rename(old, new)) is not None:
            await self._services.arrived(self._desk.folder.username)

    async def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        """Do the same (posix-rename@openssh.com)."""
        await self.rename(oldpath, newpath)

    def realpath(self, path: bytes) -> bytes:
        """Return a path from the root; it need not exist."""
        try:
            return b"/" + name_of(path).encode()
        except BadName as error:
            if error.problem is not NameProblem.FOLDER:
                raise as_sftp_error(error) from error
        # Clients ask where they would be before they ask whether it exists; it does not.
        return b"/" + b"/".join(part for part in path.split(b"/") if part not in {b"", b".", b".."})

    def mkdir(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        """Refuse: there is only the root."""
        raise asyncssh.SFTPPermissionDenied(NO_FOLDERS)

    def rmdir(self, path: bytes) -> None:
        """Refuse: there is only the root."""
        raise asyncssh.SFTPPermissionDenied(NO_FOLDERS)

    def readlink(self, path: bytes) -> bytes:
        """Refuse: there are no links."""
        raise asyncssh.SFTPOpUnsupported(NO_LINKS)

    def symlink(self, oldpath: bytes, newpath: bytes) -> None:
        """Refuse: there are no links."""
        raise asyncssh.SFTPPermissionDenied(NO_LINKS)

    def link(self, oldpath: bytes, newpath: bytes) -> None:
        """Refuse: there are no links."""
        raise asyncssh.SFTPPermissionDenied(NO_LINKS)

    def format_user(self, uid: int | None) -> str:
        """Name the owner of everything in a listing; who runs this process is nobody's business."""
        return self._desk.folder.username

    def format_group(self, gid: int | None) -> str:
        """Name the group of everything in a listing."""
        return "sftp"

    def _name(self, path: bytes) -> str:
        try:
            return name_of(path)
        except ValueError as error:
            raise as_sftp_error(error) from error

    def _file(self, path: bytes) -> str:
        name = self._name(path)
        if not name:
            raise asyncssh.SFTPPermissionDenied("This is the root.")
        return name

    def _handle(self, file_obj: object) -> Upload | Reading:
        if not isinstance(file_obj, Upload | Reading):
            raise asyncssh.SFTPInvalidHandle("This is not open.")
        return file_obj

    def _upload(self, file_obj: object) -> Upload:
        if not isinstance(file_obj, Upload):
            raise asyncssh.SFTPPermissionDenied("This is open for reading only.")
        return file_obj

    async def _ask(self, function: Callable[[], T]) -> T:
        """Run something on the disk in a thread; its errors become the client's."""
        self._touch()
        try:
            return await self._services.disk(function)
        except Exception as error:
            raise as_sftp_error(error) from error


def _attributes(entry: Entry) -> asyncssh.SFTPAttrs:
    return _attributes_of(entry.size, entry.modified)


def _attributes_of(size: int, modified: float) -> asyncssh.SFTPAttrs:
    at = int(modified)
    return asyncssh.SFTPAttrs(size=size, uid=0, gid=0, permissions=FILE_MODE, atime=at, mtime=at, nlink=1)


def _folder_attributes() -> asyncssh.SFTPAttrs:
    at = int(time.time())
    return asyncssh.SFTPAttrs(size=0, uid=0, gid=0, permissions=FOLDER_MODE, atime=at, mtime=at, nlink=1)
