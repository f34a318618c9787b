"""The limit on refused responses costs a good sign-in nothing and keeps nobody out who started one here."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from rgapp import create_app
from rgapp.auth.throttle import RefusalLimit
from rgapp.extensions import db, limiter, shared_counters
from rgapp.rate_limits import SQLStorage
from rgapp.sso import routes
from tests.conftest import ENVIRONMENT, Client
from tests.sso.conftest import Door


@pytest.fixture
def limited(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[FlaskClient]:
    """Return a browser of an application with its rate limits on, that knows of no refusal yet."""
    monkeypatch.setattr(limiter, "enabled", True)
    for name in ("REFUSALS_OF_CONNECTION", "REFUSALS_OF_NETWORK"):
        known: RefusalLimit = getattr(routes, name)
        monkeypatch.setattr(routes, name, RefusalLimit(known.name, known.item))
    place = {"INSTANCE": app.instance_path, "RGAPP_DATABASE_URL": app.config["SQLALCHEMY_DATABASE_URI"]}
    again = create_app(ENVIRONMENT | place, RATELIMIT_ENABLED=True)
    again.test_client_class = Client
    yield again.test_client()
    limiter.reset()
    if counters := shared_counters():
        counters.dispose()
    with again.app_context():
        db.engine.dispose()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what the counters are asked, as it happens."""
    questions: list[str] = []
    for name in ("incr", "get", "get_expiry"):
        really: Callable[..., float] = getattr(SQLStorage, name)

        def note(self: SQLStorage, *args: Any, name: str = name, really: Any = really, **options: Any) -> float:
            questions.append(name)
            return float(really(self, *args, **options))

        monkeypatch.setattr(SQLStorage, name, note)
    return questions


def test_a_good_sign_in_asks_no_counter(door: Door, limited: FlaskClient, asked: list[str]) -> None:
    request_id, relay_state = door.start(limited)
    assert asked == ["incr"]  # The start writes a row, so it is counted.
    asked.clear()
    assert door.post(limited, door.response(request_id), relay_state).status_code == 303
    assert asked == []


def test_each_refusal_is_counted_for_the_connection_and_for_all(
    door: Door, limited: FlaskClient, asked: list[str]
) -> None:
    assert door.post(limited, "nonsense").status_code == 403
    assert asked == ["incr", "incr"]


def test_after_too_many_it_is_said_when_to_come_again(door: Door, limited: FlaskClient) -> None:
    for _ in range(routes.REFUSALS_OF_CONNECTION.item.amount):
        assert door.post(limited, "nonsense").status_code == 403
    request_id, relay_state = door.start(limited)
    answer = door.post(limited, "nonsense")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "60")
    assert door.post(limited, door.response(request_id), relay_state).status_code == 303


def test_another_connection_of_the_same_network_has_tries_of_its_own(
    make_door: Callable[..., Door], limited: FlaskClient
) -> None:
    first = make_door()
    other = make_door(first.programme, name="Another")
    for _ in range(routes.REFUSALS_OF_CONNECTION.item.amount):
        first.post(limited, "nonsense")
    assert first.post(limited, "nonsense").status_code == 429
    assert other.post(limited, "nonsense").status_code == 403


def test_a_connection_that_is_not_there_begins_no_counter(limited: FlaskClient, asked: list[str]) -> None:
    """Names cost an attacker nothing: a counter for each of them would fill the table, and count nothing together."""
    assert limited.get("/sso/made-up/login").status_code == 404
    assert asked == []
