"""What the provisioning tests share: records, policies, and a look at what was written."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from rgapp.audit import Actor, ActorKind
from rgapp.models import AuditEvent, Integration, OutboxMail, Programme, User
from rgapp.models.base import new_id
from rgapp.provisioning import (
    UNSET,
    Field,
    FieldRule,
    Outcome,
    Policy,
    Reading,
    Source,
    SourceRecord,
    provision,
    read_record,
)
from tests.conftest import NOW
from tests.factories import Factory

ACTOR = Actor(ActorKind.SYSTEM, "a test")
RULES = {field: FieldRule(field.value, "%Y-%m-%d" if field is Field.DATE_OF_BIRTH else None) for field in Field}
JANE = {
    "membership_no": "E1001",
    "email": "jane.carter@acme.example",
    "first_name": "Jane",
    "last_name": "Carter",
    "date_of_birth": "1990-04-03",
}


def reading_of(
    *, active: Any = UNSET, external_id: str | None = None, blank_clears: bool = False, **fields: Any
) -> Reading:
    """Read a record as a source would send it; a field given as None is not mentioned."""
    values = {name: value for name, value in (JANE | fields).items() if value is not None}
    record = SourceRecord(
        "row 1",
        {name: value if isinstance(value, list) else [value] for name, value in values.items()},
        external_id=external_id,
        active=active,
    )
    return read_record(record, RULES, today=NOW.date(), blank_clears=blank_clears)


@dataclass
class Bench:
    """One programme, and shorthands to provision into it and to see what came of it."""

    session: Session
    programme: Programme
    make: Factory
    now: datetime = NOW

    def policy(self, source: Source = Source.SCIM, **may: Any) -> Policy:
        """Return a policy that may do everything, except what is said."""
        everything = {"create": True, "update": True, "deactivate": True, "reactivate": True, "welcome_email": True}
        return Policy(source, may.pop("name", "Entra"), **(everything | may))

    def take(self, reading: Reading | None = None, policy: Policy | None = None, **options: Any) -> Outcome:
        """Provision one record."""
        return provision(
            self.session,
            self.programme.id,
            reading or reading_of(),
            policy or self.policy(),
            ACTOR,
            now=self.now,
            **options,
        )

    def user(self, membership_no: str = "E1001") -> User:
        """Return the account with this Membership No."""
        return self.session.scalars(
            select(User).where(User.programme_id == self.programme.id, User.membership_no == membership_no)
        ).one()

    def users(self) -> list[User]:
        """Return every account of every programme."""
        return list(self.session.scalars(select(User).order_by(User.membership_no)))

    def tags(self) -> list[str]:
        """Return the tags of what happened to users, in order."""
        found = self.session.scalars(select(AuditEvent.tag).order_by(AuditEvent.id))
        return [tag for tag in found if tag.startswith("user:")]

    def mails(self) -> list[OutboxMail]:
        """Return what is in the outbox."""
        return list(self.session.scalars(select(OutboxMail)))

    def directory(self, *, owner: bool = True, enabled: bool = True) -> Integration:
        """Make a directory integration; provisioning looks at nothing but its ownership."""
        key = new_id()
        integration = Integration(
            programme_id=self.programme.id,
            id=key,
            kind="scim",
            provider="custom",
            name=f"Directory {key.hex[-6:]}",
            name_key=f"directory {key.hex[-6:]}",
            public_id=key.hex,
            draft={},
            enabled=enabled,
            directory_owner=owner,
            created_at=self.now,
            updated_at=self.now,
        )
        self.session.add(integration)
        self.session.flush()
        return integration


@pytest.fixture
def bench(make: Factory) -> Bench:
    """Return a bench with the programme Acme."""
    return Bench(make.session, make.programme("acme"), make)


@pytest.fixture
def leaver(bench: Bench) -> Callable[..., User]:
    """Return a function that makes somebody a leaver."""

    def leave(**fields: str) -> User:
        outcome = bench.take(reading_of(**fields))
        bench.take(reading_of(active=False, **fields))
        return bench.session.get_one(User, (bench.programme.id, outcome.user_id))

    return leave
