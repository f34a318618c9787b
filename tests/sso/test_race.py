"""One employee's first sign-in raced against real web processes, and one assertion brought to all of them at once."""

import http.client
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from flask_migrate import upgrade
from sqlalchemy import func, select

from rgapp import create_app
from rgapp.demo.responses import parse_authn_request
from rgapp.extensions import db
from rgapp.models import AuditEvent, OutboxMail, SAMLReplay, SAMLRequest, SignInAttempt, User, UserSession
from tests.conftest import ENVIRONMENT, NOW
from tests.factories import Factory
from tests.ports import free_port
from tests.sso.conftest import Door, saml_settings
from tests.tools import require

ROOT = Path(__file__).resolve().parent.parent.parent
AT_ONCE = 20
WORKERS = 3
START_SECONDS = 60


@contextmanager
def serving(environment: dict[str, str], port: int, log: Path) -> Iterator[None]:
    """Serve with gunicorn, as in production, until the block ends."""
    command = [sys.executable, "-m", "gunicorn", "--no-control-socket", "wsgi:app"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RGAPP_")}
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=kept | environment, stdout=out, stderr=subprocess.STDOUT)
        try:
            until = time.monotonic() + START_SECONDS
            while not answers(port):
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < until, log.read_text()
                time.sleep(0.1)
            yield
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def answers(port: int) -> bool:
    """Tell whether the web process answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """Run a PostgreSQL server of our own; yields its address."""
    programs, port, data = Path(require("postgresql")), free_port(), folder / "data"
    user = "postgres" if os.geteuid() == 0 else None  # The server refuses to run as root.
    data.mkdir()
    if user:
        folder.chmod(0o755)
        shutil.chown(data, user)
    run = {"user": user, "check": True, "cwd": "/", "stdout": subprocess.DEVNULL}
    subprocess.run([programs / "initdb", "-D", data, "-U", "rgapp", "-A", "trust", "--no-sync"], **run)
    options = f"-p {port} -h 127.0.0.1 -k '' -F -c max_connections=200"
    subprocess.run([programs / "pg_ctl", "-D", data, "-w", "-l", data / "log", "-o", options, "start"], **run)
    try:
        yield f"postgresql://rgapp@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([programs / "pg_ctl", "-D", data, "-m", "immediate", "stop"], **run)


def environment_of(tmp_path: Path, port: int, database: str | None) -> dict[str, str]:
    """Return the environment of the web processes and of the test."""
    environment = ENVIRONMENT | {
        "RGAPP_ENV": "development",
        "RGAPP_BASE_URL": f"http://127.0.0.1:{port}",
        "RGAPP_WEB_WORKERS": str(WORKERS),
        "PORT": str(port),
        "INSTANCE": str(tmp_path / "instance"),
    }
    return environment | ({"RGAPP_DATABASE_URL": database} if database else {})


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str | None]:
    """Return the database's address; None is SQLite's file in the instance folder."""
    if request.param == "sqlite":
        yield None
        return
    # Not below pytest's own folder, which nobody but its owner may enter.
    with tempfile.TemporaryDirectory(prefix="rgapp-pg-") as folder, postgresql(Path(folder)) as address:
        yield address


class Browser:
    """One browser: its cookies and one connection for each request."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.cookies: dict[str, str] = {}

    def request(self, method: str, path: str, body: str = "") -> tuple[int, str]:
        """Make a request; returns the status and where it leads."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            answer.read()
            for cookie in answer.headers.get_all("Set-Cookie") or []:
                name, _, value = cookie.partition(";")[0].partition("=")
                self.cookies[name] = value
            return answer.status, answer.headers.get("Location", "")
        finally:
            connection.close()


def at_once(calls: list[Callable[[], tuple[int, str]]]) -> list[tuple[int, str]]:
    """Make all calls at the same time."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def test_one_first_sign_in_raced_makes_one_account_and_a_replay_is_taken_once(
    tmp_path: Path, database: str | None, idp_key: tuple[str, str], migrated: Path
) -> None:
    port = free_port()
    environment = environment_of(tmp_path, port, database)
    app = create_app(environment)
    with app.app_context():
        if database is None:
            shutil.copy(migrated, str(db.engine.url.database))
        else:
            upgrade()
        session = db.session()
        make = Factory(session, NOW)
        programme = make.programme("acme")
        integration = make.integration(programme, saml_settings(idp_key[1], idp_initiated=True))
        door = Door(programme, integration, idp_key, base_url=f"http://127.0.0.1:{port}")
        session.commit()
        db.engine.dispose()  # No connection of ours is open while others write.

        def prepared() -> Callable[[], tuple[int, str]]:
            browser = Browser(port)
            _, location = browser.request("GET", f"{door.root}/login")
            query = urlsplit(location).query
            fields = {
                "SAMLResponse": door.response(parse_authn_request(query).id),
                "RelayState": parse_qs(query)["RelayState"][0],
            }
            return lambda: browser.request("POST", f"{door.root}/acs", urlencode(fields))

        with serving(environment, port, tmp_path / "log"):
            raced = at_once([prepared() for _ in range(AT_ONCE)])
            again = urlencode({"SAMLResponse": door.response(None)})
            replayed = at_once([lambda: Browser(port).request("POST", f"{door.root}/acs", again)] * 12)

        def count(model: type, *where: object) -> int:
            return session.scalar(select(func.count()).select_from(model).where(*where)) or 0  # type: ignore[arg-type]

        reasons = list(session.scalars(select(SignInAttempt.reason).where(~SignInAttempt.accepted)))
        assert sorted(reasons) == ["replayed"] * 11
        assert raced == [(303, "/p/acme/")] * AT_ONCE
        assert sorted(status for status, _ in replayed) == [303] + [403] * 11
        assert (count(User), count(OutboxMail), count(AuditEvent, AuditEvent.tag == "user:created")) == (1, 1, 1)
        assert (count(UserSession), count(SAMLReplay), count(SAMLRequest)) == (AT_ONCE + 1, AT_ONCE + 1, 0)
        assert count(SignInAttempt, SignInAttempt.outcome == "created") == 1
        assert count(SignInAttempt, SignInAttempt.accepted) == AT_ONCE + 1
        session.rollback()
        db.engine.dispose()

    log = (tmp_path / "log").read_text()
    assert "Traceback" not in log
    for secret in ("Jane", "E1001", "acme.example", "SAMLResponse", "RelayState", again[13:40]):
        assert secret not in log
