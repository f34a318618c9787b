"""Requests to BambooHR: signed in by API key or OAuth, and refusals as errors in plain words."""

import base64
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from rgapp.integrations.bamboohr import oauth
from rgapp.integrations.bamboohr.errors import BambooError, explained
from rgapp.outbound import Answer, Client, OutboundError


@dataclass(frozen=True)
class APIKey:
    """An API key, which is a user's of the account: it sees what that user may see."""

    key: str = field(repr=False)


@dataclass(frozen=True)
class OAuthAccess:
    """A consent: our application at BambooHR, and the refresh token that the consent gave."""

    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)


class SignInAgain(Exception):
    """The access has run out, and another thread than the one that reads has found that."""


def ignored(used: str, token: str) -> None:
    """Keep nothing: a renewed token is lost with this process."""


class Calls:
    """Asks under one access. A renewed refresh token is handed to `renewed`, behind the one that it came from, before
    anything is asked with it.

    `stored` returns the refresh token as it is kept now: where another process renewed it meanwhile, that one is used.
    """

    def __init__(
        self,
        origin: str,
        access: APIKey | OAuthAccess,
        client: Client,
        *,
        renewed: Callable[[str, str], None] = ignored,
        stored: Callable[[], str | None] | None = None,
    ) -> None:
        self.origin = origin.rstrip("/")
        self.host = urlsplit(origin).netloc
        self.client = client
        self.answered_at: datetime | None = None
        self._access = access
        self._renewed = renewed
        self._stored = stored
        self._signed_in = False
        # What a renewal keeps is kept by the thread that has the session.
        self._thread = threading.get_ident()

    def get(self, path: str, query: Mapping[str, str] | None = None, *, what: str = "people") -> Answer:
        """GET; see `ask`."""
        return self.ask(lambda: self.client.get(path, query), what)

    def post(self, path: str, body: Any, query: Mapping[str, str] | None = None, *, what: str = "people") -> Answer:
        """POST JSON; see `ask`."""
        return self.ask(lambda: self.client.post(path, body, query), what)

    def ask(self, request: Callable[[], Answer], what: str) -> Answer:
        """Ask, and return an answer of 200 to 299, 400, 404, 405, 413 or 422; `what` is read there, in words.

        Raises `BambooError`.
        """
        if not self._signed_in:
            self._sign_in()
        answer = self._once(request)
        if answer.status == 401 and isinstance(self._access, OAuthAccess):
            if threading.get_ident() != self._thread:
                raise SignInAgain
            self._sign_in()
            answer = self._once(request)
        match answer.status:
            case 401:
                raise BambooError("wrong_key" if isinstance(self._access, APIKey) else "expired")
            case 403:
                raise BambooError("no_permission", what=what)
            case status if status < 300 or status in {400, 404, 405, 413, 422}:
                return answer
            case status:
                raise BambooError("refused", status=status)

    def _once(self, request: Callable[[], Answer]) -> Answer:
        try:
            answer = request()
        except OutboundError as error:
            raise explained(error, self.host) from error
        self.answered_at = _date(answer.headers.get("Date")) or self.answered_at
        return answer

    def _sign_in(self) -> None:
        access = self._access
        if isinstance(access, APIKey):
            pair = base64.b64encode(f"{access.key}:x".encode()).decode()
            self.client.headers["Authorization"] = f"Basic {pair}"
        else:
            tokens = self._renew(access)
            self.client.headers["Authorization"] = f"Bearer {tokens.access_token}"
        self._signed_in = True

    def _renew(self, access: OAuthAccess) -> oauth.Tokens:
        used = access.refresh_token
        try:
            tokens = oauth.renew(self.client, self.origin, access.client_id, access.client_secret, used)
        except BambooError as error:
            other = self._stored() if self._stored is not None and error.code == "revoked" else None
            if other is None or other == used:
                raise
            used = other
            tokens = oauth.renew(self.client, self.origin, access.client_id, access.client_secret, used)
        if tokens.refresh_token is not None and tokens.refresh_token != used:
            self._renewed(used, tokens.refresh_token)
            used = tokens.refresh_token
        self._access = OAuthAccess(access.client_id, access.client_secret, used)
        return tokens


def _date(text: str | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(text) if text else None
        return found.astimezone(UTC) if found is not None and found.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None
