"""The people of one SCIM integration: each resource goes through provisioning, and nowhere else to a user."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from rgapp.audit import Actor
from rgapp.audit.service import ActorKind
from rgapp.integrations.scim.log import Entry
from rgapp.integrations.scim.reader import external_id_of, read_user, repeated_fields
from rgapp.integrations.scim.settings import OnDelete, SCIMSettings
from rgapp.provisioning import (
    Field,
    Outcome,
    OutcomeKind,
    Policy,
    Reading,
    guard,
    let_go,
    provision,
    scim_policy,
    unlink,
)


class PersonRefused(ValueError):
    """Provisioning refused a record; the outcome has every reason."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(str(outcome.refusal))
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class SCIMConnection:
    """One SCIM integration under the settings that count for a request: those that are live, or the draft's."""

    programme_id: uuid.UUID
    integration_id: uuid.UUID
    name: str
    timezone: str
    settings: SCIMSettings

    def policy(self, *, whole: bool, repeats: frozenset[Field] = frozenset()) -> Policy:
        """Return what this client may do; `whole` refuses changes of fields that another directory owns.

        Fields that the client `repeats` are none of its changes.
        """
        return scim_policy(
            integration_id=self.integration_id,
            name=self.name,
            owns=self.settings.provision_master,
            welcome_email=self.settings.welcome_email,
            whole=whole,
            repeats=repeats,
        )


class Directory:
    """What SCIM operations on users do to the people of the programme; each call notes its outcome in `entry`.

    Every method writes to the caller's transaction and raises `PersonRefused` where nothing of it counts; the caller
    then undoes it. A resource is SCIM JSON, `active` apart from it.
    """

    def __init__(self, session: Session, connection: SCIMConnection, entry: Entry, *, now: datetime) -> None:
        self.session, self.connection, self.entry, self.now = session, connection, entry, now
        self._actor = Actor(ActorKind.INTEGRATION, connection.name, connection.integration_id)
        self._today = now.astimezone(ZoneInfo(connection.timezone)).date()

    def create(self, resource: Mapping[str, Any], *, active: bool) -> Outcome:
        """Provision somebody whom the client names for the first time: a new account, or one that is there already.

        CREATED is a new account. UPDATED and UNCHANGED are one that was there: the caller refuses it where this
        integration has a resource for it. REACTIVATED is a leaver who returns, with a resource of old or without.
        """
        self.entry.resource = resource
        reading = read_user(resource, self.connection.settings, today=self._today, active=active)
        return self._provision(reading, self.connection.policy(whole=False))

    def update(
        self, user_id: uuid.UUID, before: Mapping[str, Any], resource: Mapping[str, Any], *, active: bool
    ) -> Outcome:
        """Bring the account to what its resource says now; `before` is what it said until now."""
        self.entry.resource = resource
        reading = read_user(resource, self.connection.settings, today=self._today, active=active, before=before)
        repeats = repeated_fields(before, resource, self.connection.settings)
        outcome = self._provision(reading, self.connection.policy(whole=True, repeats=repeats), user_id)
        was = external_id_of(before, self.connection.settings)
        if was is not None and was != reading.person.external_id and not outcome.only_leaves:
            of = self.connection
            unlink(self.session, of.programme_id, user_id, was, integration_id=of.integration_id)
        return outcome

    def delete(self, user_id: uuid.UUID, resource: Mapping[str, Any]) -> Outcome | None:
        """Take somebody out whose resource the client deletes; None where the settings leave the account as it is."""
        if self.connection.settings.on_delete is OnDelete.DETACH:
            self.entry.outcome, self.entry.user_id = "detached", user_id
            outcome = None
        else:
            reading = read_user(resource, self.connection.settings, today=self._today, active=False)
            outcome = self._provision(reading, self.connection.policy(whole=False), user_id)
        let_go(self.session, self.connection.programme_id, user_id, self.connection.integration_id)
        return outcome

    def _provision(self, reading: Reading, policy: Policy, user_id: uuid.UUID | None = None) -> Outcome:
        connection = self.connection
        outcome = provision(
            self.session, connection.programme_id, reading, policy, self._actor, now=self.now, target_id=user_id
        )
        self.entry.about(outcome)
        if not outcome.accepted:
            raise PersonRefused(outcome)
        if outcome.kind is OutcomeKind.DEACTIVATED:
            guard.watch(self.session, connection.programme_id, policy, now=self.now)
        return outcome
