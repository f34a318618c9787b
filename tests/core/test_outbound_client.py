"""The client of APIs: what is tried again, how long it waits, when it gives up, and what it never says."""

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rgapp.outbound import Client, OutboundError
from rgapp.outbound.client import LONGEST_WAIT, _asked

NOW = datetime(2026, 5, 3, 9, 30, tzinfo=UTC)
Script = list[tuple[int, dict[str, str], bytes]]


class Place:
    """A server that answers by a script, and then with its last answer again and again."""

    def __init__(self, script: Script) -> None:
        self.script, self.asked = script, list[tuple[str, str, dict[str, str], bytes]]()
        self.connections = set[Any]()
        self.clients: list[Client] = []
        place = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                place.asked.append((self.command, self.path, dict(self.headers.items()), body))
                place.connections.add(self.client_address)
                status, headers, data = place.script.pop(0) if len(place.script) > 1 else place.script[0]
                self.send_response(status)
                for name, value in ({"Content-Length": str(len(data))} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)
                if "Content-Length" in headers:
                    self.close_connection = True

            do_GET = do_POST = answer

            def log_message(self, *args: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.origin = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self) -> "Place":
        Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for client in self.clients:
            client.close()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def place() -> Iterator[Callable[..., Place]]:
    """Return a function that starts a server with a script."""
    with ExitStack() as stack:
        yield lambda *script: stack.enter_context(Place(list(script)))


def client_of(place: Place, waited: list[float] | None = None, **options: Any) -> Client:
    waits = waited if waited is not None else []
    given = {"sleep": waits.append, "now": lambda: NOW, "jitter": lambda: 1.0} | options
    made = Client(place.origin, allow=frozenset({place.origin}), **given)
    place.clients.append(made)
    return made


OK = (200, {}, b'{"a": 1}')


def test_an_answer_is_json_with_its_status(place: Callable[..., Place]) -> None:
    there = place(OK)
    answer = client_of(there, headers={"X-Who": "us"}).get("/a/b", {"q": "1 2", "page[limit]": "3"})
    assert (answer.status, answer.data) == (200, {"a": 1})
    method, path, headers, _ = there.asked[0]
    assert (method, path, headers["X-Who"]) == ("GET", "/a/b?q=1+2&page%5Blimit%5D=3", "us")
    assert headers["Accept-Encoding"] == "identity"


def test_bodies_are_json_or_forms(place: Callable[..., Place]) -> None:
    there = place(OK)
    client = client_of(there)
    client.post("/", {"ä": [1]})
    client.post_form("/", {"a": "b c"})
    assert [(headers["Content-Type"], body) for _, _, headers, body in there.asked] == [
        ("application/json", b'{"\\u00e4": [1]}'),
        ("application/x-www-form-urlencoded", b"a=b+c"),
    ]


def test_many_requests_go_over_one_connection(place: Callable[..., Place]) -> None:
    there = place(OK)
    client = client_of(there)
    for _ in range(5):
        client.get("/")
    assert len(there.connections) == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_passes_is_tried_again(place: Callable[..., Place], status: int) -> None:
    there = place((status, {}, b""), (status, {}, b""), OK)
    waited: list[float] = []
    assert client_of(there, waited).get("/").data == {"a": 1}
    assert waited == [1.0, 2.0]


def test_what_is_no_json_is_tried_again(place: Callable[..., Place]) -> None:
    there = place((200, {}, b'{"a": '), (200, {}, b"<html>"), OK)
    assert client_of(there).get("/").data == {"a": 1}


def test_a_cut_answer_is_tried_again(place: Callable[..., Place]) -> None:
    there = place((200, {"Content-Length": "90"}, b'{"a": 1}'), OK)
    assert client_of(there).get("/").data == {"a": 1}


def test_jitter_is_full(place: Callable[..., Place]) -> None:
    waited: list[float] = []
    with pytest.raises(OutboundError):
        client_of(place((500, {}, b"")), waited, jitter=lambda: 0.5).get("/")
    assert waited == [0.5, 1.0, 2.0, 4.0]


@pytest.mark.parametrize(("status", "code"), [(429, "status"), (500, "status"), (503, "status")])
def test_after_five_tries_it_is_over(place: Callable[..., Place], status: int, code: str) -> None:
    there = place((status, {"Retry-After": "1"}, b""))
    with pytest.raises(OutboundError) as refused:
        client_of(there).get("/")
    assert (refused.value.code, refused.value.data) == (code, {"status": status})
    assert len(there.asked) == 5


@pytest.mark.parametrize("said", ["0", format_datetime(NOW - timedelta(seconds=5), usegmt=True)])
def test_a_wait_that_is_over_already_is_none_and_the_pauses_grow(place: Callable[..., Place], said: str) -> None:
    waited: list[float] = []
    with pytest.raises(OutboundError):
        client_of(place((429, {"Retry-After": said}, b"")), waited, jitter=lambda: 0.5).get("/")
    assert waited == [0.5, 1.0, 2.0, 4.0]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
def test_a_refusal_is_an_answer(place: Callable[..., Place], status: int) -> None:
    there = place((status, {}, b"not json"))
    answer = client_of(there).get("/")
    assert (answer.status, answer.data, len(there.asked)) == (status, None, 1)


def test_a_redirect_is_not_followed(place: Callable[..., Place]) -> None:
    there = place((302, {"Location": "http://169.254.169.254/"}, b""))
    with pytest.raises(OutboundError) as refused:
        client_of(there).get("/")
    assert (refused.value.code, len(there.asked)) == ("redirect", 1)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("said", ["60", format_datetime(NOW + timedelta(seconds=60), usegmt=True)])
def test_a_minute_is_waited_for(place: Callable[..., Place], status: int, said: str) -> None:
    waited: list[float] = []
    there = place((status, {"Retry-After": said}, b""), OK)
    assert client_of(there, waited).get("/").status == 200
    assert waited == [20.0, 20.0, 20.0]


@pytest.mark.parametrize("said", ["61", "86400", format_datetime(NOW + timedelta(seconds=61), usegmt=True)])
def test_more_than_a_minute_is_for_later(place: Callable[..., Place], said: str) -> None:
    waited: list[float] = []
    there = place((429, {"Retry-After": said}, b""))
    with pytest.raises(OutboundError) as refused:
        client_of(there, waited).get("/")
    assert (refused.value.code, waited, len(there.asked)) == ("later", [], 1)
    assert refused.value.data["at"] >= NOW + timedelta(seconds=61)


def test_a_body_has_an_end(place: Callable[..., Place]) -> None:
    there = place((200, {}, b"[" + b"1," * 5_000 + b"1]"))
    with pytest.raises(OutboundError) as refused:
        client_of(there, largest=10_000).get("/")
    assert (refused.value.code, len(there.asked)) == ("too_large", 1)


def test_who_waits_says_so_now_and_then(place: Callable[..., Place]) -> None:
    signs: list[int] = []
    there = place((429, {"Retry-After": "50"}, b""), OK)
    client_of(there, alive=lambda: signs.append(1)).get("/")
    assert len(signs) == 5


def test_an_address_inside_is_refused_unless_the_operator_names_it(place: Callable[..., Place]) -> None:
    there = place(OK)
    with pytest.raises(OutboundError) as refused:
        Client(there.origin, allow=frozenset()).get("/")
    assert refused.value.code in {"needs_https", "private"}
    assert there.asked == []


def test_a_header_that_cannot_be_sent_is_said(place: Callable[..., Place]) -> None:
    there = place(OK)
    with pytest.raises(OutboundError) as refused:
        client_of(there, headers={"Authorization": "Bearer a\r\nX: b"}).get("/")
    assert refused.value.code == "bad_header"


def test_the_log_holds_no_secrets(place: Callable[..., Place], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    there = place((500, {}, b"body-secret"), OK)
    client = client_of(there, headers={"Authorization": "Bearer token-secret"})
    client.post_form("/token.php", {"refresh_token": "form-secret"}, {"key": "query-secret"})
    assert "/token.php status" in caplog.text
    assert "secret" not in caplog.text


def test_the_log_holds_no_query_of_a_whole_address(
    place: Callable[..., Place], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client_of(place((500, {}, b""), OK)).get("/raas/people?token=query-secret")
    assert "/raas/people status" in caplog.text
    assert "secret" not in caplog.text


def test_halves_of_characters_pass_to_where_the_rules_are(place: Callable[..., Place]) -> None:
    assert client_of(place((200, {}, b'{"a": "\\ud83d"}'))).get("/").data == {"a": "\ud83d"}


@pytest.mark.parametrize("raw", [b"NaN", b"[" * 100_000, b"1" * 5_000, b"\xff\xfe", b""])
def test_what_json_must_not_be_is_garbage(place: Callable[..., Place], raw: bytes) -> None:
    with pytest.raises(OutboundError) as refused:
        client_of(place((200, {}, raw)), tries=1).get("/")
    assert refused.value.code == "garbage"


@given(
    st.text(max_size=40)
    | st.sampled_from(["Mon, 99999999999999999999 Jan 2024 00:00:00 GMT", f"Mon, 01 Jan 2024 00:00:00 +{'9' * 20}"])
)
def test_any_retry_after_is_read_or_left(said: str) -> None:
    asked = _asked(said, NOW)
    assert asked is None or asked >= 0


@given(st.integers(min_value=0, max_value=10**6))
def test_a_date_means_the_same_as_its_seconds(seconds: int) -> None:
    date = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
    assert _asked(date, NOW) == _asked(str(seconds), NOW) == seconds
    assert LONGEST_WAIT == 60
