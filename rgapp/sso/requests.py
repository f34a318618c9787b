"""Start a sign-in: one AuthnRequest, one record that is used once, bound to the browser that started it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from rgapp.integrations.saml.binding import ConfiguredConnection
from rgapp.integrations.saml.connection import Connection
from rgapp.integrations.saml.requests import AuthnRequest, build_authn_request
from rgapp.models import Purpose, SAMLRequest
from rgapp.models.prepared import Prepared
from rgapp.models.rows import insert_row
from rgapp.tokens import hash_token, new_token

REQUEST_LASTS = timedelta(minutes=30)


@dataclass(frozen=True)
class Start:
    """What the browser takes along: the request, its RelayState, and the token of its binding cookie."""

    request: AuthnRequest
    relay_state: str
    browser_token: str


@dataclass(frozen=True, slots=True)
class Pending:
    """An AuthnRequest that waits for its response."""

    programme_id: uuid.UUID
    handle_hash: str
    request_id: str
    browser_hash: str
    next_path: str
    purpose: Purpose


_REQUESTS = SAMLRequest.__table__.c
_PENDING = [_REQUESTS[name] for name in Pending.__slots__]
_WAITING = Prepared(
    lambda _: select(*_PENDING).where(
        _REQUESTS.programme_id == bindparam("programme_id"),
        _REQUESTS.handle_hash == bindparam("handle_hash"),
        _REQUESTS.integration_id == bindparam("integration_id"),
        _REQUESTS.expires_at > bindparam("now"),
    ),
    _PENDING,
)
_USED_UP = Prepared(
    lambda _: delete(SAMLRequest).where(
        _REQUESTS.programme_id == bindparam("of_programme"), _REQUESTS.handle_hash == bindparam("hash")
    )
)


def start(
    session: Session,
    integration: ConfiguredConnection,
    connection: Connection,
    *,
    purpose: Purpose,
    next_path: str,
    browser_token: str | None,
    now: datetime,
    staff_id: uuid.UUID | None = None,
) -> Start:
    """Build an AuthnRequest and remember it for 30 minutes.

    RelayState is a random handle of at most 80 bytes (SAML bindings 3.4.3): it says nothing and leads nowhere by
    itself. A browser that has a binding cookie keeps it, so that two tabs can sign in at once.
    """
    handle = new_token(32)
    browser = browser_token or new_token(24)
    request = build_authn_request(connection, now=now, relay_state=handle)
    row = {
        "programme_id": integration.programme_id,
        "handle_hash": hash_token(handle),
        "integration_id": integration.id,
        "request_id": request.id,
        "browser_hash": hash_token(browser),
        "next_path": next_path,
        "purpose": purpose,
        "staff_id": staff_id,
        "created_at": now,
        "expires_at": now + REQUEST_LASTS,
    }
    insert_row(session, SAMLRequest, row)
    return Start(request, handle, browser)


def find(session: Session, integration: ConfiguredConnection, relay_state: str, *, now: datetime) -> Pending | None:
    """Return the request that waits for this RelayState on this connection, else None."""
    if not relay_state or len(relay_state) > 200:
        return None
    values = {
        "programme_id": integration.programme_id,
        "handle_hash": hash_token(relay_state),
        "integration_id": integration.id,
        "now": now,
    }
    row = next(iter(_WAITING.rows(session, values)), None)
    return Pending(*row) if row is not None else None


class Answer(Protocol):
    """What of a posted response leads to the request that it answers."""

    @property
    def relay_state(self) -> str:
        """Return the RelayState."""

    @property
    def browser_tokens(self) -> Sequence[str]:
        """Return the browser's binding tokens."""


def is_awaited(session: Session, integration: ConfiguredConnection, answer: Answer, *, now: datetime) -> bool:
    """Tell whether a sign-in that this very browser started waits for this answer."""
    request = find(session, integration, answer.relay_state, now=now)
    return request is not None and any(hash_token(token) == request.browser_hash for token in answer.browser_tokens)


def use_up(session: Session, request: Pending) -> bool:
    """Take the record away; False where another request was first, on any web process."""
    return _USED_UP.run(session, {"of_programme": request.programme_id, "hash": request.handle_hash}) == 1
