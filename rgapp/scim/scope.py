"""Whose resources a request sees, and who writes people: a storage is bound to one integration of one programme."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from rgapp.integrations.scim.log import Entry
from rgapp.provisioning import Outcome


@dataclass(frozen=True)
class Scope:
    """One integration of one programme: everything that is read or written belongs to it."""

    programme_id: uuid.UUID
    integration_id: uuid.UUID

    @property
    def values(self) -> dict[str, Any]:
        """Return the values of a prepared statement's scope."""
        return {"of_programme": self.programme_id, "of_integration": self.integration_id}


class People(Protocol):
    """The only way in which this package changes a person (`rgapp.integrations.scim.people.Directory`).

    What becomes of her is noted in `entry`, a line of the log.
    """

    entry: Entry

    def create(self, resource: Mapping[str, Any], *, active: bool) -> Outcome:
        """Provision somebody whom the client names for the first time."""

    def update(
        self, user_id: uuid.UUID, before: Mapping[str, Any], resource: Mapping[str, Any], *, active: bool
    ) -> Outcome:
        """Bring an account to what its resource says now."""

    def delete(self, user_id: uuid.UUID, resource: Mapping[str, Any]) -> Outcome | None:
        """Take somebody out, or let go of them, as the integration says."""
