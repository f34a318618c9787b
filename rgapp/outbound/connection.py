"""Connections to a checked address: to that very address, verified by the host's name, and cut off in time."""

import logging
import socket
import threading
from contextlib import suppress
from typing import Any, Final

import urllib3

from rgapp.outbound.targets import OutboundError, Target

CHUNK: Final = 64 * 1024
USER_AGENT: Final = "rgapp"

# urllib3 writes whole addresses, queries included, into its debug log.
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)


class Wire:
    """The socket in use at the moment, known by a duplicate, for TLS takes the first one over."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._duplicate: socket.socket | None = None

    def watch(self, connected: socket.socket) -> None:
        """Remember a new socket and forget the one before."""
        with self._lock:
            self._forget()
            self._duplicate = connected.dup()

    def cut(self) -> None:
        """Cut the connection off: whoever reads from it or writes to it finds it closed."""
        with self._lock:
            if self._duplicate is not None:
                with suppress(OSError):
                    self._duplicate.shutdown(socket.SHUT_RDWR)
                self._forget()

    def close(self) -> None:
        """Let go of the duplicate."""
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        if self._duplicate is not None:
            self._duplicate.close()
            self._duplicate = None


class Deadline:
    """Cuts a connection off when its time is over.

    Timeouts of sockets begin anew with each read, so a server that sends a byte now and then would hold a process for
    as long as it likes.
    """

    def __init__(self, seconds: float, wire: Wire) -> None:
        self.passed = False
        self._wire = wire
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> None:
        """Let the time run."""
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        """Stop the clock."""
        self._timer.cancel()

    def _cut(self) -> None:
        self.passed = True
        self._wire.cut()


def pool_to(target: Target, timeout: urllib3.Timeout, wire: Wire) -> urllib3.HTTPConnectionPool:
    """Return a pool that connects to the checked address and still speaks to, and verifies, the host by its name."""
    if target.scheme == "http":
        pool = urllib3.HTTPConnectionPool(target.address, target.port, timeout=timeout, maxsize=1)
    else:
        pool = urllib3.HTTPSConnectionPool(
            target.address,
            target.port,
            timeout=timeout,
            maxsize=1,
            server_hostname=target.host,
            assert_hostname=target.host,
        )
    kind: Any = pool.ConnectionCls

    class Watched(kind):  # type: ignore[misc]  # The class depends on the scheme.
        """A connection whose socket can be cut off."""

        def _new_conn(self) -> socket.socket:
            connected: socket.socket = super()._new_conn()
            wire.watch(connected)
            return connected

    pool.ConnectionCls = Watched
    return pool


def trouble(error: Exception, deadline: Deadline) -> OutboundError:
    """Say what an error of the connection means."""
    if isinstance(error, urllib3.exceptions.NewConnectionError):  # It is called a timeout there, and is none.
        return OutboundError("unreachable")
    if isinstance(error, urllib3.exceptions.TimeoutError) or deadline.passed:
        return OutboundError("timeout")
    return OutboundError("tls" if isinstance(error, urllib3.exceptions.SSLError) else "unreachable")


def body_of(response: urllib3.BaseHTTPResponse, largest: int) -> bytes:
    """Read a body of at most `largest` bytes.

    Something compressed was not asked for; a small answer could unpack into any size. Raises `OutboundError`.
    """
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise OutboundError("status", status=response.status)
    body = bytearray()
    for chunk in response.stream(CHUNK, decode_content=False):
        body += chunk
        if len(body) > largest:
            raise OutboundError("too_large", limit=largest)
    return bytes(body)
