"""Every bad response, brought to the real ACS by the browser it belongs to: refused with its reason, and no trace."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from rgapp import create_app
from rgapp.extensions import db
from rgapp.integrations import service as integrations
from rgapp.integrations.saml import kind
from rgapp.integrations.saml import requests as authn_requests
from rgapp.integrations.saml.connection import Connection
from rgapp.models import (
    AuditEvent,
    Integration,
    IntegrationVersion,
    OutboxMail,
    SAMLReplay,
    SignInAttempt,
    User,
    UserSession,
)
from rgapp.sso import routes
from tests.conftest import ENVIRONMENT, Client
from tests.databases import Databases
from tests.factories import Factory
from tests.idp import ACS_URL, IDP_ENTITY_ID, NOW, REQUEST_ID, key_pair, response
from tests.integrations.saml.corpus import Case, cases

PUBLIC_ID, BASE_URL = "pUbLiCiD", "https://rewards.example"
COOKIE = "__Host-rg_saml"
NAMED = {"membership_no": {"name_id": True}}
MAPPING = {
    "membership_no": {"attribute": "employeeNumber"},
    "email": {"attribute": "mail"},
    "first_name": {"attribute": "givenName"},
    "last_name": {"attribute": "sn"},
}
#: What a web process refuses to read at all.
UNREAD = {"huge"}
#: These set-ups cannot be saved at all, so nobody gets as far as the examination.
IMPOSSIBLE = {"no-certificates", "no-idp-entity-id"}


@dataclass
class Door:
    """The connection that the corpus is for, behind a real application."""

    app: Flask
    at: datetime = NOW

    def set_up(self, case: Case | None = None) -> None:
        """Make the connection's live settings those of the case."""
        wanted = case.connection() if case else None
        with self.app.app_context():
            session = db.session()
            integration = session.scalars(select(Integration)).one()
            newest = select(IntegrationVersion).order_by(IntegrationVersion.number.desc()).limit(1)
            settings, live = settings_of(wanted), session.scalars(newest).one()
            if live.settings != settings:
                # Not by publishing, which refuses what is incomplete; a version never changes.
                values = {"number": live.number + 1, "settings": settings, "name": live.name, "tested": False}
                keys = {"programme_id": live.programme_id, "integration_id": live.integration_id}
                made = {"published_at": NOW, "published_by": live.published_by}
                session.add(IntegrationVersion(**keys, **values, **made))
                integration.live_version = live.number + 1
            lost = wanted is not None and wanted.service_key is None
            sealed = self.app.extensions["sealer"].seal(key_pair("ours").key)
            if lost != (integration.service_key is None):
                integration.service_key = None if lost else sealed
            session.commit()
            db.session.remove()

    def bring(self, field: str, *, awaited: bool = True, sender: int = 1, name: str = "SAMLResponse") -> TestResponse:
        """Start a sign-in where the response answers one, then bring the response as the browser would."""
        browser = self.app.test_client()
        there: dict[str, Any] = {"base_url": BASE_URL, "environ_base": {"REMOTE_ADDR": f"10.{sender}.0.1"}}
        fields = {name: field}
        if awaited:
            started = browser.get(f"/sso/{PUBLIC_ID}/login", **there)
            assert started.status_code == 302, started.text
            fields["RelayState"] = parse_qs(urlsplit(started.location).query)["RelayState"][0]
        return browser.post(urlsplit(ACS_URL).path, data=fields, **there)

    def count(self, model: type, *where: Any) -> int:
        """Return how many rows a table has."""
        with self.app.app_context():
            found = db.session().scalar(select(func.count()).select_from(model).where(*where)) or 0
            db.session.remove()
            return found

    def reason(self) -> str:
        """Return the reason of the newest attempt."""
        with self.app.app_context():
            newest = select(SignInAttempt.reason).order_by(SignInAttempt.id.desc()).limit(1)
            found = db.session().scalars(newest).one()
            db.session.remove()
            return found

    def assert_refused(self, answer: TestResponse, reason: str, attempts_before: int) -> None:
        """Check for a refusal with this reason, and that nothing came of it: no user, session, mail or event."""
        assert answer.status_code == 403
        assert [cookie for cookie in answer.headers.getlist("Set-Cookie") if "session" in cookie] == []
        assert self.count(SignInAttempt) == attempts_before + 1
        assert self.reason() == reason
        rows = {model.__name__: self.count(model) for model in (User, UserSession, OutboxMail, SAMLReplay)}
        assert set(rows.values()) == {0}, rows
        assert self.count(AuditEvent, AuditEvent.user_id.is_not(None)) == 0


def settings_of(wanted: Connection | None) -> dict[str, Any]:
    """Return live settings with which the application builds the case's connection."""
    idp = {"entity_id": IDP_ENTITY_ID, "sso_url": "https://idp.example/sso", "slo_url": "https://idp.example/slo"}
    settings: dict[str, Any] = {
        "idp": idp | {"certificates": [key_pair("idp").certificate]},
        "signed": "either",
        "sp_initiated": True,
        "idp_initiated": False,
        "jit": {"create": True, "update": False, "welcome_email": True},
        "mapping": MAPPING,
    }
    if wanted is not None:
        settings["idp"] |= {"entity_id": wanted.idp_entity_id, "certificates": list(wanted.certificates)}
        settings["mapping"] = MAPPING | (NAMED if wanted.requires_name_id else {})
        settings |= {"signed": str(wanted.signed), "idp_initiated": wanted.idp_initiated}
    return settings


@contextmanager
def opened(databases: Databases, instance: Path) -> Iterator[Door]:
    """Make an application with the connection."""
    place = {"INSTANCE": str(instance), "RGAPP_DATABASE_URL": databases.fresh(instance), "RGAPP_BASE_URL": BASE_URL}
    app = create_app(ENVIRONMENT | place)
    app.test_client_class = Client
    ours = key_pair("ours")
    with pytest.MonkeyPatch.context() as patch, app.app_context():
        patch.setattr(integrations, "new_token", lambda _: PUBLIC_ID)
        patch.setattr(kind, "make_service_key", lambda *_: (ours.key, ours.certificate))
        make = Factory(db.session(), NOW)
        make.integration(make.programme("acme"), settings_of(None))
        db.session.commit()
        db.session.remove()
    yield Door(app)
    with app.app_context():
        db.engine.dispose()


@pytest.fixture(scope="module")
def door(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """Return the connection, the same for all cases: what one of them left behind would fail all others."""
    with opened(databases, tmp_path_factory.mktemp("corpus")) as made:
        yield made


@pytest.fixture(autouse=True)
def _time_and_request(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let our request have the ID that the responses answer, at the time of the case."""
    monkeypatch.setattr(authn_requests, "new_id", lambda: REQUEST_ID)
    monkeypatch.setattr(routes, "utcnow", lambda: door.at)
    door.at = NOW


@pytest.mark.parametrize(
    ("sender", "case"), list(enumerate(cases("bad"), 1)), ids=lambda value: getattr(value, "name", "")
)
def test_a_bad_response_leaves_nothing_but_its_reason(door: Door, case: Case, sender: int) -> None:
    door.set_up(case)
    door.at = NOW + timedelta(seconds=case.data.get("clock", 0))
    before = door.count(SignInAttempt)
    awaited = case.data.get("request", True) and case.name not in IMPOSSIBLE
    answer = door.bring(case.field(), awaited=awaited, sender=sender)
    if case.name in UNREAD:
        assert (answer.status_code, door.count(SignInAttempt)) == (413, before)
        return
    reason = "not_live" if case.name in IMPOSSIBLE else f"protocol:{case.data['refused']}"
    door.assert_refused(answer, reason, before)


def test_a_good_response_brought_the_same_way_is_let_in_once(databases: Databases, tmp_path: Path) -> None:
    """Nothing was refused because of how it was brought."""
    with opened(databases, tmp_path) as door:
        assert door.bring(response()).status_code == 303, door.reason()
        assert (door.count(User), door.count(UserSession), door.count(OutboxMail)) == (1, 1, 1)
        assert door.bring(response()).status_code == 403
        assert door.reason() == "replayed"
        assert (door.count(User), door.count(UserSession), door.count(OutboxMail)) == (1, 1, 1)


def test_a_request_is_answered_once(databases: Databases, tmp_path: Path) -> None:
    """A second answer to it, good in itself, is one that nobody waits for."""
    with opened(databases, tmp_path) as door:
        browser = door.app.test_client()
        started = browser.get(f"/sso/{PUBLIC_ID}/login", base_url=BASE_URL)
        relay_state = parse_qs(urlsplit(started.location).query)["RelayState"][0]
        for number, (status, reason) in enumerate([(303, ""), (403, "protocol:in_response_to_unexpected")]):
            fields = {"SAMLResponse": response(assertion_id=f"_assertion-{number}"), "RelayState": relay_state}
            answer = browser.post(urlsplit(ACS_URL).path, data=fields, base_url=BASE_URL)
            assert (answer.status_code, door.reason()) == (status, reason)
        assert (door.count(User), door.count(UserSession), door.count(OutboxMail)) == (1, 1, 1)


@pytest.mark.parametrize("name", ["samlresponse", "SAMLResponse2", "wresult"])
def test_another_parameter_is_not_read(door: Door, name: str) -> None:
    door.set_up()
    before = door.count(SignInAttempt)
    door.assert_refused(door.bring(response(), name=name, sender=201), "protocol:parameter_missing", before)


def answers(door: Door, one: Callable[[], TestResponse], other: Callable[[], TestResponse]) -> list[str]:
    """Return two refusals' pages without their references."""
    pages = []
    for bring in (one, other):
        page = bring().text
        with door.app.app_context():
            newest = select(SignInAttempt.reference).order_by(SignInAttempt.id.desc()).limit(1)
            page = page.replace(db.session().scalars(newest).one(), "")
            db.session.remove()
        pages.append(page)
    return pages


@pytest.mark.parametrize(
    "name", ["encrypted-unsigned", "encrypted-signed-for-something-else", "encrypted-changed", "encrypted-for-another"]
)
def test_a_sender_cannot_tell_why_something_encrypted_was_refused(door: Door, name: str) -> None:
    """Ciphers without a check of their own must not be an oracle: what opens and what does not get the same page."""
    door.set_up()
    by_name = {case.name: case for case in cases("bad")}
    garbage = by_name["encrypted-garbage"].field()
    first, second = answers(
        door, lambda: door.bring(garbage, sender=202), lambda: door.bring(by_name[name].field(), sender=203)
    )
    assert first == second
