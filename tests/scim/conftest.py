"""A SCIM integration, its storage, and a client that speaks to it."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from rgapp.audit.service import COMMAND_LINE
from rgapp.clock import utcnow
from rgapp.integrations.scim import tokens
from rgapp.integrations.scim.log import Entry
from rgapp.integrations.scim.people import SCIMConnection
from rgapp.integrations.scim.schemas import USER as USER_SCHEMA
from rgapp.integrations.scim.schemas import Provider, needed_by, provider_for
from rgapp.integrations.scim.settings import DEFAULT_MAPPING, SCIMSettings
from rgapp.models import Integration, Programme, SCIMUser, User, UserStatus
from rgapp.models.base import new_id
from rgapp.scim.scope import Scope
from rgapp.scim.storage import SQLStorage
from tests.factories import Factory
from tests.scim.people import CompletedPeople


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
def storage(
    session: Session, integration: Integration, provider: Provider, clock: Iterator[datetime], now: datetime
) -> SQLStorage:
    """Return an empty storage over the tests' database."""
    scope = Scope(integration.programme_id, integration.id)
    settings = SCIMSettings.model_validate(integration.draft)
    connection = SCIMConnection(scope.programme_id, scope.integration_id, "SCIM", "UTC", settings)
    people = CompletedPeople(session, connection, Entry("POST", "/Users"), now=now)
    return SQLStorage(session, scope, provider, people, lambda: next(clock))


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


class SCIMClient:
    """Speaks SCIM to one integration; `base` is its base URL without the host."""

    def __init__(self, client: FlaskClient, base: str, token: str) -> None:
        self.client, self.base, self.token = client, base, token

    def __call__(self, method: str, path: str, body: Any = None, **options: Any) -> TestResponse:
        """Send a request; a `body` goes out as JSON, `raw` as it is."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/scim+json"}
        headers |= options.pop("headers", {})
        raw = options.pop("raw", None)
        data = raw if raw is not None else (None if body is None else json.dumps(body))
        return self.client.open(f"{self.base}{path}", method=method, data=data, headers=headers, **options)

    def find(self, scim_filter: str, path: str = "/Users") -> list[dict[str, Any]]:
        """Return what a filter finds."""
        answer = self("GET", path, query_string={"filter": scim_filter})
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json["Resources"]
        return found


@pytest.fixture
def make_client(app: Flask, session: Session) -> Callable[[Integration], SCIMClient]:
    """Return a way to speak to an integration with a new token of it."""

    def make_one(integration: Integration) -> SCIMClient:
        # Requests happen now, whatever the time of the test.
        _, token = tokens.issue(session, integration, actor=COMMAND_LINE, now=utcnow())
        session.commit()
        return SCIMClient(app.test_client(), f"/scim/{integration.programme_id}/v2", token)

    return make_one


@pytest.fixture
def scim(make_client: Callable[[Integration], SCIMClient], integration: Integration) -> SCIMClient:
    """Return a client of the published integration."""
    return make_client(integration)


def jane(**changes: Any) -> dict[str, Any]:
    """Return somebody as a client sends her."""
    person: dict[str, Any] = {
        "schemas": [USER_SCHEMA],
        "userName": "jane.carter@acme.example",
        "externalId": "E1001",
        "active": True,
        "name": {"givenName": "Jane", "familyName": "Carter"},
        "emails": [{"value": "jane.carter@acme.example", "type": "work", "primary": True}],
    }
    return {name: value for name, value in (person | changes).items() if value is not None}
