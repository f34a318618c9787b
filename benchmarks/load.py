"""The load generator: one process, one loop, prepared bytes on kept connections; far cheaper than any server."""

import pickle
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

PATIENCE_SECONDS = 60
_LENGTH = b"\r\ncontent-length:"


class LoadError(RuntimeError):
    """A server closed the connection or did not answer in time."""


@dataclass(frozen=True)
class Answer:
    """What came back for one prepared request, and how long it took."""

    status: int
    milliseconds: float
    head: bytes = b""
    body: bytes = b""


@dataclass(frozen=True)
class Load:
    """The answers, in the order of the requests, and how long all of them took."""

    answers: list[Answer]
    seconds: float
    generator_ms: float

    def percentile(self, percent: float) -> float:
        """Return the milliseconds within which this share of the requests was answered."""
        ordered = sorted(answer.milliseconds for answer in self.answers)
        return ordered[min(len(ordered) - 1, round(len(ordered) * percent / 100))]

    @property
    def per_second(self) -> float:
        """Return the throughput."""
        return len(self.answers) / self.seconds

    def statuses(self) -> dict[int, int]:
        """Count the answers by their status."""
        counts: dict[int, int] = {}
        for answer in self.answers:
            counts[answer.status] = counts.get(answer.status, 0) + 1
        return counts


def post(path: str, body: bytes, *, host: str, cookie: str = "", client: str = "192.0.2.1") -> bytes:
    """Prepare the bytes of a form's POST as a browser behind our proxy sends it."""
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: {host}",
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "Accept-Language: en-GB,en;q=0.5",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(body)}",
        "Origin: https://idp.example",
        f"X-Forwarded-For: {client}",
        *([f"Cookie: {cookie}"] if cookie else []),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def get(path: str, *, host: str, cookie: str = "", client: str = "192.0.2.1") -> bytes:
    """Prepare the bytes of a GET."""
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", "User-Agent: Mozilla/5.0", f"X-Forwarded-For: {client}"]
    return ("\r\n".join([*lines, *([f"Cookie: {cookie}"] if cookie else [])]) + "\r\n\r\n").encode()


def scim(method: str, path: str, *, host: str, token: str, body: bytes = b"") -> bytes:
    """Prepare the bytes of a SCIM request."""
    lines = [
        f"{method} {path} HTTP/1.1",
        f"Host: {host}",
        f"Authorization: Bearer {token}",
        "Accept: application/scim+json",
        "User-Agent: benchmark",
        *(["Content-Type: application/scim+json", f"Content-Length: {len(body)}"] if body else []),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def run(port: int, requests: Sequence[bytes], *, clients: int, heads: bool = False) -> Load:
    """Send the requests over so many connections at once, from a process of its own; raises `LoadError`.

    `heads` keeps what the answers say, which some callers read.
    """
    done = subprocess.run(
        [sys.executable, "-c", "from benchmarks.load import child; child()"],
        cwd=Path(__file__).resolve().parent.parent,
        input=pickle.dumps((port, list(requests), clients, heads)),
        stdout=subprocess.PIPE,
        check=True,
    )
    result: Load | str = pickle.loads(done.stdout)  # noqa: S301 - our own child wrote it.
    if isinstance(result, str):
        raise LoadError(result)
    return result


def child() -> None:
    """Do what `run` asks, in the process that it starts; a new one, so that it shares nothing with the caller."""
    port, requests, clients, heads = pickle.load(sys.stdin.buffer)  # noqa: S301 - our own parent wrote it.
    result: Load | str
    try:
        result = _Generator(port, requests, heads).run(clients)
    except (LoadError, OSError) as error:
        result = f"{type(error).__name__}: {error}"
    sys.stdout.buffer.write(pickle.dumps(result))


@dataclass
class _Client:
    """One connection, and the answer it waits for."""

    socket: socket.socket
    number: int = -1
    started: float = 0.0
    received: bytearray = field(default_factory=bytearray)


class _Generator:
    def __init__(self, port: int, requests: Sequence[bytes], heads: bool) -> None:
        self.port, self.requests, self.heads = port, requests, heads
        self.answers: list[Answer | None] = [None] * len(requests)
        self.next = 0
        self.waiting = selectors.DefaultSelector()

    def run(self, clients: int) -> Load:
        """Send everything; returns when the last answer is in."""
        opened = [self._open() for _ in range(min(clients, len(self.requests)))]
        begun, used = time.perf_counter(), time.process_time()
        active = sum(self._send(client) for client in opened)
        while active:
            ready = self.waiting.select(PATIENCE_SECONDS)
            if not ready:
                raise LoadError(f"no answer within {PATIENCE_SECONDS} seconds")
            active -= sum(self._take(key.data) for key, _ in ready)
        seconds, spent = time.perf_counter() - begun, time.process_time() - used
        for client in opened:
            client.socket.close()
        return Load([answer for answer in self.answers if answer is not None], seconds, spent * 1000)

    def _open(self) -> _Client:
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_SECONDS)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = _Client(connection)
        self.waiting.register(connection, selectors.EVENT_READ, client)
        return client

    def _send(self, client: _Client) -> bool:
        """Send the next request; False where none is left."""
        if self.next >= len(self.requests):
            return False
        client.number, self.next = self.next, self.next + 1
        client.started = time.perf_counter()
        client.socket.sendall(self.requests[client.number])
        return True

    def _take(self, client: _Client) -> int:
        """Take what arrived, and send the next request after a whole answer; 1 where the client is done."""
        part = client.socket.recv(65536)
        client.received += part
        head, found, body = bytes(client.received).partition(b"\r\n\r\n")
        at = head.lower().find(_LENGTH) if found else -1
        complete = at >= 0 and len(body) >= int(head[at + len(_LENGTH) :].split(b"\r\n", 1)[0])
        complete = complete or (found != b"" and head[9:12] == b"204")
        if not complete:
            if not part:
                raise LoadError(f"the server closed the connection after {bytes(client.received[:200])!r}")
            return 0
        taken = (time.perf_counter() - client.started) * 1000
        self.answers[client.number] = Answer(
            int(head[9:12]), taken, head if self.heads else b"", bytes(body) if self.heads else b""
        )
        client.received.clear()
        if b"connection: close" in head.lower():
            self._replace(client)
        return 0 if self._send(client) else 1

    def _replace(self, client: _Client) -> None:
        """Open the connection again where the server does not keep it."""
        self.waiting.unregister(client.socket)
        client.socket.close()
        client.socket = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_SECONDS)
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.waiting.register(client.socket, selectors.EVENT_READ, client)
