"""What sign-ins go on upon is stopped and started again meanwhile: short errors, nothing lost, no hand needed."""

import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from flask import Flask

from rgapp import database
from rgapp.extensions import db
from tests.core import postgres, redis
from tests.crash.house import Answer, House, Traces, house, wait_until
from tests.factories import Factory
from tests.sso.conftest import saml_settings

EMPLOYEES_AT_ONCE = 6
# An answer that takes longer is a page that hangs: nothing here waits for the server's return.
LONGEST_ANSWER_SECONDS = 8.0


@dataclass
class Crowd:
    """Employees who sign in one after the other, each for the first time, until they are told to stop."""

    home: House
    answers: list[tuple[str, Answer]] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def arrive(self, lane: int) -> None:
        """Sign in new employees; whoever cannot start a sign-in now is not counted."""
        number = 0
        while not self.stopped.is_set():
            name = f"C{lane}X{number}"
            number += 1
            started = self.home.start(name)
            if isinstance(started, Answer):
                self.answers.append(("", started))
            else:
                self.answers.append((name, started.post()))

    def good(self) -> list[str]:
        """Return who got in."""
        return [name for name, answer in list(self.answers) if name and answer.status == 303]

    def bad(self) -> list[tuple[str, Answer]]:
        """Return who was turned away, and how."""
        return [(name, answer) for name, answer in list(self.answers) if answer.status not in {302, 303}]


@pytest.fixture
def cluster() -> Iterator[postgres.Cluster]:
    """Return a PostgreSQL server that can be stopped."""
    with postgres.cluster() as made:
        yield made


@pytest.fixture
def home(cluster: postgres.Cluster, tmp_path: Path, idp_key: tuple[str, str]) -> Iterator[House]:
    """Return an installation on it, running."""
    with house(tmp_path, idp_key, database=cluster.address, migrated=None, RGAPP_QUEUE_URL=cluster.address) as made:
        made.start_web()
        made.start_worker()
        yield made


def grown(crowd: Crowd) -> None:
    """Wait until twenty more employees have got in."""
    before = len(crowd.good())
    wait_until("employees get in", lambda: len(crowd.good()) >= before + 20)


def test_postgresql_restarts_while_employees_sign_in(home: House, cluster: postgres.Cluster) -> None:
    pids = home.pid("web"), home.pid("worker")
    crowd = Crowd(home)
    with ThreadPoolExecutor(EMPLOYEES_AT_ONCE) as pool:
        lanes = [pool.submit(crowd.arrive, lane) for lane in range(EMPLOYEES_AT_ONCE)]
        try:
            grown(crowd)
            for mode in ("fast", "immediate"):
                turned_away = len(crowd.bad())
                cluster.stop(mode)
                wait_until("the outage is felt", lambda: len(crowd.bad()) > turned_away)  # noqa: B023
                cluster.start()
                grown(crowd)
        finally:
            crowd.stopped.set()
        for lane in lanes:
            lane.result()

    # Errors are short and calm.
    for _, answer in crowd.bad():
        assert (answer.status, answer.retry_after) == (503, "5"), answer
        assert "We are back in a moment" in answer.text
        assert "Traceback" not in answer.text
    assert max(answer.seconds for _, answer in crowd.answers) < LONGEST_ANSWER_SECONDS
    # Nothing is lost: who got in has everything, and who was turned away has everything or nothing, and gets in now.
    for name in crowd.good():
        assert home.traces(name) == Traces(1, 1, 1, 1, 1), name
    for name in {name for name, _ in crowd.bad() if name}:
        assert home.traces(name) in (Traces(0, 0, 0, 0, 0), Traces(1, 1, 1, 1, 1)), name
        assert home.visit(name).post().status == 303
    # No hand was needed: these are the same processes, and the mails go out. One delivery is asked for, as each minute.
    home.ask()
    wait_until("each has one mail", lambda: sent(home) == set(crowd.good()) | {name for name, _ in crowd.bad() if name})
    assert (home.pid("web"), home.pid("worker")) == pids
    assert max(Counter(str(mail["To"]) for mail in home.mailbox.messages).values()) == 1
    assert "Traceback" not in home.log("web")
    assert "acme.example" not in home.log("web") + home.log("worker")


def sent(home: House) -> set[str]:
    """Return who got a mail."""
    return {str(mail["To"]).partition("@")[0].upper() for mail in home.mailbox.messages}


def test_redis_is_away_and_comes_back_empty(tmp_path: Path, idp_key: tuple[str, str], migrated: Path) -> None:
    """The queue only wakes the mailer: what is lost with Redis' memory is found in the outbox."""
    with (
        redis.server() as server,
        house(tmp_path, idp_key, database=None, migrated=migrated, RGAPP_QUEUE_URL=server.address) as home,
    ):
        home.start_web()
        home.start_worker()
        pids = home.pid("web"), home.pid("worker")
        assert home.visit("R1").post().status == 303
        wait_until("the first mail is sent", lambda: home.received("R1"))
        server.stop()
        late = home.visit("R2").post()
        assert (late.status, late.seconds < LONGEST_ANSWER_SECONDS) == (303, True)
        wait_until("the web has tried to wake the mailer", lambda: "mailer not woken" in home.log("web"))
        server.start()
        assert home.mail("R2").status == "waiting"
        home.ask()
        wait_until("the second mail is sent", lambda: home.received("R2"))
        assert home.visit("R3").post().status == 303
        wait_until("the third mail is sent", lambda: home.received("R3"))
        assert (home.pid("web"), home.pid("worker")) == pids
        assert [len(home.received(number)) for number in ("R1", "R2", "R3")] == [1, 1, 1]
        assert "Traceback" not in home.log("web") + home.log("worker")


@pytest.mark.sqlite
def test_sqlite_that_is_locked_for_too_long_is_a_short_error(
    app: Flask, make: Factory, idp_key: tuple[str, str], monkeypatch: pytest.MonkeyPatch, database_file: Path
) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 50)
    integration = make.integration(make.programme("acme"), saml_settings(idp_key[1]))
    make.session.commit()
    db.engine.dispose()
    with closing(sqlite3.connect(database_file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = app.test_client().get(f"/sso/{integration.public_id}/login")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert "We are back in a moment" in answer.text
        assert app.test_client().get("/p/acme/login").status_code == 200  # Readers wait for nobody.
    assert app.test_client().get(f"/sso/{integration.public_id}/login").status_code == 302


@pytest.fixture
def database_file(app: Flask) -> Path:
    """Return SQLite's file."""
    return Path(app.instance_path) / "rgapp.db"
