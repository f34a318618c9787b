"""Fetch documents from addresses that customers typed: public targets only, bounded in size and time, no redirects."""

import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any
from urllib.parse import urlsplit

import urllib3

CONNECT_SECONDS = 5.0
READ_SECONDS = 10.0
TOTAL_SECONDS = 20.0
CHUNK = 64 * 1024

# Addresses of the NAT64 well-known prefix carry an IPv4 address in their last 32 bits (RFC 6052).
NAT64 = IPv6Network("64:ff9b::/96")
# The only IPv6 space that is in use for public addresses (RFC 4291 section 2.4); site-local and IPv4-compatible
# addresses are outside, although the standard library calls them global.
GLOBAL_UNICAST = IPv6Network("2000::/3")

Address = IPv4Address | IPv6Address


class OutboundError(RuntimeError):
    """An address that is not fetched, or that did not answer well.

    `code` is one of bad_address, needs_https, private, unknown_host, redirect, status, too_large, timeout, tls,
    unreachable; `data` holds what a message needs.
    """

    def __init__(self, code: str, **data: Any) -> None:
        super().__init__(code)
        self.code = code
        self.data = data


@dataclass(frozen=True)
class Target:
    """An address that may be reached: its parts and the one network address that was checked."""

    scheme: str
    host: str
    port: int
    path: str
    address: str

    @property
    def origin(self) -> str:
        """Return scheme, host and port as a browser writes them."""
        return origin_of(self.scheme, self.host, self.port)


def origin_of(scheme: str, host: str, port: int) -> str:
    """Return an origin (RFC 6454) with the default port left out."""
    name = f"[{host}]" if ":" in host else host
    return f"{scheme}://{name}" if port == {"https": 443, "http": 80}.get(scheme) else f"{scheme}://{name}:{port}"


def check_target(url: str, *, allow: frozenset[str]) -> Target:
    """Resolve an address and refuse what must not be reached.

    Only https to public addresses is allowed, unless the operator names the origin in `allow`. Every address that the
    name resolves to must be public, and the one that was checked is the one that is then connected to, so that a name
    cannot change its mind in between (DNS rebinding).

    Raises `OutboundError`.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = _ascii_host(parts.hostname or ""), parts.port
    except ValueError as error:  # A UnicodeError is one too.
        raise OutboundError("bad_address") from error
    if parts.scheme not in {"http", "https"} or not host or parts.username or parts.password:
        raise OutboundError("bad_address")
    port = port or (443 if parts.scheme == "https" else 80)
    allowed = origin_of(parts.scheme, host, port) in allow
    if parts.scheme != "https" and not allowed:
        raise OutboundError("needs_https")
    addresses = _resolve(host, port)
    if not allowed and not all(_is_public(address) for address in addresses):
        raise OutboundError("private", host=host)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port, path, str(addresses[0]))


def _ascii_host(host: str) -> str:
    """Return the name as it is asked for and sent in the Host header (RFC 3490)."""
    return host if host.isascii() else host.encode("idna").decode()


def _resolve(host: str, port: int) -> list[Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return [ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    except (OSError, UnicodeError, ValueError) as error:
        raise OutboundError("unknown_host", host=host) from error


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address):
        embedded = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if embedded is not None:
            return _is_public(embedded)
        if address in NAT64:
            return _is_public(IPv4Address(int(address) & 0xFFFFFFFF))
        if address not in GLOBAL_UNICAST:
            return False
    return address.is_global and not address.is_multicast


def fetch(url: str, *, allow: frozenset[str], largest: int, accept: str = "*/*") -> bytes:
    """GET a document of at most `largest` bytes; redirects are refused, they would lead past the check.

    Raises `OutboundError`.
    """
    target = check_target(url, allow=allow)
    timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
    headers = {
        "Host": urlsplit(target.origin).netloc,
        "Accept": accept,
        "Accept-Encoding": "identity",
        "User-Agent": "rgapp",
    }
    deadline = Deadline(TOTAL_SECONDS)
    try:
        with deadline, _pool(target, timeout, deadline) as pool:
            response = pool.urlopen(
                "GET", target.path, headers=headers, redirect=False, retries=False, preload_content=False
            )
            try:
                body = _body(response, largest)
            finally:
                response.close()
    except urllib3.exceptions.NewConnectionError as error:  # This is called a timeout there, and is none.
        raise OutboundError("unreachable") from error
    except urllib3.exceptions.TimeoutError as error:
        raise OutboundError("timeout") from error
    except (urllib3.exceptions.HTTPError, OSError) as error:
        if deadline.passed:
            raise OutboundError("timeout") from error
        raise OutboundError("tls" if _is_tls(error) else "unreachable") from error
    if deadline.passed:  # What was read until then may look like a whole document.
        raise OutboundError("timeout")
    return body


def _is_tls(error: Exception) -> bool:
    return isinstance(error, urllib3.exceptions.SSLError)


class Deadline:
    """Cuts a connection off when its time is over.

    Timeouts of sockets begin anew with each read, so a server that sends a byte now and then would hold a web process
    for as long as it likes.
    """

    def __init__(self, seconds: float) -> None:
        self.passed = False
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True
        self._watched: list[socket.socket] = []

    def __enter__(self) -> None:
        """Let the time run."""
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        """Stop the clock."""
        self._timer.cancel()
        for duplicate in self._watched:
            duplicate.close()

    def watch(self, connected: socket.socket) -> None:
        """Remember a socket by a duplicate, for TLS takes the first one over."""
        self._watched.append(connected.dup())

    def _cut(self) -> None:
        self.passed = True
        for duplicate in self._watched:
            with suppress(OSError):
                duplicate.shutdown(socket.SHUT_RDWR)


def _pool(target: Target, timeout: urllib3.Timeout, deadline: Deadline) -> urllib3.HTTPConnectionPool:
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
        """A connection whose socket the deadline knows."""

        def _new_conn(self) -> socket.socket:
            connected: socket.socket = super()._new_conn()
            deadline.watch(connected)
            return connected

    pool.ConnectionCls = Watched
    return pool


def _body(response: urllib3.BaseHTTPResponse, largest: int) -> bytes:
    if 300 <= response.status < 400:
        raise OutboundError("redirect", status=response.status)
    # Something compressed was not asked for; a small answer could unpack into any size.
    if response.status != 200 or response.headers.get("Content-Encoding", "identity") != "identity":
        raise OutboundError("status", status=response.status)
    body = bytearray()
    for chunk in response.stream(CHUNK, decode_content=False):
        body += chunk
        if len(body) > largest:
            raise OutboundError("too_large", limit=largest)
    return bytes(body)
