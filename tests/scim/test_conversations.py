"""The documented conversations of Entra and Okta, replayed over HTTP against a running service, on both databases."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_migrate import upgrade

from rgapp import create_app
from rgapp.audit.service import COMMAND_LINE
from rgapp.clock import utcnow
from rgapp.extensions import db
from rgapp.integrations.scim import tokens
from rgapp.integrations.scim.settings import DEFAULT_MAPPING
from tests.core import postgres
from tests.factories import Factory
from tests.ports import free_port
from tests.scim.conversations import Story, over_http, replay, stories
from tests.sso.test_race import environment_of, serving

DATABASES = [
    pytest.param(name, marks=pytest.mark.xdist_group(f"conversations-{name}")) for name in ("sqlite", "postgresql")
]


@dataclass(frozen=True)
class Service:
    """A running service, and the application of the tests on its database."""

    app: Flask
    port: int

    def programme(self, slug: str) -> tuple[str, str]:
        """Make a programme with a live SCIM integration; returns the base URL and a token."""
        with self.app.app_context():
            session = db.session()
            make = Factory(session, utcnow())
            programme = make.programme(slug)
            mapping = {field.value: source for field, source in DEFAULT_MAPPING.items()}
            integration = make.integration(programme, {"mapping": mapping}, kind="scim", provider="scim", name="SCIM")
            _, token = tokens.issue(session, integration, actor=COMMAND_LINE, now=utcnow(), lifetime=None)
            session.commit()
            return f"http://127.0.0.1:{self.port}/scim/{programme.id}/v2", token

    def people(self, slug: str) -> Callable[[], list[dict[str, Any]]]:
        """Return what lists the people of a programme as the terminal does."""

        def listed() -> list[dict[str, Any]]:
            done = self.app.test_cli_runner().invoke(args=["user", "list", "--programme", slug, "--json"])
            assert done.exit_code == 0, done.output
            people: list[dict[str, Any]] = json.loads(done.output)
            return people

        return listed


@pytest.fixture(scope="module", params=DATABASES)
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, migrated: Path
) -> Iterator[Service]:
    """Serve on SQLite or PostgreSQL, with several web processes."""
    folder = tmp_path_factory.mktemp("conversations")
    if request.param == "sqlite":
        yield from served(folder, None, migrated)
        return
    with postgres.server() as address:
        yield from served(folder, address, migrated)


def served(folder: Path, database: str | None, migrated: Path) -> Iterator[Service]:
    """Serve from a folder, on a database or on a copy of SQLite's migrated file."""
    port = free_port()
    environment = environment_of(folder, port, database)
    app = create_app(environment)
    with app.app_context():
        if database is None:
            shutil.copy(migrated, str(db.engine.url.database))
        else:
            upgrade()
    with serving(environment, port, folder / "log"):
        yield Service(app, port)
    with app.app_context():
        db.engine.dispose()
    assert "Traceback" not in (folder / "log").read_text()


@pytest.mark.parametrize("story", stories(), ids=lambda story: story.name)
def test_a_conversation_goes_as_documented(service: Service, story: Story) -> None:
    """Every step of it: status, body, and the people of the programme afterwards."""
    slug = story.name.replace("/", "-")
    base_url, token = service.programme(slug)
    assert replay(story, over_http(base_url, token), service.people(slug)) == []
