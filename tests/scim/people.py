"""People for tests of the storage alone: the real thing, with an address for each who has none."""

import uuid
from collections.abc import Mapping
from typing import Any

from rgapp.integrations.scim.people import Directory
from rgapp.provisioning import Outcome


class CompletedPeople(Directory):
    """Gives whoever comes without a Membership No. or an address one, so that every resource is somebody."""

    def create(self, resource: Mapping[str, Any], *, active: bool) -> Outcome:
        """Provision a completed person."""
        return super().create(_completed(resource), active=active)

    def update(
        self, user_id: uuid.UUID, before: Mapping[str, Any], resource: Mapping[str, Any], *, active: bool
    ) -> Outcome:
        """Change a completed person."""
        return super().update(user_id, _completed(before), _completed(resource), active=active)


def _completed(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    number = resource.get("externalId") or resource["userName"].lower()
    made_up = {"value": f"{uuid.uuid5(uuid.NAMESPACE_OID, number).hex}@acme.example", "primary": True}
    return {"externalId": number, **resource, "emails": [made_up]}
