"""A simulated BambooHR, a draft that leads there, and ways in."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from rgapp.audit.service import COMMAND_LINE
from rgapp.clock import utcnow
from rgapp.demo.bamboohr.service import Simulated, running
from rgapp.extensions import sealer
from rgapp.integrations.bamboohr.settings import DEFAULT_MAPPING
from rgapp.integrations.pulls import access
from rgapp.integrations.pulls.access import Secrets
from rgapp.models import Integration, Programme
from tests.factories import Factory

KIND = "bamboohr"


def settings(**parts: Any) -> dict[str, Any]:
    """Return the settings of an integration, complete but for what is given."""
    usual = {"schedule": "daily", "hold": "everything", "welcome_email": True, "provision_master": True}
    return usual | {"subdomain": "acme", "mapping": DEFAULT_MAPPING} | parts


@pytest.fixture
def bamboo(app: Flask) -> Iterator[Simulated]:
    """Return a simulated BambooHR with twelve employees, which the application may reach."""
    with running(12) as simulated:
        app.config["OUTBOUND_ALLOW"] = frozenset({simulated.origin})
        yield simulated


@pytest.fixture
def draft(make: Factory, acme: Programme, bamboo: Simulated) -> Integration:
    """Return a draft that leads to the simulated account, without a way in."""
    return make.integration(
        acme, settings(base_url=bamboo.origin), name="BambooHR", kind=KIND, provider=KIND, published=False
    )


@pytest.fixture
def live(make: Factory, acme: Programme, bamboo: Simulated) -> Integration:
    """Return a published integration, without a way in."""
    return make.integration(acme, settings(base_url=bamboo.origin), name="People", kind=KIND, provider=KIND)


@pytest.fixture
def give(session: Session, bamboo: Simulated) -> Callable[..., None]:
    """Return a function that gives an integration a way in: the API key, unless others are given."""

    def given(integration: Integration, method: str = "api_key", **values: str) -> None:
        found = Secrets(method, values or {"api_key": bamboo.key})
        access.keep(session, integration, found, sealer=sealer(), actor=COMMAND_LINE, now=utcnow())
        access.note_good(session, integration, now=utcnow())
        session.commit()

    return given


@pytest.fixture
def save_connect(browser: FlaskClient, path: Callable[..., str]) -> Callable[..., Any]:
    """Return a function that sends the form of Connect as an admin does."""

    def saved(integration: Integration, **typed: str) -> Any:
        form = {"name": "BambooHR", "subdomain": "acme", "method": "api_key"} | typed
        return browser.post(path(integration, "bamboohr/connect"), data=form, follow_redirects=True)

    return saved
