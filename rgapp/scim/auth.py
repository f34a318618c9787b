"""Who may speak to the SCIM service: whoever presents a live bearer token (RFC 6750) of the programme in the address.

Wrong tokens are counted for the network that they come from. Too many are answered 429, but a right token is let in
whoever else tried there: a whole company may sit behind one address.
"""

import time
import uuid
from datetime import datetime
from typing import Final

from limits import RateLimitItemPerMinute
from scim2_models import SCIMException
from sqlalchemy.orm import Session

from rgapp.auth.throttle import RefusalLimit
from rgapp.integrations.scim.tokens import Bearer, authenticate
from rgapp.scim.errors import TooManyRequests, unauthorized
from rgapp.tokens import hash_token

WRONG_TOKENS: Final = RefusalLimit("scim token", RateLimitItemPerMinute(60))
NOTED_EVERY: Final = 60.0
MOST_REMEMBERED: Final = 10_000
_noted: dict[uuid.UUID, float] = {}
_seen: set[str] = set()


def bearer_of(session: Session, programme_id: uuid.UUID, token: str, *, now: datetime) -> Bearer | None:
    """Return whom a token speaks for at this programme's address, None for one that opens nothing there."""
    bearer = authenticate(session, programme_id, token, now=now)
    if bearer is None:
        if token.isascii():
            _seen.discard(hash_token(token))  # A revoked one holds nobody up any more.
    elif (key := hash_token(token)) not in _seen:
        if len(_seen) >= MOST_REMEMBERED:
            _seen.clear()
        _seen.add(key)
    return bearer


def was_right_here(token: str) -> bool:
    """Tell whether this process saw a token open something before.

    It opens nothing by that: it may only be looked up in a transaction that may write, which on SQLite holds up other
    writers. Who guesses tokens must not be able to.
    """
    return token.isascii() and hash_token(token) in _seen


def refusal(network: str) -> SCIMException:
    """Count a token that opened nothing, and return the answer: one and the same, whatever is wrong with it."""
    blocked = WRONG_TOKENS.is_blocked(network)
    WRONG_TOKENS.note(network)
    return TooManyRequests() if blocked else unauthorized()


def read_guid(text: str) -> uuid.UUID | None:
    """Return the identifier in an address, None where there is none."""
    if len(text) != 36:
        return None
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def is_to_be_noted(bearer: Bearer) -> bool:
    """Tell whether the use of a token has to be noted: once a minute, as far as this process knows."""
    at = time.monotonic()
    if at - _noted.get(bearer.token_id, -NOTED_EVERY) < NOTED_EVERY:
        return False
    if len(_noted) >= MOST_REMEMBERED:
        _noted.clear()
    _noted[bearer.token_id] = at
    return True
