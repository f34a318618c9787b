"""Whose resources a request sees, and who writes people: a storage is bound to one integration of one programme."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True)
class Scope:
    """One integration of one programme: everything that is read or written belongs to it."""

    programme_id: uuid.UUID
    integration_id: uuid.UUID

    @property
    def values(self) -> dict[str, Any]:
        """Return the values of a prepared statement's scope."""
        return {"of_programme": self.programme_id, "of_integration": self.integration_id}


class Written(Protocol):
    """What became of a person: who it is, whether the account is open now, and whether it was before."""

    @property
    def user_id(self) -> uuid.UUID:
        """Return the account."""

    @property
    def active(self) -> bool:
        """Tell whether the account is open now."""

    @property
    def was_active(self) -> bool:
        """Tell whether the account was there and open before."""


class People(Protocol):
    """The only way in which this package changes a person; errors are `SCIMException`s or carry data for one."""

    def create(self, resource: Mapping[str, Any], *, now: datetime) -> Written:
        """Create the person that a resource describes, or link or reactivate who is there."""

    def update(self, user_id: uuid.UUID, resource: Mapping[str, Any], *, now: datetime) -> Written:
        """Bring a person into the state that a whole resource describes."""

    def delete(self, user_id: uuid.UUID, *, now: datetime) -> None:
        """Take a person out, or let go of them, as the integration says."""
