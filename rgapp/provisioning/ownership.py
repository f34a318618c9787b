"""Which source owns which field: what a directory integration states nobody else changes (Provision Master)."""

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from rgapp.models import Integration
from rgapp.models.prepared import Prepared
from rgapp.provisioning.facts import source_of
from rgapp.provisioning.policy import Policy
from rgapp.provisioning.record import Field, Outcome
from rgapp.provisioning.validation import email_key


class Holding(Protocol):
    """A user as far as ownership goes: a row of the table, or what was read of many at once."""

    @property
    def programme_id(self) -> uuid.UUID:
        """Return the programme."""

    @property
    def field_sources(self) -> Mapping[str, Any]:
        """Return which source gave each field."""

    @property
    def email_key(self) -> str | None:
        """Return the address as it is compared."""


def owned_fields(session: Session, user: Holding, *, by_others_than: uuid.UUID | None) -> frozenset[Field]:
    """Return the fields of a user that a live directory integration owns (Provision Master)."""
    given = _givers(user)
    if not given:
        return frozenset()
    return owned_among(user, live_owners(session, user.programme_id), by_others_than=by_others_than)


_INTEGRATIONS = Integration.__table__.c
_LIVE_OWNERS = Prepared(
    lambda _: select(_INTEGRATIONS.id).where(
        _INTEGRATIONS.programme_id == bindparam("of_programme"),
        _INTEGRATIONS.directory_owner,
        _INTEGRATIONS.enabled,
    ),
    [_INTEGRATIONS.id],
)


def live_owners(session: Session, programme_id: uuid.UUID) -> frozenset[uuid.UUID]:
    """Return the integrations of a programme that own what they state now."""
    session.flush()
    return frozenset(row[0] for row in _LIVE_OWNERS.rows(session, {"of_programme": programme_id}))


def owned_among(user: Holding, owners: frozenset[uuid.UUID], *, by_others_than: uuid.UUID | None) -> frozenset[Field]:
    """Return the fields of a user that one of these owners gave, and not the one that is named."""
    return frozenset(field for field, owner in _givers(user).items() if owner in owners and owner != by_others_than)


def sources_with_claims(
    session: Session, user: Holding, outcome: Outcome, policy: Policy, now: datetime
) -> Mapping[str, Any]:
    """Return the sources of a user's fields with those that a record claims, also where their value stays as it was."""
    names = claimed(user, outcome, policy, lambda: owned_fields(session, user, by_others_than=policy.integration_id))
    return {**user.field_sources, **dict.fromkeys(names, source_of(policy, now))} if names else user.field_sources


def claimed(
    user: Holding, outcome: Outcome, policy: Policy, owned_by_others: Callable[[], frozenset[Field]]
) -> list[str]:
    """Return the names of the fields that become the integration's own although their value stays as it was.

    `user` is as it was before the changes of the outcome; `owned_by_others` is asked only where there is a question.
    """
    stated = {field for field in Field if outcome.reading.person.get(field)}
    givers = _givers(user)
    held = {field for field in stated if givers.get(field) == policy.integration_id}
    if stated == held:
        return []
    changed = {change.field for change in outcome.changes}
    free = stated - held - changed - owned_by_others()
    # What was refused or left out is not what stands there.
    return [field.value for field in Field if field in free and _same(user, field, outcome)]


def _givers(user: Holding) -> dict[Field, uuid.UUID]:
    return {
        field: uuid.UUID(source["integration_id"])
        for field in Field
        if (source := user.field_sources.get(field)) and source.get("integration_id")
    }


def _same(user: Holding, field: Field, outcome: Outcome) -> bool:
    stated, stands = outcome.reading.person.get(field), getattr(user, field.value)
    if field is Field.EMAIL and stands is not None:
        return email_key(str(stated)) == user.email_key
    return bool(stated == stands)
