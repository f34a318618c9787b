"""What opens the way into the other side of a pull: kept sealed, renewed, and whether it still works."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from rgapp.audit import Actor, Tag, record_event
from rgapp.integrations.base import DeclaredContext
from rgapp.integrations.pulls.account import AccountError
from rgapp.models import Integration, PullAccess
from rgapp.sealing import Sealer, UnsealError

SENTENCE_LENGTH: Final = 500
#: In what is sealed, the secrets as they were given: a token that was renewed since is not put back by the old one.
GIVEN: Final = "given"


@dataclass(frozen=True)
class Secrets:
    """What opens the way, by one method."""

    method: str
    values: Mapping[str, str] = field(repr=False)


class PullKeeper:
    """Keeps what a declarative file says of the way in; `read` takes it from the file, None where it says nothing."""

    def __init__(self, read: Callable[[Mapping[str, Any]], Secrets | None]) -> None:
        self._read = read

    def check(self, declared: Mapping[str, Any], context: DeclaredContext) -> Secrets | None:
        """Return what is declared.

        Raises `SettingsError`.
        """
        return self._read(declared)

    def settle(
        self,
        session: Session,
        integration: Integration,
        access: Secrets | None,
        *,
        sealer: Sealer,
        actor: Actor,
        now: datetime,
    ) -> Sequence[str]:
        """Keep what is declared; returns what was done. A second time does nothing."""
        if access is None or not keep(session, integration, access, sealer=sealer, actor=actor, now=now):
            return ()
        return [f"access set ({access.method.replace('_', ' ')})"]


def of_integration(session: Session, integration: Integration) -> PullAccess | None:
    """Return what is kept for an integration, None where nothing is."""
    return session.get(PullAccess, (integration.programme_id, integration.id))


def as_it_is(session: Session, integration: Integration) -> PullAccess | None:
    """Return what is kept now, whatever this session read before; None where nothing is."""
    return session.get(PullAccess, (integration.programme_id, integration.id), populate_existing=True)


def secrets_of(row: PullAccess | None, sealer: Sealer) -> Secrets | None:
    """Return what opens the way as it is now, None where nothing does, or no configured key opens what is sealed."""
    values = _opened(row, sealer)
    if row is None or values is None:
        return None
    values.pop(GIVEN, None)
    return Secrets(row.method, values)


def keep(
    session: Session, integration: Integration, secrets: Secrets, *, sealer: Sealer, actor: Actor, now: datetime
) -> bool:
    """Keep what opens the way from now on; returns whether it is another one than was given before. Flushes."""
    row = of_integration(session, integration)
    given = dict(secrets.values)
    kept = _opened(row, sealer)
    if row is not None and kept is not None and row.method == secrets.method and kept.get(GIVEN) == given:
        return False
    sealed = sealer.seal(json.dumps(given | {GIVEN: given}))
    if row is None:
        row = PullAccess(programme_id=integration.programme_id, integration_id=integration.id)
        session.add(row)
    row.method, row.sealed, row.set_at, row.set_by = secrets.method, sealed, now, actor.label
    row.checked_at = row.problem_since = None
    row.problem = row.sentence = ""
    record_event(
        session,
        Tag.PULL_ACCESS_SET,
        actor,
        now=now,
        programme_id=integration.programme_id,
        integration_id=integration.id,
        facts={"name": integration.name, "method": secrets.method},
    )
    session.flush()
    return True


def renew(session: Session, integration: Integration, *, sealer: Sealer, instead_of: str, refresh_token: str) -> None:
    """Keep the next refresh token; nothing where another than the one it came from is kept by now. Flushes."""
    row = _locked(session, integration)
    kept = _opened(row, sealer)
    if row is not None and kept is not None and kept.get("refresh_token") == instead_of:
        row.sealed = sealer.seal(json.dumps(kept | {"refresh_token": refresh_token}))
        session.flush()


def note_good(session: Session, integration: Integration, *, now: datetime) -> None:
    """Note that the other side let us in. Flushes."""
    if (row := of_integration(session, integration)) is not None:
        row.checked_at, row.problem, row.sentence, row.problem_since = now, "", "", None
        session.flush()


def note_bad(session: Session, integration: Integration, error: AccountError, *, now: datetime) -> None:
    """Note why the other side does not let us in, and since when. Flushes."""
    if (row := of_integration(session, integration)) is not None:
        row.problem_since = row.problem_since if row.problem == error.code else now
        row.problem, row.sentence = error.code[:40], error.sentence[:SENTENCE_LENGTH]
        session.flush()


def begin_consent(session: Session, integration: Integration, *, known_by: str, until: datetime) -> None:
    """Remember that somebody went to give a consent, in place of an earlier one. Flushes."""
    if (row := of_integration(session, integration)) is not None:
        row.consent_hash, row.consent_until = known_by, until
        session.flush()


def take_consent(session: Session, integration: Integration, *, now: datetime) -> str | None:
    """Return by what the consent that was begun is known, and forget it; None where there is none in time. Flushes."""
    row = _locked(session, integration)
    if row is None or row.consent_hash is None:
        return None
    found = row.consent_hash if row.consent_until is not None and now < row.consent_until else None
    row.consent_hash = row.consent_until = None
    session.flush()
    return found


def _locked(session: Session, integration: Integration) -> PullAccess | None:
    """Return what is kept now, for this transaction to change."""
    return session.get(
        PullAccess, (integration.programme_id, integration.id), with_for_update=True, populate_existing=True
    )


def _opened(row: PullAccess | None, sealer: Sealer) -> dict[str, Any] | None:
    if row is None:
        return None
    try:
        found: dict[str, Any] = json.loads(sealer.unseal(row.sealed))
    except UnsealError:
        return None
    return found
