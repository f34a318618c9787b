"""Bearer tokens of a SCIM integration (RFC 6750): issued once, kept as a hash, two alive at once for rotation."""

import uuid
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from rgapp.audit import Actor, Tag
from rgapp.integrations.service import note_change
from rgapp.models import Integration, Programme, SCIMToken
from rgapp.models.base import new_id
from rgapp.models.prepared import Prepared
from rgapp.tokens import hash_token, new_token

MOST_LIVE = 2
USUAL_LIFETIME = timedelta(days=365)
LABEL_LENGTH = 60
HINT_LENGTH = 4
LONGEST_TOKEN = 512
# Notices of use closer together than this are one: a write for each request would cost more than it tells.
USE_NOTED_EVERY = timedelta(minutes=1)


class TooManyTokens(ValueError):
    """Two tokens are alive: one of them has to be revoked before the next is issued."""


class TokenState(StrEnum):
    """Whether a token opens anything."""

    LIVE = "live"
    EXPIRED = "expired"
    REVOKED = "revoked"


def issue(
    session: Session,
    integration: Integration,
    *,
    actor: Actor,
    now: datetime,
    label: str = "",
    lifetime: timedelta | None = USUAL_LIFETIME,
) -> tuple[SCIMToken, str]:
    """Issue a token; returns its row and the token itself, which is never shown again. None lasts until revoked.

    Raises `TooManyTokens`.
    """
    # Whoever issues one holds the integration's row, so that two admins at once cannot make a third.
    session.refresh(integration, with_for_update=True)
    live = [token for token in of_integration(session, integration) if state_of(token, now) is TokenState.LIVE]
    if len(live) >= MOST_LIVE:
        raise TooManyTokens
    token = new_token()
    row = SCIMToken(
        programme_id=integration.programme_id,
        id=new_id(),
        integration_id=integration.id,
        token_hash=hash_token(token),
        label=" ".join(label.split())[:LABEL_LENGTH],
        hint=token[-HINT_LENGTH:],
        created_at=now,
        created_by=actor.label,
        expires_at=now + lifetime if lifetime is not None else None,
    )
    session.add(row)
    note_change(session, integration, Tag.SCIM_TOKEN_ISSUED, actor, now, token=row.hint, label=row.label)
    session.flush()
    return row, token


def revoke(session: Session, integration: Integration, token_id: uuid.UUID, *, actor: Actor, now: datetime) -> bool:
    """Make a token open nothing from now on; returns whether that changed anything."""
    row = session.get(SCIMToken, (integration.programme_id, token_id))
    if row is None or row.integration_id != integration.id or row.revoked_at is not None:
        return False
    row.revoked_at = now
    note_change(session, integration, Tag.SCIM_TOKEN_REVOKED, actor, now, token=row.hint, label=row.label)
    session.flush()
    return True


def of_integration(session: Session, integration: Integration) -> list[SCIMToken]:
    """Return the tokens of an integration, newest first; those that open nothing any more included."""
    query = select(SCIMToken).where(
        SCIMToken.programme_id == integration.programme_id, SCIMToken.integration_id == integration.id
    )
    return list(session.scalars(query.order_by(SCIMToken.id.desc()).limit(50)))


def state_of(token: SCIMToken, now: datetime) -> TokenState:
    """Tell whether a token opens anything at this time."""
    if token.revoked_at is not None:
        return TokenState.REVOKED
    if token.expires_at is not None and token.expires_at <= now:
        return TokenState.EXPIRED
    return TokenState.LIVE


_TOKENS, _INTEGRATIONS, _PROGRAMMES = SCIMToken.__table__.c, Integration.__table__.c, Programme.__table__.c
_STANDING = (
    _INTEGRATIONS.name,
    _INTEGRATIONS.live_name,
    _INTEGRATIONS.live_version,
    _INTEGRATIONS.enabled,
    _INTEGRATIONS.updated_at,
    _PROGRAMMES.timezone,
)
_FOUND = (
    _TOKENS.id,
    _TOKENS.integration_id,
    _TOKENS.hint,
    _TOKENS.expires_at,
    _TOKENS.revoked_at,
    *_STANDING,
)
_BY_HASH = Prepared(
    lambda _: (
        select(*_FOUND)
        .join(
            Integration.__table__,
            (_INTEGRATIONS.programme_id == _TOKENS.programme_id) & (_INTEGRATIONS.id == _TOKENS.integration_id),
        )
        .join(Programme.__table__, _PROGRAMMES.id == _TOKENS.programme_id)
        .where(_TOKENS.programme_id == bindparam("of_programme"), _TOKENS.token_hash == bindparam("hashed"))
    ),
    _FOUND,
)
_NOTE_USE = Prepared(
    lambda _: (
        update(SCIMToken)
        .where(
            _TOKENS.programme_id == bindparam("of_programme"),
            _TOKENS.id == bindparam("of_token"),
            _TOKENS.last_used_at.is_(None) | (_TOKENS.last_used_at < bindparam("before")),
        )
        .values(last_used_at=bindparam("now"))
    )
)


class Standing(NamedTuple):
    """How the integration of a token stands at this moment."""

    name: str
    live_name: str | None
    live_version: int | None
    enabled: bool
    updated_at: datetime
    timezone: str


class Bearer(NamedTuple):
    """Whom a request speaks for: one integration of one programme, by one of its tokens.

    `standing` came by the same look-up as the token; None for somebody who presented none.
    """

    programme_id: uuid.UUID
    token_id: uuid.UUID
    integration_id: uuid.UUID
    hint: str
    standing: Standing | None = None


def authenticate(session: Session, programme_id: uuid.UUID, presented: str, *, now: datetime) -> Bearer | None:
    """Return whom a presented token speaks for in this programme; None for one that opens nothing.

    The programme is part of the look-up, so a token of another one finds nothing. What is compared is a hash, by an
    index: how long that takes says nothing about any token.
    """
    if not 1 <= len(presented) <= LONGEST_TOKEN or not presented.isascii():
        return None
    found = _BY_HASH.rows(session, {"of_programme": programme_id, "hashed": hash_token(presented)})
    if not found:
        return None
    token_id, integration_id, hint, expires_at, revoked_at, *standing = found[0]
    if revoked_at is not None or (expires_at is not None and expires_at <= now):
        return None
    return Bearer(programme_id, token_id, integration_id, hint, Standing(*standing))


def note_use(session: Session, bearer: Bearer, *, now: datetime) -> None:
    """Remember that a token was used, once a minute at most."""
    values = {"of_programme": bearer.programme_id, "of_token": bearer.token_id}
    _NOTE_USE.run(session, values | {"now": now, "before": now - USE_NOTED_EVERY})
