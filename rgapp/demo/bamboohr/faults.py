"""What goes wrong on purpose: scripted by the number of the request, counted from 1 since the script was set."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any, Final

from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Request, Response

StartResponse = Callable[..., Any]
HTML: Final = b"<html><body><h1>Bad Gateway</h1></body></html>"


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong with some requests.

    `at` are their numbers; without any it is every one from `since` on, or each `every`-th. `path` limits it to
    addresses that contain it. `seconds` is what a rate limit asks for (a date where `as_date`), or how long it hangs.
    """

    kind: str
    at: tuple[int, ...] = ()
    since: int = 1
    every: int = 1
    path: str = ""
    seconds: float | None = None
    as_date: bool = False
    do: Mapping[str, Any] | None = None

    def hits(self, number: int, path: str) -> bool:
        """Tell whether it goes wrong now."""
        if self.path and self.path not in path:
            return False
        if self.at:
            return number in self.at
        return number >= self.since and (number - self.since) % self.every == 0


@dataclass
class Faulty:
    """Stands before the application, counts requests and spoils some; `act` does what a fault says happens first."""

    app: Any
    act: Callable[[Mapping[str, Any]], Any]
    script: list[Fault] = field(default_factory=list)
    count: int = 0
    paths: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def set(self, script: Iterable[Mapping[str, Any]]) -> None:
        """Begin another script, and to count anew."""
        with self.lock:
            self.script = [Fault(**{**each, "at": tuple(each.get("at", ()))}) for each in script]
            self.count, self.paths = 0, []

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        request = Request(environ)
        if request.path.startswith("/_control"):
            return self.app(environ, start_response)  # type: ignore[no-any-return]
        with self.lock:
            self.count += 1
            number = self.count
            self.paths.append(f"{request.method} {request.path}")
            found = next((fault for fault in self.script if fault.hits(number, request.path)), None)
        if found is None:
            return self.app(environ, start_response)  # type: ignore[no-any-return]
        return self._spoil(found, environ, start_response)

    def _spoil(self, fault: Fault, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        match fault.kind:
            case "rate" | "unavailable":
                wait = {} if fault.seconds is None else {"Retry-After": _wait(fault)}
                made = Response(status=429 if fault.kind == "rate" else 503, headers=wait)
            case "error":
                made = Response("An internal error occurred.", 500)
            case "gateway":
                made = Response(HTML, 502, mimetype="text/html")
            case "garbage":
                made = Response(b'{"data": [{"fields": {"firstName": "Jan', mimetype="application/json")
            case "surprise":
                made = Response(json.dumps({"result": {"rows": 3}}), mimetype="application/json")
            case "page":
                made = Response(HTML, mimetype="text/html")
            case "expired":
                made = Response(status=401)
            case "forbidden":
                made = Response(status=403)
            case "missing":
                made = Response(status=404)
            case "unprocessable":
                made = Response(json.dumps({"status": 422}), 422, mimetype="application/problem+json")
            case "redirect":
                made = Response(status=302, headers={"Location": "/login.php"})
            case "timeout":
                time.sleep(fault.seconds or 60.0)
                return _hang_up(environ, start_response)
            case "reset":
                return _hang_up(environ, start_response)
            case "cut":
                return self._cut(environ, start_response)
            case "do":
                self.act(fault.do or {})
                return self.app(environ, start_response)  # type: ignore[no-any-return]
            case kind:
                raise ValueError(f"there is no fault {kind!r}")
        return made(environ, start_response)

    def _cut(self, environ: dict[str, Any], start_response: StartResponse) -> Iterator[bytes]:
        body, status, headers = run_wsgi_app(self.app, environ)
        whole = b"".join(body)
        start_response(status, list(headers.items()))
        yield whole[: len(whole) // 2]
        _shut(environ)


def _wait(fault: Fault) -> str:
    seconds = fault.seconds or 0.0
    return formatdate(time.time() + seconds, usegmt=True) if fault.as_date else str(int(seconds))


def _hang_up(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    _shut(environ)
    start_response("200 OK", [("Content-Length", "0")])
    return ()


def _shut(environ: dict[str, Any]) -> None:
    connected = environ.get("werkzeug.socket")
    if connected is not None:
        try:
            connected.shutdown(socket.SHUT_RDWR)
        except OSError:
            return
