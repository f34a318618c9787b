"""A terminal: run a command, look at its lines, its errors and its exit code."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask.testing import FlaskCliRunner
from sqlalchemy.orm import Session

from rgapp.clock import utcnow
from rgapp.demo.responses import idp_metadata, make_idp_key
from rgapp.models import Programme
from tests.factories import Factory

MAPPING = {
    "membership_no": {"attribute": "employeeNumber"},
    "email": {"attribute": "mail"},
    "date_of_birth": {"attribute": "birthDate"},
}


@dataclass
class Terminal:
    """Runs flask commands on the test's database."""

    runner: FlaskCliRunner
    session: Session
    folder: Path

    def run(self, *words: str, code: int = 0, **options: Any) -> str:
        """Run a command; returns stdout."""
        self.session.commit()
        result = self.runner.invoke(args=list(words), **options)
        self.session.expire_all()
        self.errors = result.stderr.splitlines()
        assert result.exit_code == code, (result.output, result.exception)
        assert "Traceback" not in result.output
        return result.stdout

    def fails(self, *words: str, code: int = 1, **options: Any) -> list[str]:
        """Run a command that fails; returns the lines on stderr, without `Error: `."""
        assert self.run(*words, code=code, **options) == ""
        return [line.removeprefix("Error: ") for line in self.errors]

    def json(self, *words: str) -> Any:
        """Run a command with --json; returns what it printed."""
        return json.loads(self.run(*words, "--json"))

    def write(self, content: Any, name: str = "acme.yaml") -> str:
        """Write a file; returns its path."""
        text = content if isinstance(content, str) else yaml.safe_dump(content)
        (self.folder / name).write_text(text)
        return str(self.folder / name)


@pytest.fixture
def terminal(runner: FlaskCliRunner, session: Session, tmp_path: Path) -> Terminal:
    """Return a terminal in an empty folder."""
    return Terminal(runner, session, tmp_path)


@pytest.fixture
def acme(make: Factory) -> Programme:
    """Return the programme acme."""
    return make.programme("acme", name="Acme Rewards")


@pytest.fixture(scope="session")
def certificates() -> list[str]:
    """Return two signing certificates."""
    return [make_idp_key(utcnow() - timedelta(days=1))[1] for _ in range(2)]


@pytest.fixture
def okta(terminal: Terminal, certificates: list[str]) -> Callable[..., dict[str, Any]]:
    """Return a function that makes an entry of the file; the identity provider comes from a metadata file."""
    metadata = idp_metadata(
        entity_id="https://idp.example/saml", sso_url="https://idp.example/sso", certificates=certificates[:1]
    )
    (terminal.folder / "okta.xml").write_bytes(metadata)

    def entry(**changes: Any) -> dict[str, Any]:
        usual = {
            "kind": "inbound-saml",
            "name": "Okta",
            "published": True,
            "idp": {"metadata_file": "okta.xml"},
            "jit": {"create": True},
            "mapping": MAPPING,
        }
        return {key: value for key, value in (usual | changes).items() if value is not None}

    return entry
