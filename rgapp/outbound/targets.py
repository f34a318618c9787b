"""Which addresses that customers typed may be reached: public ones, and those that the operator names."""

import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any
from urllib.parse import urlsplit

# Addresses of the NAT64 well-known prefix carry an IPv4 address in their last 32 bits (RFC 6052).
NAT64 = IPv6Network("64:ff9b::/96")
# The only IPv6 space that is in use for public addresses (RFC 4291 section 2.4); site-local and IPv4-compatible
# addresses are outside, although the standard library calls them global.
GLOBAL_UNICAST = IPv6Network("2000::/3")

Address = IPv4Address | IPv6Address


class OutboundError(RuntimeError):
    """An address that is not fetched, or that did not answer well.

    `code` is one of bad_address, needs_https, private, unknown_host, redirect, status, too_large, timeout, tls,
    unreachable, later, garbage, bad_header; `data` holds what a message needs.
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
