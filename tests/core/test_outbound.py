"""Fetching what customers name: public targets only, bounded, and connected to the address that was checked."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rgapp.outbound import OutboundError, check_target, fetch, fetching

NOTHING: frozenset[str] = frozenset()
Answer = Callable[[socket.socket], None]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Return the names that can be looked up, with their addresses; numbers resolve as the system reads them."""
    known: dict[str, list[str]] = {}
    look_up = socket.getaddrinfo

    def resolve(host: str, port: int, *args: Any, **kwargs: Any) -> Any:
        if host in known:
            return [found for address in known[host] for found in look_up(address, port, *args, **kwargs)]
        return look_up(host, port, *args, **kwargs)

    monkeypatch.undo()  # The guard against other machines: only numbers are looked up here.
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return known


def refusal(url: str, allow: frozenset[str] = NOTHING, **limits: Any) -> str:
    """Return why an address is not fetched."""
    with pytest.raises(OutboundError) as refused:
        fetch(url, allow=allow, **({"largest": 1000} | limits))
    return refused.value.code


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",  # noqa: S104 - nothing is bound to it.
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::",
        "100::1",
    ],
)
def test_no_private_address_is_reached(names: dict[str, list[str]], address: str) -> None:
    names["idp.example"] = [address]
    assert refusal("https://idp.example/metadata") == "private"
    host = f"[{address}]" if ":" in address else address
    assert refusal(f"https://{host}/metadata") == "private"


@pytest.mark.parametrize(
    "host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0", "localhost", "LOCALHOST", "localhost."]
)
def test_no_spelling_of_loopback_is_reached(names: dict[str, list[str]], host: str) -> None:
    assert refusal(f"https://{host}/") in {"private", "unknown_host"}


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"]
)
def test_public_addresses_may_be_reached(names: dict[str, list[str]], address: str) -> None:
    names["idp.example"] = [address]
    target = check_target("https://idp.example/a?b=c", allow=NOTHING)
    assert (target.host, target.port, target.path) == ("idp.example", 443, "/a?b=c")


def test_one_private_address_among_public_ones_is_enough(names: dict[str, list[str]]) -> None:
    names["idp.example"] = ["93.184.216.34", "10.0.0.1"]
    assert refusal("https://idp.example/") == "private"


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("", "bad_address"),
        ("idp.example/metadata", "bad_address"),
        ("ftp://idp.example/", "bad_address"),
        ("file:///etc/passwd", "bad_address"),
        ("https://", "bad_address"),
        ("https://user:secret@idp.example/", "bad_address"),
        ("https://idp.example:99999/", "bad_address"),
        ("https://[::1/", "bad_address"),
        ("https://\udcff.example/", "bad_address"),
        ("https://" + "a" * 70 + "é.example/", "bad_address"),
        ("http://idp.example/", "needs_https"),
        ("https://no-such-host.invalid/", "unknown_host"),
    ],
)
def test_other_addresses_are_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, names: dict[str, list[str]], url: str, code: str
) -> None:
    names["idp.example"] = ["93.184.216.34"]

    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert refusal(url) == code


def test_a_name_outside_ascii_is_asked_for_in_ascii(names: dict[str, list[str]]) -> None:
    names["xn--r8jz45g.example"] = ["93.184.216.34"]
    assert check_target("https://例え.example/", allow=NOTHING).host == "xn--r8jz45g.example"


@contextlib.contextmanager
def serving(answer: Answer) -> Iterator[str]:
    """Run a server on loopback that answers each connection; yields its origin."""
    listener = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def serve() -> None:
        while not ended.is_set():
            with contextlib.suppress(OSError):
                connection, _ = listener.accept()
                with connection, contextlib.suppress(OSError):
                    connection.recv(65536)
                    answer(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        ended.set()
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(timeout=5)


def saying(text: bytes) -> Answer:
    """Return an answer of these bytes."""
    return lambda connection: connection.sendall(text)


OK = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"


def test_an_origin_that_the_operator_names_is_fetched() -> None:
    with serving(saying(OK + b"<xml/>")) as origin:
        assert fetch(f"{origin}/metadata", allow=frozenset({origin}), largest=1000) == b"<xml/>"


@pytest.mark.parametrize("other", ["http://127.0.0.1:1", "https://127.0.0.1", "http://127.0.0.1"])
def test_only_exactly_that_origin_is(other: str) -> None:
    with serving(saying(OK)) as origin:
        assert refusal(f"{origin}/", frozenset({other})) == "needs_https"


def test_the_address_that_was_checked_is_the_one_that_is_connected_to(names: dict[str, list[str]]) -> None:
    """DNS rebinding: the name changes its mind after the first look-up."""
    with serving(saying(OK + b"checked")) as origin:
        port = origin.rpartition(":")[2]
        names["idp.test"] = ["127.0.0.1"]
        really, asked = socket.getaddrinfo, []

        def rebind(host: str, *args: Any, **kwargs: Any) -> Any:
            asked.append(host)
            return really(host, *args, **kwargs)

        socket.getaddrinfo = rebind
        try:
            body = fetch(f"http://idp.test:{port}/", allow=frozenset({f"http://idp.test:{port}"}), largest=100)
        finally:
            socket.getaddrinfo = really
    assert body == b"checked"
    assert asked.count("idp.test") == 1


def test_the_host_header_names_what_was_asked_for(names: dict[str, list[str]]) -> None:
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        names["idp.test"] = ["127.0.0.1"]

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                received.append(connection.recv(65536))
                connection.sendall(OK)

        thread = threading.Thread(target=serve)
        thread.start()
        fetch(f"http://idp.test:{port}/m?x=1", allow=frozenset({f"http://idp.test:{port}"}), largest=100)
        thread.join()
    assert received[0].startswith(b"GET /m?x=1 HTTP/1.1\r\n")
    assert f"Host: idp.test:{port}".encode() in received[0]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n", "redirect"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "status"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n", "status"),
        (OK + b"x" * 1001, "too_large"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "unreachable"),
        (b"not http at all\r\n\r\n", "unreachable"),
        (b"", "unreachable"),
    ],
)
def test_other_answers_are_refused_by_name(answer: bytes, code: str) -> None:
    with serving(saying(answer)) as origin:
        assert refusal(f"{origin}/", frozenset({origin})) == code


def test_a_closed_port_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
    assert refusal(f"{origin}/", frozenset({origin})) == "unreachable"


def test_a_server_without_tls_is_a_tls_problem() -> None:
    with serving(saying(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as origin:
        secure = origin.replace("http:", "https:")
        assert refusal(f"{secure}/", frozenset({secure})) == "tls"


@pytest.mark.parametrize("part", [b"", OK, b"HTTP/1.1 200 OK\r\nX-Slow: "])
def test_a_server_that_trickles_is_cut_off(monkeypatch: pytest.MonkeyPatch, part: bytes) -> None:
    """Each byte comes in time for the socket's own timeout; only the whole takes too long."""
    monkeypatch.setattr(fetching, "TOTAL_SECONDS", 0.5)
    stopped = threading.Event()

    def trickle(connection: socket.socket) -> None:
        connection.sendall(part)
        while not stopped.wait(0.05):
            connection.sendall(b"x" if part else b"")

    with serving(trickle) as origin:
        assert refusal(f"{origin}/", frozenset({origin})) == "timeout"
        stopped.set()


def test_a_silent_server_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "READ_SECONDS", 0.2)
    stopped = threading.Event()
    with serving(lambda _: (stopped.wait(10), None)[1]) as origin:
        assert refusal(f"{origin}/", frozenset({origin})) == "timeout"
        stopped.set()
