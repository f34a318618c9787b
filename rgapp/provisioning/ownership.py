"""Which source owns which field: what a directory integration states nobody else changes (Provision Master)."""

import uuid
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from rgapp.models import Integration, User
from rgapp.provisioning.facts import source_of
from rgapp.provisioning.matching import Account
from rgapp.provisioning.policy import Policy
from rgapp.provisioning.record import Field, Outcome
from rgapp.provisioning.validation import email_key


def owned_fields(session: Session, user: User, *, by_others_than: uuid.UUID | None) -> frozenset[Field]:
    """Return the fields of a user that a live directory integration owns (Provision Master)."""
    given = {
        field: uuid.UUID(source["integration_id"])
        for field in Field
        if (source := user.field_sources.get(field)) and source.get("integration_id")
    }
    if not given:
        return frozenset()
    owners = set(
        session.scalars(
            select(Integration.id).where(
                Integration.programme_id == user.programme_id,
                Integration.id.in_(set(given.values())),
                Integration.directory_owner,
                Integration.enabled,
            )
        )
    )
    return frozenset(field for field, owner in given.items() if owner in owners and owner != by_others_than)


def claim(session: Session, account: Account, outcome: Outcome, policy: Policy, now: datetime) -> None:
    """Make the fields that a record states its integration's own, also where their value stays as it was."""
    stated = {field for field in Field if outcome.reading.person.get(field)}
    user = account.row(session)
    held = {field for field in stated if _giver(user, field) == policy.integration_id}
    if stated == held:
        return
    changed = {change.field for change in outcome.changes}
    free = stated - held - changed - owned_fields(session, user, by_others_than=policy.integration_id)
    # What was refused or left out is not what stands there.
    same = {field for field in free if _same(user, field, outcome)}
    if same:
        given = source_of(policy, now)
        user.field_sources = {**user.field_sources, **{field.value: given for field in same}}


def _giver(user: User, field: Field) -> uuid.UUID | None:
    given = (user.field_sources.get(field) or {}).get("integration_id")
    return uuid.UUID(given) if given else None


def _same(user: User, field: Field, outcome: Outcome) -> bool:
    stated, stands = outcome.reading.person.get(field), getattr(user, field.value)
    if field is Field.EMAIL and stands is not None:
        return email_key(str(stated)) == user.email_key
    return bool(stated == stands)
