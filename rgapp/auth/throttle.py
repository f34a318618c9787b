"""Slow down who guesses an account's password, without letting the guesser lock its owner out.

Wrong passwords count against the account, wherever they come from, but apart for each browser in which somebody
signed in to it before: who uses up the strangers' tries stops strangers only. A link by e-mail makes another browser
known.
"""

import hashlib

from flask import current_app, request
from itsdangerous import BadSignature, URLSafeSerializer
from limits import RateLimitItemPerMinute
from werkzeug.wrappers import Response

from rgapp.access import set_cookie
from rgapp.extensions import limiter
from rgapp.provisioning.validation import email_key
from rgapp.tokens import new_token

TRIES = RateLimitItemPerMinute(10, 15)
KNOWN_FOR_SECONDS = 400 * 24 * 3600
MOST_ACCOUNTS = 5


def account_key(realm: str, email: str) -> str:
    """Return what wrong passwords count against: the account, and the browser where it is known to it.

    `realm` is a programme's slug, or anything that cannot be one. The address itself is not kept.
    """
    account = _account(realm, email)
    browser, accounts = _known()
    return f"{account}:{browser}" if account in accounts else account


def is_blocked(realm: str, email: str) -> bool:
    """Tell whether too many wrong passwords were tried; the same for accounts that do not exist."""
    return limiter.enabled and not limiter.limiter.test(TRIES, account_key(realm, email))


def note_refusal(realm: str, email: str) -> None:
    """Count one wrong password."""
    if limiter.enabled:
        limiter.limiter.hit(TRIES, account_key(realm, email))


def remember_browser(response: Response, realm: str, email: str) -> None:
    """Make the browser known to the account that it just signed in to."""
    browser, accounts = _known()
    account = _account(realm, email)
    kept = [account, *(other for other in accounts if other != account)][:MOST_ACCOUNTS]
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
