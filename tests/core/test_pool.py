"""Connections to the database: how many, whose options count, and what is done with one that the server ended."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import create_engine, text
from sqlalchemy.engine import Engine

from rgapp import config, pool
from rgapp.extensions import db
from tests.conftest import ENVIRONMENT
from tests.core import postgres


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Return the address of a PostgreSQL server."""
    with postgres.server() as found:
        yield found.replace("postgresql:", "postgresql+psycopg:")


@pytest.fixture
def engine(address: str) -> Iterator[Engine]:
    """Return an engine as the application has it."""
    made = create_engine(address, **pool.engine_options(address, 3))
    yield made
    made.dispose()


def backends(engine: Engine, count: int) -> list[int]:
    """Return the server's process ids of so many connections, which are kept in the pool."""
    with ExitStack() as opened:
        connections = [opened.enter_context(engine.connect()) for _ in range(count)]
        return [connection.scalar(text("SELECT pg_backend_pid()")) or 0 for connection in connections]


def test_connections_are_kept(engine: Engine) -> None:
    assert sorted(backends(engine, 3)) == sorted(backends(engine, 3))


def test_connections_that_the_server_ended_are_replaced_before_they_are_used(engine: Engine, address: str) -> None:
    before = backends(engine, 3)
    other = create_engine(address)
    with other.connect() as connection:
        for pid in before:
            # With a time limit it returns once that process has ended.
            assert connection.scalar(text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": pid})
    other.dispose()
    assert not set(before) & set(backends(engine, 3))


def test_a_connection_that_was_closed_here_is_replaced_too(engine: Engine) -> None:
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
    assert driver is not None
    driver.close()
    assert len(backends(engine, 1)) == 1


def test_what_the_address_says_goes_before_our_options() -> None:
    url = "postgresql+psycopg://rgapp@db.example/rgapp?connect_timeout=3"
    options = pool.engine_options(url, 8)["connect_args"]
    assert "connect_timeout" not in options
    assert options["keepalives_count"] == 3
    assert "connect_args" not in pool.engine_options("sqlite:////tmp/rgapp.db", 8)


@pytest.mark.parametrize(
    ("environment", "size"),
    [({}, 8), ({"RGAPP_WEB_THREADS": "16"}, 16), ({"RGAPP_WEB_THREADS": "16", "RGAPP_DATABASE_POOL": "4"}, 4)],
)
def test_a_process_keeps_a_connection_for_each_thread(tmp_path: Path, environment: dict[str, str], size: int) -> None:
    options = config.load(tmp_path, ENVIRONMENT | environment)["SQLALCHEMY_ENGINE_OPTIONS"]
    assert options["pool_size"] == size


def test_no_connections_at_all_cannot_be_asked_for(tmp_path: Path) -> None:
    with pytest.raises(config.ConfigError, match="RGAPP_DATABASE_POOL must be 1 or more"):
        config.load(tmp_path, ENVIRONMENT | {"RGAPP_DATABASE_POOL": "0"})


@pytest.mark.parametrize(
    "path", ["/p/acme/login", "/p/acme/no-such-page", "/manager/acme/integrations", "/sso/x/login"]
)
def test_a_request_that_gets_no_connection_is_a_short_error(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """Also where the page of the error itself would ask the database who is there."""
    monkeypatch.setattr(pool, "POOL_WAIT_SECONDS", 0.05)
    app = make_app(RGAPP_DATABASE_POOL="1")
    browser = app.test_client()
    browser.set_cookie("rg_staff", "of somebody")
    with app.app_context(), ExitStack() as opened:
        for _ in range(1 + pool.SPARE_CONNECTIONS):
            opened.enter_context(db.engine.connect())
        answer = browser.get(path)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "We are back in a moment" in answer.text
    assert browser.get(path).status_code in {302, 404}
