"""Slow down who guesses an account's password or floods us with refusals, without letting them lock anybody out.

Wrong passwords count against the account, wherever they come from, but apart for each browser in which somebody
signed in to it before: who uses up the strangers' tries stops strangers only. A link by e-mail makes another browser
known.

Refused sign-ins count against the network they come from, in one connection and in all. Who shares a network with an
attacker still signs in: see `rgapp.sso.routes.acs`.
"""

import hashlib
import time
from http import HTTPStatus

from flask import current_app, request
from itsdangerous import BadSignature, URLSafeSerializer
from limits import RateLimitItem, RateLimitItemPerMinute
from werkzeug.wrappers import Response

from rgapp.access import set_cookie
from rgapp.extensions import client_network, limiter
from rgapp.provisioning.validation import email_key
from rgapp.tokens import new_token

TRIES = RateLimitItemPerMinute(10, 15)
KNOWN_FOR_SECONDS = 400 * 24 * 3600
MOST_ACCOUNTS = 10
MOST_REMEMBERED = 10_000


def account_key(realm: str, email: str) -> str:
    """Return what wrong passwords count against: the account, and the browser where it is known to it.

    `realm` is a programme's slug, or anything that cannot be one. The address itself is not kept.
    """
    account = _account(realm, email)
    browser, accounts = _known()
    return f"{account}:{browser}" if account in accounts else account


def guesser(realm: str, email: str) -> str:
    """Return whom refused passwords count against beside the account: the network, or a browser known to the account.

    Half a factory may sit behind one address: a guesser among them must not keep the others out.
    """
    browser, accounts = _known()
    return f"browser:{browser}" if _account(realm, email) in accounts else client_network()


def is_refused(response: Response) -> bool:
    """Tell whether a posted form did not lead on: what was right counts against nobody."""
    return response.status_code != HTTPStatus.SEE_OTHER


def take_try(realm: str, email: str) -> bool:
    """Take one of the tries before a password is compared; False where none is left, also for accounts of nobody.

    Comparing is slow: who counted only afterwards would let many guesses through at once, one in each thread of each
    web process. `give_back` returns the try for the right password.
    """
    return not limiter.enabled or limiter.count(TRIES, account_key(realm, email)) <= TRIES.amount


def give_back(realm: str, email: str) -> None:
    """Return the try that was taken for a password that was right."""
    if limiter.enabled:
        limiter.count(TRIES, account_key(realm, email), amount=-1)


class RefusalLimit:
    """A limit on refusals that costs nothing while all goes well.

    Refusals are counted for all web processes together. Asking reads this process's memory only: each refusal that it
    counts tells it how many there were everywhere. So a process may let one more through than the limit says, the one
    by which it learns.
    """

    def __init__(self, name: str, item: RateLimitItem) -> None:
        self.name, self.item = name, item
        self._blocked: dict[str, float] = {}

    def is_blocked(self, key: str) -> bool:
        """Tell whether there were too many refusals, as far as this process knows."""
        until = self._blocked.get(key)
        return until is not None and limiter.enabled and time.time() < until

    def note(self, key: str) -> None:
        """Count one refusal."""
        if not limiter.enabled:
            return
        if limiter.count(self.item, self.name, key) >= self.item.amount and not self.is_blocked(key):
            now = time.time()
            if len(self._blocked) >= MOST_REMEMBERED:
                self._blocked = {held: until for held, until in self._blocked.items() if until > now}
            # The counter may begin anew before that; then this process blocks for a little longer, a window at most.
            self._blocked[key] = now + self.item.get_expiry()


def remember_browser(response: Response, email: str, *realms: str) -> None:
    """Make the browser known to the account that it just signed in to, in each realm that counts apart."""
    browser, accounts = _known()
    these = [_account(realm, email) for realm in realms]
    kept = [*these, *(other for other in accounts if other not in these)][:MOST_ACCOUNTS]
    value = _serializer().dumps([browser or new_token(12), kept])
    set_cookie(response, _cookie(), str(value), max_age=KNOWN_FOR_SECONDS)


def _account(realm: str, email: str) -> str:
    typed = f"{realm}\n{email_key(email.strip())}"
    return hashlib.sha256(typed.encode("utf-8", "replace")).hexdigest()[:32]


def _known() -> tuple[str, list[str]]:
    """Return the browser's own number and the accounts it is known to."""
    try:
        browser, accounts = _serializer().loads(request.cookies.get(_cookie(), ""))
    except (BadSignature, ValueError, TypeError):
        return "", []
    return str(browser), list(accounts)


def _cookie() -> str:
    return "__Host-rg_known" if current_app.config["HTTPS"] else "rg_known"


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="known browser")
