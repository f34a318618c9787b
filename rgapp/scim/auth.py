"""Who may speak to the SCIM service: whoever presents a live bearer token (RFC 6750) of the programme in the address.

Wrong tokens are counted for the network that they come from. Too many are answered 429, but a right token is let in
whoever else tried there: a whole company may sit behind one address.
"""

import re
import time
import uuid
from datetime import datetime
from typing import Final

from limits import RateLimitItemPerMinute
from sqlalchemy.orm import Session

from rgapp.auth.throttle import RefusalLimit
from rgapp.integrations.scim.tokens import Bearer, authenticate
from rgapp.scim.errors import TooManyRequests, unauthorized

WRONG_TOKENS: Final = RefusalLimit("scim token", RateLimitItemPerMinute(60))
NOTED_EVERY: Final = 60.0
MOST_REMEMBERED: Final = 10_000
_PRESENTED: Final = re.compile(r"Bearer +([\x21-\x7e]{1,512}) *", re.IGNORECASE)
_noted: dict[uuid.UUID, float] = {}


def bearer_of(session: Session, guid: str, authorization: str | None, network: str, *, now: datetime) -> Bearer:
    """Return whom a request speaks for.

    Raises one and the same `UnauthorizedException` for everything that opens nothing, and `TooManyRequests`.
    """
    programme_id, presented = read_guid(guid), _PRESENTED.fullmatch(authorization or "")
    if programme_id is not None and presented is not None:
        bearer = authenticate(session, programme_id, presented[1], now=now)
        if bearer is not None:
            return bearer
    blocked = WRONG_TOKENS.is_blocked(network)
    WRONG_TOKENS.note(network)
    raise TooManyRequests() if blocked else unauthorized()


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
