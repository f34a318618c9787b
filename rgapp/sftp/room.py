"""How much room an account's files take, all together: what counts, what waits, and what is kept after its run."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rgapp.integrations.sftp.spool import Folder


class Room:
    """The room of one account, for all its connections.

    It is measured when a file is begun, and counted while files grow. What was deleted meanwhile, by its sender or by
    whoever tidies up, is found by measuring once more before anything is refused.
    """

    def __init__(self, folder: Folder, most_bytes: int) -> None:
        self._folder, self._most = folder, most_bytes
        self._lock = threading.Lock()
        self._taken = self._copied = 0

    def measure(self) -> None:
        """Look how much is taken."""
        with self._lock:
            self._measure()

    @contextmanager
    def copying(self, size: int) -> Iterator[None]:
        """Count so many bytes that were taken for a copy until they lie in the folder; meanwhile some count twice."""
        with self._lock:
            self._copied += size
        try:
            yield
        finally:
            with self._lock:
                self._copied -= size

    def take(self, growth: int) -> bool:
        """Take so many bytes more (`spool.room_of`); tells whether there is enough."""
        with self._lock:
            if growth > 0 and self._taken + growth > self._most:
                self._measure()
                if self._taken + growth > self._most:
                    return False
            self._taken += max(growth, 0)
            return True

    def _measure(self) -> None:
        self._taken = self._folder.size() + self._copied
