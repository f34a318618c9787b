"""A client of other services' APIs: patient with what passes, bounded in size and time, and silent about secrets."""

import json
import logging
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import urllib3
from pydantic_core import from_json

from rgapp.clock import utcnow
from rgapp.outbound.connection import USER_AGENT, Deadline, Wire, body_of, pool_to, trouble
from rgapp.outbound.targets import OutboundError, Target, check_target

logger = logging.getLogger(__name__)

CONNECT_SECONDS: Final = 5.0
TRY_SECONDS: Final = 30.0
MOST_TRIES: Final = 5
# What a `Retry-After` may ask for at most; longer waits are for another time.
LONGEST_WAIT: Final = 60.0
# Back-off with full jitter: anything between nothing and this, twice as much after each try.
FIRST_BACK_OFF: Final = 1.0
LATEST: Final = 86_400.0
LARGEST: Final = 64 * 1024 * 1024
# A wait is cut into such parts, and in between it is said that we are alive.
PART_OF_WAIT: Final = 20.0
NOT_MODIFIED: Final = 304
ASKS_TO_WAIT: Final = frozenset({429, 503})
PASSES: Final = frozenset({"unreachable", "timeout", "unknown_host", "garbage"})


@dataclass(frozen=True)
class Answer:
    """What came back: the status, headers without regard to case, and the JSON where there is any."""

    status: int
    headers: Mapping[str, str]
    data: Any


def nothing() -> None:
    """Do nothing: nobody waits for a sign of life."""


class Client:
    """Asks one service at `base`, an address with or without a path; one request at a time, over one connection.

    Each try has `seconds` in all; 429, 503, other 5xx, trouble with the connection and answers that are no JSON are
    tried again, up to `tries` times. `headers` go with each request. `alive` is called before each try and now and
    then during a wait.
    """

    def __init__(
        self,
        base: str,
        *,
        allow: frozenset[str],
        headers: Mapping[str, str] | None = None,
        largest: int = LARGEST,
        seconds: float = TRY_SECONDS,
        tries: int = MOST_TRIES,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] = utcnow,
        jitter: Callable[[], float] = random.random,
        alive: Callable[[], None] = nothing,
    ) -> None:
        self.headers: dict[str, str] = dict(headers or {})
        self.requests = 0
        self._base = base.rstrip("/")
        self._allow = allow
        self._largest = largest
        self._seconds = seconds
        self._tries = tries
        self._sleep = sleep
        self._now = now
        self._jitter = jitter
        self._alive = alive
        self._wire = Wire()
        self._opened: tuple[Target, urllib3.HTTPConnectionPool] | None = None

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Answer:
        """GET, and return the answer; see `request`."""
        return self.request("GET", path, query=query)

    def post(self, path: str, body: Any, query: Mapping[str, str] | None = None) -> Answer:
        """POST JSON, and return the answer; see `request`. It must do no harm to ask twice."""
        return self.request("POST", path, query=query, body=json.dumps(body).encode(), kind="application/json")

    def post_form(self, path: str, form: Mapping[str, str], query: Mapping[str, str] | None = None) -> Answer:
        """POST a form, and return the answer; see `request`. It must do no harm to ask twice."""
        encoded = urlencode(form).encode()
        return self.request("POST", path, query=query, body=encoded, kind="application/x-www-form-urlencoded")

    def request(
        self, method: str, path: str, *, query: Mapping[str, str] | None = None, body: bytes | None = None,
        kind: str = "",
    ) -> Answer:  # fmt: skip
        """Ask until there is an answer below 500 that is none of 429, and return it.

        Raises `OutboundError`: that of the last try; `redirect`; `later` with `at`, the time from which to ask again,
        where the service wants us to wait for longer than a minute.
        """
        address = path + (f"?{urlencode(query)}" if query else "")
        for number in range(1, self._tries + 1):
            self._alive()
            try:
                answer, wait = self._try(method, address, body, kind)
                if answer is not None:
                    return answer
                last = OutboundError("status", status=wait.status)
            except OutboundError as error:
                if error.code not in PASSES:
                    raise
                self.close()
                wait, last = _Wait(0), error
            seconds = self._seconds_of(wait, number)
            if seconds > LONGEST_WAIT:
                at = self._now() + timedelta(seconds=min(seconds, LATEST))
                raise OutboundError("later", at=at, status=wait.status)
            if number < self._tries:
                shown = path.partition("?")[0]  # What stands behind it may open something.
                logger.info("%s %s %s, try %d: again in %.1f s", method, shown, last.code, number, seconds)
                self._wait(seconds)
        raise last

    def close(self) -> None:
        """Let go of the connection; the next request opens another one, to an address that is looked up afresh."""
        if self._opened is not None:
            self._opened[1].close()
            self._opened = None
        self._wire.close()

    def _try(self, method: str, address: str, body: bytes | None, kind: str) -> "tuple[Answer | None, _Wait]":
        """Ask once; no answer where it has to be tried again."""
        target, pool = self._connected()
        headers = {
            "Host": urlsplit(target.origin).netloc,
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": USER_AGENT,
            **({"Content-Type": kind} if kind else {}),
            **self.headers,
        }
        self.requests += 1
        deadline = Deadline(self._seconds, self._wire)
        try:
            with deadline:
                response = pool.urlopen(
                    method, target.path.rstrip("/") + address, body=body, headers=headers, redirect=False,
                    retries=False, preload_content=False,
                )  # fmt: skip
                try:
                    raw = body_of(response, self._largest)
                except BaseException:
                    response.close()
                    raise
                response.release_conn()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise trouble(error, deadline) from error
        except ValueError as error:  # Something in a header that cannot stand there.
            raise OutboundError("bad_header") from error
        if deadline.passed:
            raise OutboundError("timeout")
        status = response.status
        if 300 <= status < 400 and status != NOT_MODIFIED:
            raise OutboundError("redirect", status=status)
        if status in ASKS_TO_WAIT or status >= 500:
            return None, _Wait(status, response.headers.get("Retry-After"))
        return Answer(status, response.headers, _json(raw, needed=status < 300)), _Wait(status)

    def _connected(self) -> tuple[Target, urllib3.HTTPConnectionPool]:
        if self._opened is None:
            target = check_target(self._base, allow=self._allow)
            timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=self._seconds)
            self._opened = target, pool_to(target, timeout, self._wire)
        return self._opened

    def _seconds_of(self, wait: "_Wait", number: int) -> float:
        asked = _asked(wait.asked, self._now()) if wait.status in ASKS_TO_WAIT else None
        if asked:  # A moment that has passed is no reason to ask again at once, five times.
            return asked
        return float(self._jitter() * FIRST_BACK_OFF * 2 ** (number - 1))

    def _wait(self, seconds: float) -> None:
        while seconds > 0:
            self._sleep(min(seconds, PART_OF_WAIT))
            seconds -= PART_OF_WAIT
            self._alive()


@dataclass(frozen=True)
class _Wait:
    """A status that asks for another try, and what its `Retry-After` says."""

    status: int
    asked: str | None = None


def _asked(text: str | None, now: datetime) -> float | None:
    """Return for how many seconds a `Retry-After` (RFC 9110 section 10.2.3) asks; None where it cannot be read."""
    if not text:
        return None
    if text.strip().isdecimal():
        return float(text)
    try:
        at = parsedate_to_datetime(text)
        return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds())
    except (ValueError, OverflowError):
        return None


def _json(raw: bytes, *, needed: bool) -> Any:
    """Return what JSON says; text with halves of characters passes too, for rules to refuse it where it stands."""
    try:
        return from_json(raw, allow_inf_nan=False)
    except ValueError:
        pass
    try:
        return json.loads(raw, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        if needed:
            raise OutboundError("garbage") from error
        return None


def _refuse(constant: str) -> None:
    raise ValueError(constant)
