"""Fixtures that every test may use: an application on a fresh database, its session, clients, and no way out."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, has_app_context
from flask.testing import FlaskClient, FlaskCliRunner
from sqlalchemy.orm import Session

from rgapp import create_app
from rgapp.extensions import db
from tests.core import postgres
from tests.databases import Databases, PostgreSQLDatabases, SQLiteDatabases, migrate, settle
from tests.factories import Factory

pytest_plugins = ["tests.mailbox", "tests.quick"]

NOW = datetime(2026, 5, 3, 9, 30, tzinfo=UTC)
# One key for all tests: making one for each would only take time.
ENVIRONMENT = {
    "RGAPP_ENV": "testing",
    "RGAPP_SECRET_KEY": "only-for-tests-0123456789abcdef-0123456789",
    "RGAPP_ENCRYPTION_KEYS": "b25seS1mb3ItdGVzdHMtMDEyMzQ1Njc4OWFiY2RlZjA=",
    "RGAPP_BASE_URL": "http://127.0.0.1:8000",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the tests that use a database run on another one."""
    parser.addoption("--database", choices=["sqlite", "postgresql"], default="sqlite")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On another database than the usual one, run only the tests that use it; on each, leave out the other's own."""
    database = config.getoption("database")
    other = "postgresql" if database == "sqlite" else "sqlite"
    items[:] = [
        item
        for item in items
        if item.get_closest_marker(other) is None
        and (database == "sqlite" or "databases" in getattr(item, "fixturenames", ()))
    ]


class Client(FlaskClient):
    """A test client whose requests never share a database session or `g` with the test.

    What the test wrote is committed before each request, so that the request sees it and finds no lock; what the
    request wrote is read afresh by the test afterwards.
    """

    def open(self, *args: Any, **kwargs: Any) -> Any:
        session = db.session() if has_app_context() else None
        if session is not None:
            session.commit()
        response = Context().run(super().open, *args, **kwargs)
        if session is not None:
            session.expire_all()
        return response


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test reach another machine, not even to ask for a name."""
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and not _is_loopback(address[0]):
            raise AssertionError(f"a test tried to connect to {address}")
        return connect(self, address)

    def guarded_look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host is not None and not _is_loopback(host) and not _is_address(host):
            raise socket.gaierror(socket.EAI_NONAME, f"a test asked for the name {host!r}")
        return look_up(host, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_look_up)


def _is_loopback(host: str | bytes) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    return ip_address(name).is_loopback if _is_address(name) else name in {"localhost", ""}


def _is_address(host: str | bytes) -> bool:
    try:
        ip_address(host.decode() if isinstance(host, bytes) else host)
    except ValueError:
        return False
    return True


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read nothing from the environment that the tests were started in."""
    for name in [name for name in os.environ if name.startswith("RGAPP_") or name in {"PORT", "INSTANCE"}]:
        monkeypatch.delenv(name)


@pytest.fixture
def now() -> datetime:
    """Return the time at which tests take place, where they pass it in."""
    return NOW


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a SQLite file that has every migration and no rows; migrating once is enough."""
    instance = tmp_path_factory.mktemp("migrated")
    migrate(lambda: create_app(ENVIRONMENT | {"INSTANCE": str(instance)}))
    settle(instance / "rgapp.db")
    return instance / "rgapp.db"


@pytest.fixture(scope="session")
def databases(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """Return the source of fresh databases, of the kind that `--database` names."""
    if request.config.getoption("database") == "sqlite":
        yield SQLiteDatabases(request.getfixturevalue("migrated"))
        return
    instance = tmp_path_factory.mktemp("postgresql")
    with postgres.server() as address:
        made = PostgreSQLDatabases(address)
        made.run("CREATE DATABASE {}", made.TEMPLATE)
        place = {"INSTANCE": str(instance), "RGAPP_DATABASE_URL": made.address(made.TEMPLATE)}
        migrate(lambda: create_app(ENVIRONMENT | place))
        yield made


@pytest.fixture
def make_app(tmp_path: Path, databases: Databases) -> Iterator[Callable[..., Flask]]:
    """Return a function that builds an application on a fresh database; arguments are environment variables."""
    made: list[Flask] = []

    def make(**environment: str) -> Flask:
        instance = tmp_path / f"instance-{len(made)}"
        instance.mkdir()
        address = {"INSTANCE": str(instance), "RGAPP_DATABASE_URL": databases.fresh(instance)}
        app = create_app(ENVIRONMENT | address | environment)
        app.test_client_class = Client
        made.append(app)
        return app

    yield make
    for app in made:
        with app.app_context():
            db.engine.dispose()
    databases.release()


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    """Return an application on a fresh database."""
    return make_app()


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """Return a database session inside an application context; requests commit it before they start."""
    with app.app_context():
        yield db.session()
        db.session.rollback()


@pytest.fixture
def make(session: Session) -> Factory:
    """Return the factory of programmes, staff, users and integrations, at the time `now`."""
    return Factory(session, NOW)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Return a browser without cookies."""
    return app.test_client()


@pytest.fixture
def runner(app: Flask) -> FlaskCliRunner:
    """Return a runner of flask commands."""
    return app.test_cli_runner()


@pytest.fixture
def other_session(app: Flask) -> Callable[[], Any]:
    """Return a way to open a second session, as another process would have."""

    @contextmanager
    def begin() -> Iterator[Session]:
        with app.app_context(), Session(db.engine, expire_on_commit=False) as opened:
            yield opened

    return begin
