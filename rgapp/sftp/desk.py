"""The desk of one account: what its connections may do to its files. No SSH here, and nothing that waits for a client.

Each upload writes into a file of its own, so two connections that send the same name do not disturb each other. It
counts when it is closed by its client; what a cut connection left, and what failed half-way, stays unfinished.
"""

import os
import shutil
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rgapp.integrations.sftp.names import waits
from rgapp.integrations.sftp.spool import Entry, Folder, room_of
from rgapp.sftp.limits import Quota
from rgapp.sftp.room import Room
from rgapp.sftp.upload import Reason, Refused, Upload


class Desk:
    """One account's files, for all its connections; every method may be called from any thread."""

    def __init__(self, folder: Folder, quota: Quota) -> None:
        self.folder, self._quota = folder, quota
        self._lock = threading.RLock()
        self._open: dict[uuid.UUID, Upload] = {}
        self._room = Room(folder, quota.total_bytes)
        folder.make()

    @property
    def is_busy(self) -> bool:
        """Tell whether anything is being uploaded."""
        return bool(self._open)

    def listing(self) -> dict[str, Entry]:
        """Return what is listed."""
        with self._lock:
            return self.folder.listing()

    def find(self, name: str) -> Entry:
        """Return the file with this name.

        Raises `Refused`.
        """
        found = self.listing().get(name)
        if found is None:
            raise Refused(Reason.NOT_FOUND)
        return found

    def open_to_read(self, name: str) -> int:
        """Open a file for reading; returns its descriptor.

        Raises `Refused`.
        """
        try:
            return os.open(self.find(name).path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise Refused(Reason.NOT_FOUND) from error

    def open_to_write(
        self, name: str, *, create: bool, exclusive: bool = False, truncate: bool = False, append: bool = False
    ) -> Upload:
        """Open a file for writing: a new one, or what is there to be continued.

        Whoever continues an upload takes it over from a connection that may be dead without our knowing it yet.

        Raises `Refused`.
        """
        with self._lock:
            listing = self.folder.listing()
            found, begun = listing.get(name), False
            if found is None and not create:
                raise Refused(Reason.NOT_FOUND)
            if found is not None and create and exclusive:
                raise Refused(Reason.EXISTS)
            if found is None or truncate:
                if found is None and len(listing) >= self._quota.files:
                    raise Refused(Reason.TOO_MANY)
                found, begun = self._begin(name), True
            elif found.received:
                return Upload(name, append=append, source=found.path)
            elif (before := self._open.get(found.id)) is not None:
                with before.lock:
                    before.taken_over = True
            upload = Upload(name, append=append, entry=found)
            upload.begun = begun
            self._open[found.id] = upload
            return upload

    def write(self, upload: Upload, offset: int, data: bytes) -> None:
        """Write at an offset, or at the end where the client asked for appending.

        Raises `Refused` and `OSError` (the disk is full); either makes the upload one that does not count.
        """
        with self._writing(upload):
            size = os.fstat(upload.descriptor).st_size
            if upload.append:
                offset = size
            self._may_grow(size, max(size, offset + len(data)))
            view = memoryview(data)
            while view:
                written = os.pwrite(upload.descriptor, view, offset)
                offset, view = offset + written, view[written:]

    def truncate(self, upload: Upload, size: int) -> None:
        """Cut an upload to a size, or lengthen it.

        Raises `Refused` and `OSError`.
        """
        with self._writing(upload):
            self._may_grow(os.fstat(upload.descriptor).st_size, size)
            os.ftruncate(upload.descriptor, size)

    def close(self, upload: Upload) -> Entry | None:
        """End an upload as its client asked; returns the file if it counts now, None if it waits for its rename.

        Raises `Refused` where it is not whole: too large ones are deleted, others stay to be continued.
        """
        if upload.entry is not None:
            try:
                os.fsync(upload.descriptor)  # Before the lock: it takes as long as the disk takes.
            except OSError:
                upload.failed = True
        with self._lock:
            entry = self._end(upload)
            if upload.taken_over:
                raise Refused(Reason.TAKEN_OVER)
            if entry is None or not entry.path.exists():  # Nothing was written, or it was deleted meanwhile.
                return None
            if upload.failed:
                if upload.too_large:
                    entry.path.unlink(missing_ok=True)
                raise Refused(Reason.INCOMPLETE)
            return None if waits(entry.name) else self.folder.finish(entry, busy=self._open)

    def cut(self, upload: Upload) -> None:
        """End an upload whose connection is gone: it stays unfinished, so that its client can continue."""
        with self._lock:
            self._end(upload)

    def rename(self, old: str, new: str) -> Entry | None:
        """Rename a file, over one that has the new name; returns the file if it counts now.

        What was received before is only listed under another name. What is still being written counts once it is
        closed. Raises `Refused`.
        """
        with self._lock:
            entry = self.find(old)
            if old == new:
                return None
            if entry.received:
                self.folder.remove(new)
                self.folder.relist(entry, new)
                self.folder.remove(old)
                return None
            upload = self._open.get(entry.id)
            if upload is None and not waits(new):
                done = self.folder.finish(entry, name=new, busy=self._open)
                self.folder.remove(old)
                return done
            self.folder.remove(new)
            renamed = self.folder.rename_unfinished(entry, new)
            if upload is not None:
                upload.entry, upload.name = renamed, new
            self.folder.remove(old)
            return None

    def remove(self, name: str) -> None:
        """Let a name be listed no more; a file that was received goes its way nevertheless.

        Raises `Refused`.
        """
        with self._lock:
            self.find(name)
            self.folder.remove(name)

    def set_size(self, name: str, size: int) -> None:
        """Cut an unfinished file to a size.

        Raises `Refused`.
        """
        with self._lock:
            entry = self.find(name)
            if entry.received:
                raise Refused(Reason.RECEIVED)
            self._may_grow(entry.size, size)
            os.truncate(entry.path, size)

    def sweep(self, *, before: float) -> int:
        """Delete what was left unfinished and untouched since then."""
        with self._lock:
            return self.folder.sweep(before=before, busy=self._open)

    @contextmanager
    def _writing(self, upload: Upload) -> Iterator[None]:
        with upload.lock:
            if upload.taken_over:
                raise Refused(Reason.TAKEN_OVER)
            try:
                if upload.source is not None:
                    self._continue(upload, upload.source)
                yield
            except BaseException as error:
                upload.failed = True
                if isinstance(error, Refused):
                    upload.too_large |= error.reason is Reason.TOO_LARGE
                    upload.too_large |= error.reason is Reason.NO_ROOM and upload.begun
                raise

    def _continue(self, upload: Upload, source: Path) -> None:
        """Copy what was received, so that the upload goes on from there."""
        size = source.stat().st_size
        with self._room.copying(room_of(size)):
            with self._lock:
                if upload.name not in (listing := self.folder.listing()) and len(listing) >= self._quota.files:
                    raise Refused(Reason.TOO_MANY)
                entry = self._begin(upload.name)  # What is copied is counted already.
                upload.entry, upload.source, upload.begun = entry, None, True
                self._open[entry.id] = upload
            shutil.copyfile(source, entry.path)
        os.close(upload.descriptor)
        upload.descriptor = os.open(entry.path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)

    def _begin(self, name: str) -> Entry:
        """Begin a file."""
        self.folder.drop_repeated(busy=self._open)
        self._room.measure()
        if not self._room.take(room_of(0)):
            raise Refused(Reason.NO_ROOM)
        return self.folder.begin(name)

    def _may_grow(self, before: int, after: int) -> None:
        """Refuse what makes a file larger than it may be, or an account fuller."""
        if after > self._quota.file_bytes:
            raise Refused(Reason.TOO_LARGE)
        if not self._room.take(room_of(after) - room_of(before)):
            raise Refused(Reason.NO_ROOM)

    def _end(self, upload: Upload) -> Entry | None:
        with upload.lock:
            with suppress(OSError):
                os.close(upload.descriptor)
            entry = upload.entry
            if entry is not None and self._open.get(entry.id) is upload:
                del self._open[entry.id]
            return entry
