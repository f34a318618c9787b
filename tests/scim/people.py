"""People for tests of the storage alone: each resource is somebody, known by externalId, or else by userName."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from rgapp.audit import Actor, ActorKind
from rgapp.models import User, UserStatus
from rgapp.provisioning import FieldRule, Outcome, Policy, Source, SourceRecord, provision, read_record
from rgapp.provisioning.record import UNSET, Field
from rgapp.scim.scope import Scope

RULES = {Field.MEMBERSHIP_NO: FieldRule("number"), Field.EMAIL: FieldRule("email")}


@dataclass(frozen=True)
class Done:
    """What became of somebody."""

    user_id: uuid.UUID
    active: bool
    was_active: bool


class SimplePeople:
    """Writes people through provisioning, with made-up addresses."""

    def __init__(self, session: Session, scope: Scope) -> None:
        self.session, self.scope = session, scope

    def create(self, resource: Mapping[str, Any], *, now: datetime) -> Done:
        """Create somebody, or find them."""
        outcome = self._provision(resource, resource.get("active", UNSET), now)
        if outcome.user_id is None:  # Nobody is created as a leaver.
            outcome = self._provision(resource, UNSET, now)
            self._provision(resource, False, now)
        assert outcome.user_id is not None
        return self._done(outcome, outcome.user_id)

    def update(self, user_id: uuid.UUID, resource: Mapping[str, Any], *, now: datetime) -> Done:
        """Change whether somebody is active."""
        return self._done(self._provision(resource, resource.get("active", UNSET), now, user_id), user_id)

    def delete(self, user_id: uuid.UUID, *, now: datetime) -> None:
        """Let go of somebody."""

    def _provision(
        self, resource: Mapping[str, Any], active: Any, now: datetime, target_id: uuid.UUID | None = None
    ) -> Outcome:
        number = resource.get("externalId") or resource["userName"].lower()
        values = {"number": [number], "email": [f"{uuid.uuid5(uuid.NAMESPACE_OID, number).hex}@acme.example"]}
        record = SourceRecord("a test", values, active=active)
        policy = Policy(
            Source.SCIM,
            "A test",
            self.scope.integration_id,
            create=True,
            update=target_id is None,
            deactivate=True,
            reactivate=True,
        )
        actor = Actor(ActorKind.INTEGRATION, "A test", self.scope.integration_id)
        reading = read_record(record, RULES, today=now.date())
        return provision(self.session, self.scope.programme_id, reading, policy, actor, now=now, target_id=target_id)

    def _done(self, outcome: Outcome, user_id: uuid.UUID) -> Done:
        user = self.session.get_one(User, (self.scope.programme_id, user_id), populate_existing=True)
        active = user.status == UserStatus.ACTIVE
        return Done(user_id, active, active and outcome.kind in {"updated", "unchanged"})
