"""Find the account that a record is about, always inside one programme, and the accounts that stand in its way."""

import uuid
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, bindparam, or_, select
from sqlalchemy.orm import Session

from rgapp.models import ExternalIdentity, Integration, User
from rgapp.provisioning.record import Field, PersonRecord
from rgapp.provisioning.validation import email_key


@dataclass(frozen=True)
class Match:
    """The matched account, and who else holds the record's Membership No. or e-mail address."""

    user: User | None = None
    membership_holder: User | None = None
    email_holder: User | None = None


def find(
    session: Session,
    programme_id: uuid.UUID,
    person: PersonRecord,
    *,
    integration_id: uuid.UUID | None = None,
    target_id: uuid.UUID | None = None,
) -> Match:
    """Match by the given account, else the integration's own external identity, else Membership No., else nothing.

    Never by e-mail: an address that belongs to another Membership No. comes back as `email_holder`, a conflict.
    """
    user_id = target_id or _by_external_identity(session, programme_id, integration_id, person.external_id)
    key = email_key(person.email) if person.email else None
    known = {"id": user_id, "membership_no": person.membership_no or None, "email_key": key}
    wanted = {name: value for name, value in known.items() if value}
    if not wanted:
        return Match()
    found = _load(session, programme_id, wanted)
    numbered = next((user for user in found if user.membership_no == person.membership_no), None)
    user = next((user for user in found if user.id == user_id), None) if user_id else numbered
    return Match(
        user=user,
        membership_holder=numbered if numbered is not user else None,
        email_holder=next((each for each in found if key and each.email_key == key and each is not user), None),
    )


def _load(session: Session, programme_id: uuid.UUID, wanted: dict[str, Any]) -> list[User]:
    """Load the users that one of these values names, in one look-up over as many unique indexes."""
    ids = list(session.scalars(_any_of(tuple(wanted)), {"of_programme": programme_id, **wanted}))
    # Most records that create somebody find nobody: only what is there is worth an object.
    return list(session.scalars(_BY_ID, {"of_programme": programme_id, "ids": ids})) if ids else []


@lru_cache(maxsize=8)
def _any_of(columns: tuple[str, ...]) -> Select[uuid.UUID]:
    users = User.__table__.c
    alternatives = or_(*(users[column] == bindparam(column) for column in columns))
    return select(users.id).where(users.programme_id == bindparam("of_programme"), alternatives)


_BY_ID = select(User).where(
    User.programme_id == bindparam("of_programme"), User.id.in_(bindparam("ids", expanding=True))
)


def _by_external_identity(
    session: Session, programme_id: uuid.UUID, integration_id: uuid.UUID | None, external_id: str | None
) -> uuid.UUID | None:
    if integration_id is None or external_id is None:
        return None
    return session.scalar(
        select(ExternalIdentity.user_id).where(
            ExternalIdentity.programme_id == programme_id,
            ExternalIdentity.integration_id == integration_id,
            ExternalIdentity.external_id == external_id,
        )
    )


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
