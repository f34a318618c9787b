"""How many codes of the second step somebody may try: slow for a guesser, open for the person themselves.

As with passwords, codes count apart for each browser in which somebody signed in to the account before, so whoever
knows a stolen password and guesses codes stops strangers only. Recovery codes are too long to be guessed and are never
counted against the account: they are the way in that nobody can close.
"""

from limits import RateLimitItemPerDay, RateLimitItemPerMinute

from rgapp.auth import throttle
from rgapp.extensions import limiter

REALM = "staff/"  # No programme's slug.
CODES = RateLimitItemPerMinute(10, 15)
# Three codes of a million are right at a time: at this pace a year of guessing has a chance of one in twenty.
CODES_A_DAY = RateLimitItemPerDay(40)


def take_code_try(email: str) -> bool:
    """Take one of the tries before a code is compared; False where none is left."""
    if not limiter.enabled:
        return True
    key = "code:" + throttle.account_key(REALM, email)
    return all(limiter.count(limit, key) <= limit.amount for limit in (CODES, CODES_A_DAY))
