"""Find the account that a record is about, always inside one programme, and the accounts that stand in its way."""

import uuid
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from sqlalchemy import bindparam, or_, select
from sqlalchemy.orm import Session

from rgapp.models import ExternalIdentity, User
from rgapp.models.prepared import Prepared
from rgapp.provisioning.record import PersonRecord
from rgapp.provisioning.validation import email_key


@dataclass(frozen=True, slots=True)
class Account:
    """What deciding needs to know of a user, as it was when we looked."""

    programme_id: uuid.UUID
    id: uuid.UUID
    status: str
    membership_no: str
    email: str | None
    email_key: str | None
    first_name: str | None
    last_name: str | None
    date_of_birth: date | None

    def row(self, session: Session) -> User:
        """Return the user as it is now, to change it."""
        return session.get_one(User, (self.programme_id, self.id), populate_existing=True)


@dataclass(frozen=True)
class Match:
    """The matched account, and who else holds the record's Membership No., e-mail address or external identity.

    `linked` says that the external identity is the matched account's already.
    """

    user: Account | None = None
    membership_holder: Account | None = None
    email_holder: Account | None = None
    identity_holder: Account | None = None
    linked: bool = False


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
    linked_id = _by_external_identity(session, programme_id, integration_id, person.external_id)
    user_id = target_id or linked_id
    key = email_key(person.email) if person.email else None
    known = {"id": user_id, "membership_no": person.membership_no or None, "email_key": key}
    wanted = {name: value for name, value in known.items() if value}
    if not wanted:
        return Match()
    session.flush()
    # One look-up over as many unique indexes; each value names at most one user.
    rows = _any_of(tuple(wanted)).rows(session, {"of_programme": programme_id, **wanted})
    found = [Account(*row) for row in rows]
    numbered = next((user for user in found if user.membership_no == person.membership_no), None)
    user = next((user for user in found if user.id == user_id), None) if user_id else numbered
    return Match(
        user=user,
        membership_holder=numbered if numbered is not user else None,
        email_holder=next((each for each in found if key and each.email_key == key and each is not user), None),
        identity_holder=_by_id(session, programme_id, linked_id) if linked_id and linked_id != user_id else None,
        linked=linked_id is not None and linked_id == user_id,
    )


@lru_cache(maxsize=8)
def _any_of(columns: tuple[str, ...]) -> Prepared:
    # Columns of the table, not attributes of the model: deciding needs no object that could be changed.
    users = User.__table__.c
    alternatives = or_(*(users[column] == bindparam(column) for column in columns))
    wanted = [users[name] for name in Account.__slots__]
    look_up = select(*wanted).where(users.programme_id == bindparam("of_programme"), alternatives)
    return Prepared(lambda _: look_up, wanted)


def _by_id(session: Session, programme_id: uuid.UUID, user_id: uuid.UUID) -> Account:
    ((*found,),) = _any_of(("id",)).rows(session, {"of_programme": programme_id, "id": user_id})
    return Account(*found)


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
