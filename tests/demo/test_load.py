"""Loading the demo: complete the first time, and afterwards nothing that people changed is touched."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rgapp import programmes
from rgapp.audit.service import COMMAND_LINE
from rgapp.auth import staff as staff_accounts
from rgapp.demo import people
from rgapp.demo.load import load_demo
from rgapp.demo.store import DemoStore
from rgapp.extensions import db
from rgapp.integrations import service
from rgapp.models import AuditEvent, Integration, IntegrationVersion, Programme, Staff, User
from tests.conftest import NOW

BASE_URL = "http://127.0.0.1:8000"


@pytest.fixture
def store(app: Flask) -> DemoStore:
    """Return the demo's folder of the application's instance."""
    return DemoStore.of(Path(app.instance_path))


@pytest.fixture
def load(app: Flask, session: Session, store: DemoStore) -> Callable[[], Programme]:
    """Return a way to load the demo and commit."""

    def run() -> Programme:
        programme = load_demo(session, store, sealer=app.extensions["sealer"], base_url=BASE_URL, now=NOW)
        session.commit()
        return programme

    return run


def connection(session: Session) -> Integration:
    """Return the demo's one connection."""
    return session.scalars(select(Integration)).one()


def counts(session: Session) -> dict[str, int]:
    """Return how many rows there are of what the demo makes."""
    models = (Programme, Staff, Integration, IntegrationVersion, User, AuditEvent)
    return {model.__name__: session.scalar(select(func.count()).select_from(model)) or 0 for model in models}


def test_it_makes_a_live_connection_with_jit_and_no_users(load: Callable[[], Programme], session: Session) -> None:
    programme = load()
    assert programme.name == "Acme Rewards"
    integration = connection(session)
    assert integration.name == "Acme Demo IdP"
    assert integration.is_live
    assert service.live_settings(session, integration)["jit"]["create"] is True
    assert counts(session)["User"] == 0


def test_its_staff_can_sign_in_with_the_password_of_this_installation(
    load: Callable[[], Programme], session: Session, store: DemoStore
) -> None:
    load()
    assert len(store.password()) >= 16
    for person in people.STAFF:
        signed_in = staff_accounts.authenticate(session, person.email, store.password())
        assert signed_in is not None
        assert signed_in.role == person.role


def test_loading_again_changes_nothing(load: Callable[[], Programme], session: Session) -> None:
    load()
    before = counts(session)
    load()
    assert counts(session) == before


def test_what_people_changed_stays(load: Callable[[], Programme], session: Session) -> None:
    programme = load()
    programmes.update(session, programme, actor=COMMAND_LINE, now=NOW, name="Ours now")
    integration = connection(session)
    service.save_draft(session, integration, actor=COMMAND_LINE, now=NOW, name="Renamed", idp_initiated=False)
    service.set_enabled(session, integration, False, actor=COMMAND_LINE, now=NOW)
    hannah = staff_accounts.find_staff(session, "hannah.reid@acme.example")
    staff_accounts.set_password(session, hannah, "a password of her own", COMMAND_LINE, now=NOW)
    load()
    assert programme.name == "Ours now"
    assert (integration.name, integration.enabled) == ("Renamed", False)
    assert integration.draft["idp_initiated"] is False
    assert staff_accounts.authenticate(session, "hannah.reid@acme.example", "a password of her own")


def test_a_new_port_of_the_identity_provider_reaches_the_draft_and_what_is_live(
    load: Callable[[], Programme], session: Session, store: DemoStore
) -> None:
    (store.folder / "url").write_text("http://localhost:40001")
    load()
    integration = connection(session)
    service.note_test(session, integration, passed=True, tested=integration.draft)
    (store.folder / "url").write_text("http://localhost:40002")
    load()
    live = service.live_settings(session, integration)
    assert live["idp"]["sso_url"] == integration.draft["idp"]["sso_url"] == "http://localhost:40002/sso"
    assert service.is_tested(integration)
    assert counts(session)["IntegrationVersion"] == 1


def test_another_connection_is_left_alone(load: Callable[[], Programme], session: Session, store: DemoStore) -> None:
    load()
    integration = connection(session)
    elsewhere = integration.draft["idp"] | {"entity_id": "https://other.example", "sso_url": "https://other.example/"}
    service.save_draft(session, integration, actor=COMMAND_LINE, now=NOW, idp=elsewhere)
    (store.folder / "url").write_text("http://localhost:40003")
    load()
    assert integration.draft["idp"]["sso_url"] == "https://other.example/"


def test_secrets_of_the_demo_are_for_their_owner_only(store: DemoStore) -> None:
    store.password()
    store.key_pair(NOW)
    for name in ("password", "key.pem"):
        assert stat.S_IMODE((store.folder / name).stat().st_mode) == 0o600


def test_the_key_stays_the_same(store: DemoStore) -> None:
    assert store.key_pair(NOW) == store.key_pair(NOW)


def test_the_command_exists_only_where_the_demo_is_on(make_app: Callable[..., Flask]) -> None:
    assert "demo" not in make_app().cli.commands
    switched_on = make_app(RGAPP_DEMO="1")
    result = switched_on.test_cli_runner().invoke(args=["demo", "load"])
    assert result.exit_code == 0, result.output
    assert "hannah.reid@acme.example" in result.output
    with switched_on.app_context():
        assert programmes.find(db.session(), "acme") is not None
        db.session.rollback()
