"""A SCIM integration, its storage, and a client that speaks to it."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from rgapp.integrations.scim.schemas import USER as USER_SCHEMA
from rgapp.integrations.scim.schemas import Provider, needed_by, provider_for
from rgapp.integrations.scim.settings import DEFAULT_MAPPING
from rgapp.models import Integration, Programme, SCIMUser, User, UserStatus
from rgapp.models.base import new_id
from rgapp.scim.scope import Scope
from rgapp.scim.storage import SQLStorage
from tests.factories import Factory
from tests.scim.people import SimplePeople


@pytest.fixture
def provider() -> Provider:
    """Return what the service says of itself under the usual mapping."""
    return provider_for(needed_by(source["attribute"] for source in DEFAULT_MAPPING.values()))


@pytest.fixture
def acme(make: Factory) -> Programme:
    """Return a programme."""
    return make.programme("acme")


@pytest.fixture
def integration(make: Factory, acme: Programme) -> Integration:
    """Return a published SCIM integration."""
    mapping = {field.value: source for field, source in DEFAULT_MAPPING.items()}
    return make.integration(acme, {"mapping": mapping}, kind="scim", provider="scim", name="SCIM")


@pytest.fixture
def clock(now: datetime) -> Iterator[datetime]:
    """Return times that follow each other."""

    def ticks() -> Iterator[datetime]:
        at = now
        while True:
            yield at
            at += timedelta(seconds=1)

    return ticks()


@pytest.fixture
def storage(session: Session, integration: Integration, provider: Provider, clock: Iterator[datetime]) -> SQLStorage:
    """Return an empty storage over the tests' database."""
    scope = Scope(integration.programme_id, integration.id)
    return SQLStorage(session, scope, provider, SimplePeople(session, scope), lambda: next(clock))


def fill(session: Session, integration: Integration, people: int, now: datetime) -> None:
    """Put so many people into an integration at once, `user0` to `user…` with externalId `E0` to `E…`."""
    of_programme = {"programme_id": integration.programme_id, "created_at": now, "updated_at": now}
    persons, resources = [], []
    for number in range(people):
        user_id, name = new_id(), f"user{number}"
        email = f"{name}@acme.example"
        person = {"id": user_id, "membership_no": f"E{number}", "email": email, "email_key": email}
        persons.append({**of_programme, **person, "status": UserStatus.ACTIVE, "source": "scim", "field_sources": {}})
        said = {"schemas": [USER_SCHEMA], "userName": name, "externalId": f"E{number}", "title": f"T{number % 7}"}
        folded = {**said, "schemas": [USER_SCHEMA.lower()], "title": f"t{number % 7}"}
        keys = {"user_name": name, "user_name_key": name, "external_id": f"E{number}", "version": 1}
        ours = {"integration_id": integration.id, "user_id": user_id, "resource": said, "search": folded}
        resources.append({**of_programme, **ours, **keys})
    session.execute(insert(User), persons)
    session.execute(insert(SCIMUser), resources)
    session.execute(text("ANALYZE"))


@pytest.fixture
def crowd(session: Session, storage: SQLStorage, integration: Integration, now: datetime) -> SQLStorage:
    """Return the storage with three thousand people."""
    fill(session, integration, 3000, now)
    return storage
