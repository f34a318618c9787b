"""Make programmes, staff, users and integrations for tests, each with the service that makes the real ones."""

import itertools
from datetime import datetime
from typing import Any

from flask import current_app
from sqlalchemy.orm import Session

from rgapp import programmes
from rgapp.audit import Actor
from rgapp.audit.service import COMMAND_LINE
from rgapp.auth import staff as staff_accounts
from rgapp.auth import users as user_accounts
from rgapp.integrations import service
from rgapp.models import Integration, Programme, Role, Staff, User
from rgapp.provisioning import (
    FieldRule,
    OutcomeKind,
    SourceRecord,
    hand_policy,
    provision,
    read_record,
)
from rgapp.provisioning.record import Field

PASSWORD = "a long enough password"
HAND_RULES = {field: FieldRule(field.value, "%Y-%m-%d" if field is Field.DATE_OF_BIRTH else None) for field in Field}


class Factory:
    """Makes what a test needs; every name is unique unless given."""

    def __init__(self, session: Session, now: datetime) -> None:
        self.session = session
        self.now = now
        self._numbers = itertools.count(1)

    def programme(self, slug: str | None = None, **details: Any) -> Programme:
        """Make a programme."""
        slug = slug or f"programme-{next(self._numbers)}"
        details = {"name": slug.title(), "contact_email": f"people@{slug}.example"} | details
        return programmes.create(self.session, actor=COMMAND_LINE, now=self.now, slug=slug, **details)

    def staff(self, *granted: Programme, role: Role = Role.ADMIN, **details: Any) -> Staff:
        """Make a staff member with `PASSWORD`, granted the programmes."""
        number = next(self._numbers)
        details = {"email": f"staff-{number}@rewards.example", "name": f"Staff {number}"} | details
        password = details.pop("password", PASSWORD)
        person = staff_accounts.create_staff(
            self.session, role=role, programmes=granted, actor=COMMAND_LINE, now=self.now, **details
        )
        staff_accounts.set_password(self.session, person, password, COMMAND_LINE, now=self.now)
        return person

    def user(self, programme: Programme, *, welcome_email: bool = False, **fields: str) -> User:
        """Make a user by hand, as an HR admin does; dates in ISO form."""
        number = next(self._numbers)
        given = {
            "membership_no": f"M{number:04}",
            "email": f"user-{number}@{programme.slug}.example",
            "first_name": "Robin",
            "last_name": "Field",
            "date_of_birth": "1990-04-03",
        } | fields
        record = SourceRecord(position="a test", values={name: [value] for name, value in given.items() if value})
        outcome = provision(
            self.session,
            programme.id,
            read_record(record, HAND_RULES, today=self.now.date()),
            hand_policy(staff_name="A test", welcome_email=welcome_email),
            COMMAND_LINE,
            now=self.now,
        )
        assert outcome.kind is OutcomeKind.CREATED, outcome
        user = self.session.get(User, (programme.id, outcome.user_id))
        assert user is not None
        return user

    def integration(
        self,
        programme: Programme,
        settings: dict[str, Any],
        *,
        name: str = "Okta",
        published: bool = True,
        kind: str = "inbound-saml",
        provider: str = "custom",
        actor: Actor = COMMAND_LINE,
    ) -> Integration:
        """Make an integration from complete settings, live unless `published` is False."""
        integration = service.create(
            self.session,
            programme,
            kind=kind,
            provider=provider,
            name=name,
            sealer=current_app.extensions["sealer"],
            actor=actor,
            now=self.now,
            draft=settings,
        )
        if published:
            service.publish(self.session, integration, actor=actor, now=self.now, without_test=True)
        return integration

    def staff_session(self, staff: Staff) -> str:
        """Sign a staff member in; returns the token for the cookie."""
        return staff_accounts.open_session(self.session, staff, user_agent="a test", now=self.now)

    def user_session(self, user: User) -> str:
        """Sign an employee in; returns the token for the cookie."""
        return user_accounts.open_session(self.session, user.programme_id, user.id, user_agent="a test", now=self.now)
