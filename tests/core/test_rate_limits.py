"""Counting for all web processes: atomic, forgetful, and never the reason that somebody is kept out."""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from limits import RateLimitItemPerMinute
from limits.storage import storage_from_string
from limits.strategies import FixedWindowRateLimiter
from sqlalchemy import text

from rgapp import rate_limits
from rgapp.clock import utcnow
from rgapp.extensions import limiter
from rgapp.rate_limits import SQLStorage
from tests.core import redis


@pytest.fixture
def counters(app: Flask) -> Iterator[SQLStorage]:
    """Return the counters of a fresh installation."""
    found = storage_from_string(app.config["RATELIMIT_STORAGE_URI"])
    assert isinstance(found, SQLStorage)
    yield found
    found.dispose()


@pytest.fixture
def others(app: Flask) -> Iterator[SQLStorage]:
    """Return the same counters as another process sees them."""
    found = SQLStorage(app.config["RATELIMIT_STORAGE_URI"])
    yield found
    found.dispose()


def test_what_one_process_counts_the_other_sees(counters: SQLStorage, others: SQLStorage) -> None:
    assert [counters.incr("a", 60), others.incr("a", 60), counters.incr("a", 60, 3)] == [1, 2, 5]
    assert (others.get("a"), others.get("b")) == (5, 0)
    assert others.get_expiry("a") == pytest.approx(utcnow().timestamp() + 60, abs=5)


def test_no_two_counts_are_the_same(counters: SQLStorage, others: SQLStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limits, "BUSY_TIMEOUT_MS", 30_000)  # A busy machine must not make them count in memory.
    with ThreadPoolExecutor(8) as pool:
        counted = list(pool.map(lambda number: (counters if number % 2 else others).incr("a", 60), range(80)))
    assert sorted(counted) == list(range(1, 81))


def test_a_counter_begins_anew_when_its_time_is_over(counters: SQLStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    counters.incr("a", 60)
    later = utcnow() + timedelta(seconds=61)
    monkeypatch.setattr(rate_limits, "utcnow", lambda: later)
    assert counters.get("a") == 0
    assert counters.incr("a", 60) == 1


def test_what_is_over_is_deleted_and_the_rest_stays(counters: SQLStorage) -> None:
    counters.incr("short", 1)
    counters.incr("long", 600)
    assert counters.delete_expired(now=utcnow() + timedelta(seconds=30)) == 1
    assert (counters.get("short"), counters.get("long")) == (0, 1)


def test_counters_can_be_forgotten(counters: SQLStorage) -> None:
    counters.incr("a", 60)
    counters.incr("b", 60)
    counters.clear("a")
    assert (counters.get("a"), counters.get("b")) == (0, 1)
    assert counters.reset() == 1


def test_no_address_stands_in_the_table(counters: SQLStorage) -> None:
    counters.incr("LIMITER/192.0.2.7/home.login/20/1/minute", 60)
    with counters._connected().connect() as connection:
        (row,) = connection.execute(text("SELECT * FROM rate_limits")).all()
    assert "192.0" not in str(row.key)


def test_the_strategy_of_the_limiter_works_on_it(counters: SQLStorage, others: SQLStorage) -> None:
    limit = RateLimitItemPerMinute(3)
    here, there = FixedWindowRateLimiter(counters), FixedWindowRateLimiter(others)
    assert [limiter.hit(limit, "a") for limiter in (here, there, here, there)] == [True, True, True, False]
    assert not there.test(limit, "a")
    assert here.get_window_stats(limit, "a").remaining == 0


def test_the_file_of_counters_is_for_its_owner_only(tmp_path: Path) -> None:
    counters = SQLStorage(f"sqlite:///{tmp_path / 'limits.db'}")
    counters.incr("a", 60)
    assert (tmp_path / "limits.db").stat().st_mode & 0o077 == 0
    counters.dispose()


def test_without_the_database_each_process_counts_in_memory_and_comes_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A limit that cannot be counted neither goes away nor keeps everybody out."""
    folder = tmp_path / "taken"
    folder.mkdir()
    counters = SQLStorage(f"sqlite:///{folder}")
    counters._connected = _unreachable  # type: ignore[method-assign]
    caplog.set_level(logging.WARNING)
    limiter = FixedWindowRateLimiter(counters)
    assert [limiter.hit(RateLimitItemPerMinute(2), "a") for _ in range(3)] == [True, True, False]
    assert len(caplog.records) == 1  # It rests for a while, and says so once.
    assert not counters.check()
    del counters._connected
    counters._url = counters._url.set(database=str(tmp_path / "limits.db"))
    assert counters.check()
    assert counters.incr("a", 60) == 1
    counters.dispose()


def _unreachable() -> None:
    raise rate_limits.SQLAlchemyError("the database does not answer")


def test_redis_counts_too_and_while_it_is_away_each_process_counts_for_itself(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("enabled", "_storage_dead"):  # The limiter outlives this test.
        monkeypatch.setattr(limiter, name, getattr(limiter, name))
    with redis.server() as server:
        app = make_app(RGAPP_ENV="development", RGAPP_RATELIMIT_URL=server.address)
        limit = RateLimitItemPerMinute(2)
        assert [limiter.count(limit, "a"), limiter.count(limit, "a", amount=-1)] == [1, 0]
        server.stop()
        assert [limiter.count(limit, "a") for _ in range(2)] == [1, 2]
        assert app.test_client().get("/sso/unknown/login").status_code == 404  # A view with a limit.
