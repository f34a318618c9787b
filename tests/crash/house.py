"""An installation of real processes that may be killed: gunicorn, worker, database and mail server."""

import http.client
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import IO, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rgapp import create_app
from rgapp.demo.responses import parse_authn_request
from rgapp.extensions import db
from rgapp.models import AuditEvent, OutboxMail, SignInAttempt, User, UserSession
from tests.conftest import ENVIRONMENT, NOW
from tests.crash import faults
from tests.factories import Factory
from tests.mailbox import Mailbox, mail_server
from tests.ports import free_port
from tests.sso.conftest import JANE, Door, saml_settings

ROOT = Path(__file__).resolve().parent.parent.parent
WEB_WORKERS = 3
# Nothing here is a matter of seconds: this only ends what would never end, on a machine that has much else to do too.
PATIENCE_SECONDS = 180.0


def wait_until(what: str, condition: Callable[[], Any], seconds: float = PATIENCE_SECONDS) -> Any:
    """Return the condition's value as soon as it is true; fails with `what` when it never is."""
    until = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < until, f"{what}: not within {seconds} s"
        time.sleep(0.02)  # Other processes work; there is nothing to wait on but the outcome.
    return value


@dataclass(frozen=True)
class Answer:
    """What a browser got, and how long it took."""

    status: int
    location: str = ""
    retry_after: str | None = None
    text: str = ""
    seconds: float = 0.0


class Browser:
    """One browser: its cookies, an address of its own behind our proxy, and one connection for each request."""

    _addresses = (f"10.{high}.{middle}.{low}" for high in range(256) for middle in range(256) for low in range(1, 255))

    def __init__(self, port: int) -> None:
        self.port = port
        self.address = next(self._addresses)
        self.cookies: dict[str, str] = {}

    def request(self, method: str, path: str, body: str = "") -> Answer:
        """Make a request; a connection that ends without an answer is status 0."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"Cookie": cookies, "X-Forwarded-For": self.address}
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        began = time.monotonic()
        try:
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
            for cookie in answer.headers.get_all("Set-Cookie") or []:
                name, _, value = cookie.partition(";")[0].partition("=")
                self.cookies[name] = value
            found = answer.headers
            seconds = time.monotonic() - began
            return Answer(answer.status, found.get("Location", ""), found.get("Retry-After"), text, seconds)
        except (http.client.RemoteDisconnected, ConnectionError):
            return Answer(0, seconds=time.monotonic() - began)
        finally:
            connection.close()


@dataclass(frozen=True)
class Visit:
    """An employee's sign-in, up to the form that the identity provider lets her browser post."""

    browser: Browser
    path: str
    form: str

    def post(self) -> Answer:
        """Bring the response to the ACS; a second time is what reloading the page does."""
        return self.browser.request("POST", self.path, self.form)


@dataclass(frozen=True)
class Traces:
    """What a first sign-in leaves: all of it or nothing."""

    users: int
    events: int
    mails: int
    sessions: int
    attempts: int


class House:
    """The processes of one installation; what is killed can be started again."""

    def __init__(self, folder: Path, environment: dict[str, str], port: int, mailbox: Mailbox) -> None:
        self.folder = folder
        self.mailbox = mailbox
        self.port = port
        self.fuse = folder / "fuse"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RGAPP_")}
        self.environment = kept | environment | {faults.VARIABLE: str(self.fuse)}
        self.app: Flask = create_app(environment)
        self.door: Door
        self._running: dict[str, tuple[subprocess.Popen[bytes], IO[bytes]]] = {}

    def furnish(self, key: tuple[str, str], migrated: Path | None) -> None:
        """Migrate, and make a programme with a connection."""
        with self.app.app_context():
            if migrated is not None:
                shutil.copy(migrated, str(db.engine.url.database))
            else:
                upgrade()
            session = db.session()
            make = Factory(session, NOW)
            programme = make.programme("acme")
            integration = make.integration(programme, saml_settings(key[1], idp_initiated=True))
            self.door = Door(programme, integration, key, base_url=f"http://127.0.0.1:{self.port}")
            session.commit()
            db.engine.dispose()

    def start_web(self) -> None:
        """Serve with gunicorn and wait until it answers."""
        self._start("web", "-m", "gunicorn", "--no-control-socket", "tests.crash.web:app")
        wait_until("the web answers", lambda: Browser(self.port).request("GET", "/healthz").status == 200)

    def start_worker(self) -> None:
        """Start the worker, without its schedule: `ask` does what happens each minute."""
        self._start("worker", "-m", "tests.crash.worker", "--app", "wsgi", "worker", "--workers", "1", "--no-periodic")

    def _start(self, name: str, *words: str) -> None:
        out = (self.folder / f"{name}.log").open("ab")
        process = subprocess.Popen(
            [sys.executable, *words], cwd=ROOT, env=self.environment, stdout=out, stderr=subprocess.STDOUT
        )
        self._running[name] = process, out

    def ended(self, name: str) -> int:
        """Wait until a process has ended; returns how."""
        process, out = self._running[name]
        try:
            code = process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{name} goes on; the fuse is there: {self.fuse.exists()}\n{self.log(name)}") from None
        del self._running[name]
        out.close()
        return code

    def pid(self, name: str) -> int:
        """Return the process id, which says whether it is still the same process; fails if it has ended."""
        process, _ = self._running[name]
        assert process.poll() is None, self.log(name)
        return process.pid

    def log(self, name: str) -> str:
        """Return what a process has written."""
        return (self.folder / f"{name}.log").read_text()

    def close(self) -> None:
        """End every process."""
        for name, (process, _) in list(self._running.items()):
            process.send_signal(signal.SIGTERM)
            try:
                self.ended(name)
            except AssertionError:
                process.kill()
                process.wait()
        storage = self.app.extensions["queue"].storage
        (storage.close if hasattr(storage, "close") else storage.pool.disconnect)()
        with self.app.app_context():
            db.engine.dispose()

    def ask(self) -> None:
        """Ask for a delivery, as the schedule does each minute."""
        self.app.extensions["send_mails"]()

    def visit(self, number: str, *, browser: Browser | None = None) -> Visit:
        """Start a sign-in of the employee with this Membership No."""
        started = self.start(number, browser=browser)
        assert isinstance(started, Visit), started
        return started

    def start(self, number: str, *, browser: Browser | None = None) -> Visit | Answer:
        """Start a sign-in; where the site does not send the browser on, returns what it answered."""
        browser = browser or Browser(self.port)
        answer = browser.request("GET", f"{self.door.root}/login")
        if answer.status != 302:
            return answer
        query = urlsplit(answer.location).query
        attributes = JANE | {"employeeNumber": [number], "mail": [address_of(number)]}
        response = self.door.response(parse_authn_request(query).id, attributes=attributes)
        form = urlencode({"SAMLResponse": response, "RelayState": parse_qs(query)["RelayState"][0]})
        return Visit(browser, f"{self.door.root}/acs", form)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Open a session on the database, as a bystander."""
        with self.app.app_context(), Session(db.engine) as session:
            yield session

    def traces(self, number: str) -> Traces:
        """Return what sign-ins of this employee have left."""
        with self.session() as session:
            ids = session.scalars(select(User.id).where(User.membership_no == number)).all()

            def count(model: Any, *where: Any) -> int:
                return session.scalar(select(func.count()).select_from(model).where(*where)) or 0

            return Traces(
                users=len(ids),
                events=count(AuditEvent, AuditEvent.user_id.in_(ids), AuditEvent.tag == "user:created"),
                mails=count(OutboxMail, OutboxMail.recipient == address_of(number)),
                sessions=count(UserSession, UserSession.user_id.in_(ids)),
                attempts=count(SignInAttempt, SignInAttempt.membership_no == number, SignInAttempt.accepted),
            )

    def received(self, number: str) -> list[EmailMessage]:
        """Return the mails that the mail server took for an employee."""
        return [mail for mail in self.mailbox.messages if mail["To"] == address_of(number)]

    def mail(self, number: str) -> OutboxMail:
        """Return the outbox row of an employee's welcome e-mail."""
        with self.session() as session:
            return session.scalars(select(OutboxMail).where(OutboxMail.recipient == address_of(number))).one()


def address_of(number: str) -> str:
    """Return the e-mail address of the employee with this Membership No."""
    return f"{number.lower()}@acme.example"


@contextmanager
def house(
    folder: Path, key: tuple[str, str], *, database: str | None, migrated: Path | None, **environment: str
) -> Iterator[House]:
    """Build an installation; its processes are started by whoever needs them. `database` None is SQLite."""
    port = free_port()
    with mail_server() as mailbox:
        made = House(
            folder,
            ENVIRONMENT
            | {
                "RGAPP_ENV": "development",
                "RGAPP_BASE_URL": f"http://127.0.0.1:{port}",
                "RGAPP_WEB_WORKERS": str(WEB_WORKERS),
                "RGAPP_SMTP_URL": mailbox.url,
                "RGAPP_TRUSTED_PROXIES": "1",
                "PORT": str(port),
                "INSTANCE": str(folder / "instance"),
            }
            | ({"RGAPP_DATABASE_URL": database} if database else {})
            | environment,
            port,
            mailbox,
        )
        try:
            made.furnish(key, None if database else migrated)
            yield made
        finally:
            made.close()
