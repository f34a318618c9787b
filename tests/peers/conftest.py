"""Our service under gunicorn, and connections to identity providers that others wrote, set up from their metadata."""

import itertools
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rgapp import create_app
from rgapp.audit.service import COMMAND_LINE
from rgapp.clock import utcnow
from rgapp.demo.responses import make_idp_key
from rgapp.extensions import db
from rgapp.integrations import service as integrations
from rgapp.integrations.saml.understood import understand_metadata
from rgapp.models import Integration, OutboxMail, Programme, SignInAttempt, User, UserSession
from tests.conftest import ENVIRONMENT
from tests.factories import Factory
from tests.peers.browser import Browser, Page
from tests.peers.provider import Provider, request
from tests.ports import free_port

ROOT = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 60
MAPPING = {
    "membership_no": {"attribute": "employeeNumber"},
    "email": {"attribute": "mail"},
    "first_name": {"attribute": "givenName"},
    "last_name": {"attribute": "sn"},
}
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Person:
    """Somebody whom the identity provider knows and we do not know yet."""

    membership_no: str
    email: str
    first_name: str = "Zoë"
    last_name: str = "O’Neill"

    @property
    def attributes(self) -> dict[str, str]:
        """Return the attributes by the names that `MAPPING` reads."""
        return {
            "employeeNumber": self.membership_no,
            "mail": self.email,
            "givenName": self.first_name,
            "sn": self.last_name,
        }


@dataclass
class Peer:
    """A connection of ours and the identity provider behind it."""

    app: Flask
    service_url: str
    provider: Provider
    programme_id: Any
    integration_id: Any
    slug: str
    public_id: str
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def login_url(self) -> str:
        """Return where a sign-in starts with us."""
        return f"{self.service_url}/sso/{self.public_id}/login"

    @property
    def logout_url(self) -> str:
        """Return where a sign-out starts with us."""
        return f"{self.service_url}/sso/{self.public_id}/logout"

    @property
    def acs_url(self) -> str:
        """Return where responses arrive."""
        return f"{self.service_url}/sso/{self.public_id}/acs"

    @property
    def entity_id(self) -> str:
        """Return our entityID."""
        return f"{self.service_url}/sso/{self.public_id}/metadata"

    def publish(self, **changes: Any) -> None:
        """Read the provider's metadata, save and publish the settings, and give the provider our metadata."""
        (understood,) = understand_metadata(self.provider.metadata(), now=utcnow())
        idp = understood.settings | changes.pop("idp", {})
        defaults = {"signed": "assertion", "idp_initiated": True, "mapping": MAPPING, "jit": {"create": True}}
        self.settings = defaults | changes | {"idp": idp}
        with self.database() as session:
            integration = session.get_one(Integration, (self.programme_id, self.integration_id))
            now = utcnow()
            if integrations.save_draft(session, integration, actor=COMMAND_LINE, now=now, **self.settings):
                integrations.publish(session, integration, actor=COMMAND_LINE, now=now, without_test=True)
            session.commit()
        self.provider.learn(self.our_metadata())

    def our_metadata(self) -> bytes:
        """Return what we publish for this connection."""
        status, body = request(int(self.service_url.rpartition(":")[2]), f"/sso/{self.public_id}/metadata")
        assert status == 200
        return body

    def database(self) -> Any:
        """Return a session of our database, for a block."""
        return _session(self.app)

    def is_signed_in(self, browser: Browser) -> bool:
        """Tell whether the programme's site knows who this browser belongs to."""
        return browser.open(f"{self.service_url}/p/{self.slug}/details").path == f"/p/{self.slug}/details"

    def assert_created(self, person: Person, page: Page) -> SignInAttempt:
        """Check that this page is the site, and that the person has one account, one mail; return the attempt."""
        assert (page.status, page.path) == (200, f"/p/{self.slug}/"), self.told(page)
        with self.database() as session:
            user = session.scalars(select(User).where(User.email == person.email)).one()
            read = (user.membership_no, user.first_name, user.last_name)
            assert read == (person.membership_no, person.first_name, person.last_name)
            mails = select(func.count()).select_from(OutboxMail).where(OutboxMail.user_id == user.id)
            assert session.scalar(mails) == 1
        attempt = self.last_attempt()
        assert (attempt.accepted, attempt.outcome) == (True, "created")
        return attempt

    def told(self, page: Page) -> str:
        """Return what is known of a sign-in that went wrong."""
        failed = [check for check in self.last_attempt().checks or () if check.get("ok") is False]
        return f"{page.status} {page.url[:200]}\n{failed}\n{self.provider.log()[-3000:]}"

    def assert_refused(self, person: Person, page: Page, reason: str) -> None:
        """Check that this page is a refusal, for this reason, and that nothing came of it."""
        attempt = self.last_attempt()
        assert (page.status, attempt.accepted, attempt.reason) == (403, False, reason), (page, attempt.checks)
        with self.database() as session:
            assert session.scalars(select(User).where(User.email == person.email)).all() == []

    def sessions(self) -> int:
        """Return how many sessions employees have through this connection."""
        with self.database() as session:
            mine = UserSession.integration_id == self.integration_id
            return session.scalar(select(func.count()).select_from(UserSession).where(mine)) or 0

    def last_attempt(self) -> SignInAttempt:
        """Return the newest attempt of this connection."""
        with self.database() as session:
            newest = select(SignInAttempt).where(SignInAttempt.integration_id == self.integration_id)
            attempt = session.scalars(newest.order_by(SignInAttempt.id.desc()).limit(1)).one()
            session.expunge(attempt)
            return attempt


class _session:
    """A database session in an application context of its own, for a block."""

    def __init__(self, app: Flask) -> None:
        self.context = app.app_context()

    def __enter__(self) -> Session:
        self.context.push()
        return db.session()

    def __exit__(self, *problem: Any) -> None:
        db.session.rollback()
        db.session.remove()
        self.context.pop()


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[tuple[Flask, str]]:
    """Serve the application with gunicorn; yields an application on the same database, and the address."""
    folder, port = tmp_path_factory.mktemp("service"), free_port()
    url = f"http://127.0.0.1:{port}"
    environment = ENVIRONMENT | {
        "RGAPP_ENV": "development",
        "RGAPP_BASE_URL": url,
        "RGAPP_WEB_WORKERS": "1",
        "PORT": str(port),
        "INSTANCE": str(folder / "instance"),
    }
    app = create_app(environment)
    with app.app_context():
        shutil.copy(migrated, str(db.engine.url.database))
        db.engine.dispose()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RGAPP_")}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "wsgi:app"],
            cwd=ROOT,
            env=kept | environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait(process, port, folder / "log")
        yield app, url
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        with app.app_context():
            db.engine.dispose()
    assert "Traceback" not in (folder / "log").read_text()


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < until, log.read_text()
        try:
            if request(port, "/healthz")[0] == 200:
                return
        except OSError:
            time.sleep(0.1)


@pytest.fixture(scope="session")
def provider_key() -> tuple[str, str]:
    """Return the private key and the certificate of the identity providers."""
    return make_idp_key(utcnow(), "Provider")


@pytest.fixture(scope="session")
def connect(service: tuple[Flask, str]) -> Callable[[Provider], Peer]:
    """Return a function that makes a connection for an identity provider; nothing is published yet."""
    app, url = service

    def build(provider: Provider) -> Peer:
        with _session(app) as session:
            programme: Programme = Factory(session, utcnow()).programme(f"peer-{next(_numbers)}")
            integration = integrations.create(
                session,
                programme,
                kind="inbound-saml",
                provider="custom",
                name=provider.name,
                sealer=app.extensions["sealer"],
                actor=COMMAND_LINE,
                now=utcnow(),
            )
            session.commit()
            ids = programme.id, integration.id, programme.slug, integration.public_id
        peer = Peer(app, url, provider, *ids)
        provider.learn(peer.our_metadata())
        return peer

    return build


@pytest.fixture
def person() -> Person:
    """Return somebody new."""
    number = next(_numbers)
    return Person(f"E{number:05}", f"zoe.{number}@acme.example")


@pytest.fixture
def browser() -> Browser:
    """Return a browser without cookies."""
    return Browser()
