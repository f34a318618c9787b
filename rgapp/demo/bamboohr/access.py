"""Who may ask: API keys, consents and their tokens, and what each access may see."""

import base64
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from rgapp.demo.bamboohr.company import Record

ACCESS_TOKEN_SECONDS: Final = 3_600
SCOPES: Final = "offline_access public.user employee employee_directory field report"


@dataclass
class Sight:
    """What an access may see.

    `hidden` fields come as `omitted`, `null` or `empty`. People in `no_access` are not returned, nor are those who are
    inactive unless `inactive` says so. `directory` tells whether the directory is shared, `datasets` whether reports
    may be asked for, and `unshown` people are listed while their own record is refused.
    """

    hidden: dict[str, str] = field(default_factory=dict)
    no_access: set[str] = field(default_factory=set)
    unshown: set[str] = field(default_factory=set)
    inactive: bool = False
    directory: bool = True
    datasets: bool = True

    def sees(self, record: Record) -> bool:
        """Tell whether somebody is returned at all."""
        return record["id"] not in self.no_access and (self.inactive or record["status"] == "Active")

    def show(self, record: Record, asked: Mapping[str, str]) -> dict[str, Any]:
        """Return the fields that were asked for (name in the answer to name in the record)."""
        shown: dict[str, Any] = {}
        for name, place in asked.items():
            how = self.hidden.get(place)
            if how is None:
                shown[name] = record.get(place)
            elif how != "omitted":
                shown[name] = None if how == "null" else ""
        return shown


@dataclass
class Door:
    """Keys, the one application that may ask for consent, and the tokens that are alive.

    `refresh` has each refresh token with the one that it replaces.
    """

    keys: set[str]
    client_id: str = "rgapp-demo"
    client_secret: str = "demo-client-secret"  # noqa: S105 - of a simulation.
    token_seconds: float = ACCESS_TOKEN_SECONDS
    sight: Sight = field(default_factory=Sight)
    lock: threading.RLock = field(default_factory=threading.RLock)
    codes: dict[str, tuple[str, float]] = field(default_factory=dict)
    access: dict[str, float] = field(default_factory=dict)
    refresh: dict[str, str] = field(default_factory=dict)

    def who(self, authorization: str) -> str:
        """Return how a request is signed in: "key", "oauth", or nothing."""
        kind, _, value = authorization.partition(" ")
        if kind.lower() == "basic":
            try:
                key = base64.b64decode(value).decode().partition(":")[0]
            except ValueError:
                return ""
            return "key" if key in self.keys else ""
        with self.lock:
            alive = kind.lower() == "bearer" and self.access.get(value, 0.0) > time.time()
        return "oauth" if alive else ""

    def code(self, redirect_uri: str) -> str:
        """Give a consent: a code that counts once, for a minute."""
        with self.lock:
            code = secrets.token_urlsafe(24)
            self.codes[code] = (redirect_uri, time.time() + 60)
            return code

    def exchange(self, form: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """Answer a request for tokens (RFC 6749 sections 4.1.3, 5 and 6)."""
        with self.lock:
            if form.get("client_id") != self.client_id or form.get("client_secret") != self.client_secret:
                return 401, {"error": "invalid_client"}
            if form.get("grant_type") == "authorization_code":
                uri, until = self.codes.pop(str(form.get("code")), ("", 0.0))
                good = uri != "" and uri == form.get("redirect_uri") and until > time.time()
                return (200, self.tokens()) if good else (400, {"error": "invalid_grant"})
            if form.get("grant_type") == "refresh_token":
                used = str(form.get("refresh_token"))
                if used not in self.refresh:
                    return 400, {"error": "invalid_grant"}
                # The one before counts until its successor is used: an answer may have been lost on its way.
                self.refresh.pop(self.refresh[used], None)
                made = self.tokens()
                self.refresh[made["refresh_token"]] = used
                return 200, made
            return 400, {"error": "unsupported_grant_type"}

    def tokens(self) -> dict[str, Any]:
        """Make an access token and a refresh token."""
        with self.lock:
            access, refresh = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
            self.access[access] = time.time() + self.token_seconds
            self.refresh[refresh] = ""
            return {
                "access_token": access,
                "refresh_token": refresh,
                "expires_in": int(self.token_seconds),
                "token_type": "Bearer",
                "scope": SCOPES,
            }

    def revoke(self) -> None:
        """Take back every consent."""
        with self.lock:
            self.access.clear()
            self.refresh.clear()
            self.codes.clear()

    def expire(self) -> None:
        """Let every access token run out."""
        with self.lock:
            self.access.clear()
