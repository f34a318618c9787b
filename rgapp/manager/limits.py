"""How many codes of the second step somebody may try: slow for a guesser, open for the person themselves.

As with passwords, codes count apart for each browser in which somebody signed in to the account before, so whoever
knows a stolen password and guesses codes stops strangers only. Before means with this second step: with the password
alone a thief could have made any number of browsers known, each with tries of its own. Recovery codes are too long to
be guessed and are never counted against the account: they are the way in that nobody can close.
"""

from limits import RateLimitItemPerDay, RateLimitItemPerMinute

from rgapp.auth import throttle
from rgapp.extensions import limiter
from rgapp.models import Staff

REALM = "staff/"  # No programme's slug.
CODES = RateLimitItemPerMinute(10, 15)
# Three codes of a million are right at a time: at this pace a year of guessing has a chance of one in twenty.
CODES_A_DAY = RateLimitItemPerDay(40)


def realms(person: Staff) -> tuple[str, ...]:
    """Return in what a browser becomes known to somebody who signs in: for passwords, and for codes of this app."""
    return (REALM, _code_realm(person)) if person.has_second_factor else (REALM,)


def take_code_try(person: Staff) -> bool:
    """Take one of the tries before a code is compared; False where none is left."""
    if not limiter.enabled:
        return True
    key = "code:" + throttle.account_key(_code_realm(person), person.email)
    return all(limiter.count(limit, key) <= limit.amount for limit in (CODES, CODES_A_DAY))


def _code_realm(person: Staff) -> str:
    since = person.second_factor_at
    return f"{REALM}codes/{int(since.timestamp()) if since else 0}"
