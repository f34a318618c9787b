"""scim2-server's own suite: what every storage has to do, on our storage and both databases."""

import itertools
from typing import Any

import pytest
from scim2_models import ResourceType, ScimProvider
from scim2_server.storage import ScimStorage
from scim2_server.testing import ScimStorageContract

from rgapp.integrations.scim.schemas import Provider

NUMBERS = itertools.count(1)


class TestContract(ScimStorageContract):
    """The rules of a storage; each of the suite's users is given a Membership No."""

    @pytest.fixture
    def provider(self) -> ScimProvider:
        """Return the description of our service."""
        return Provider(frozenset())

    def create_users(
        self, storage: ScimStorage, user_type: ResourceType, user_model: Any, *user_names: str
    ) -> list[Any]:
        """Create users, each another person."""
        return [
            storage.create(user_type, user_model(user_name=name, external_id=f"E{next(NUMBERS)}"))
            for name in user_names
        ]
