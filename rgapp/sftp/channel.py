"""A channel on which nothing but SFTP can be started, and how we notice that its connection broke."""

from collections.abc import Callable
from typing import Any, Final

from asyncssh.sftp import SFTPServerHandler
from asyncssh.stream import SSHReader, SSHServerStreamSession, SSHWriter

from rgapp.sftp.session import Session

# Of what comes after it few clients speak anything, and each version more is more to get wrong.
VERSION: Final = 3
# Copying and links inside the server, sparse files, free space, and who made the server: nobody's business here.
LEFT_OUT: Final = (
    b"copy-data",
    b"hardlink@openssh.com",
    b"ranges@asyncssh.com",
    b"statvfs@openssh.com",
    b"fstatvfs@openssh.com",
    b"vendor-id",
)


class _Handler(SFTPServerHandler):
    """Speaks to the client: only what we offer, and knows a farewell from a connection that broke."""

    # The library reads both from the class and changes neither.
    _extensions = [each for each in SFTPServerHandler._extensions if each[0] not in LEFT_OUT]  # noqa: RUF012
    _packet_handlers = {  # noqa: RUF012
        kind: handler for kind, handler in SFTPServerHandler._packet_handlers.items() if kind not in LEFT_OUT
    }

    async def _cleanup(self, exc: Exception | None) -> None:
        """Cut what is open before the library closes it: here nobody has asked for that."""
        await self._session.cut()
        await super()._cleanup(exc)

    @property
    def _session(self) -> Session:
        assert isinstance(self._server, Session)  # noqa: S101 - it was made with one.
        return self._server


class SFTPChannel(SSHServerStreamSession[bytes]):
    """A channel on which nothing but SFTP can be started: no shell, no command, no other subsystem."""

    def __init__(self, make: Callable[[Any], Session], ended: Callable[[], None]) -> None:
        super().__init__(None, make)
        self._make, self._ended = make, ended

    def connection_lost(self, exc: Exception | None) -> None:
        """Say that this channel is closed."""
        super().connection_lost(exc)
        self._ended()

    def session_started(self) -> None:
        """Serve the client until it goes."""
        assert self._chan is not None and self._conn is not None  # noqa: S101, PT018 - the library calls us with both.
        self._chan.set_encoding(None)
        self._encoding = None
        session = self._make(self._chan)
        reader, writer = SSHReader[bytes](self, self._chan), SSHWriter[bytes](self, self._chan)
        self._conn.create_task(_serve(session, reader, writer), reader.logger)


async def _serve(session: Session, reader: SSHReader[bytes], writer: SSHWriter[bytes]) -> None:
    try:
        await _Handler(session, reader, writer, VERSION).run()
    finally:
        await session.cut()  # Whatever ended this, nothing stays open.
