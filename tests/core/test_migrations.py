"""Migrations: up and down again on both databases, to exactly what the models say."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import Table, inspect, select, text
from sqlalchemy.orm import Session

from rgapp import create_app, programmes
from rgapp.audit.service import COMMAND_LINE
from rgapp.extensions import db
from rgapp.models import Base, FeedRecord, Integration, OutboxMail, User
from rgapp.provisioning import OutcomeKind, provision
from tests.conftest import ENVIRONMENT, NOW
from tests.core import postgres
from tests.provisioning.conftest import ACTOR, Bench, reading_of


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    """Return the address of a PostgreSQL server."""
    with postgres.server() as address:
        yield address


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """Return an application on a database without any table."""
    environment = ENVIRONMENT | {"INSTANCE": str(tmp_path)}
    if request.param == "postgresql":
        environment["RGAPP_DATABASE_URL"] = request.getfixturevalue("postgresql")
    app = create_app(environment)
    with app.app_context():
        assert db.engine.dialect.name == request.param
        yield app
        db.session.rollback()
        db.session.remove()
        downgrade(revision="base")
        db.engine.dispose()


def tables() -> set[str]:
    """Return the tables that there are."""
    with db.engine.connect() as connection:
        return set(inspect(connection).get_table_names()) - {"alembic_version"}


def test_the_migrated_schema_is_what_the_models_say(empty: Flask) -> None:
    upgrade()
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    assert tables() == set(Base.metadata.tables)


def test_every_migration_can_be_taken_back_and_made_again(empty: Flask) -> None:
    upgrade()
    downgrade(revision="base")
    assert tables() == set()
    upgrade()
    assert tables() == set(Base.metadata.tables)


def test_a_first_and_a_second_sign_in_work_on_it(empty: Flask) -> None:
    """The statements that differ between the databases: ON CONFLICT, JSON, timestamps."""
    upgrade()
    session: Session = db.session()
    programme = programmes.create(session, actor=COMMAND_LINE, now=NOW, name="Acme", slug="acme")
    policy = Bench(session, programme, None).policy()  # type: ignore[arg-type]  # Only its policies are used.
    session.commit()
    kinds = []
    for record in (
        reading_of(),
        reading_of(),
        reading_of(last_name="Baker"),
        reading_of(last_name="Baker", active=False),
    ):
        kinds.append(provision(session, programme.id, record, policy, ACTOR, now=NOW).kind)
        session.commit()
    assert kinds == [OutcomeKind.CREATED, OutcomeKind.UNCHANGED, OutcomeKind.UPDATED, OutcomeKind.DEACTIVATED]
    session.expire_all()
    user = session.query(User).one()
    assert (user.created_at, user.last_name, session.query(OutboxMail).count()) == (NOW, "Baker", 1)


@pytest.mark.parametrize("table", Base.metadata.sorted_tables, ids=lambda table: table.name)
def test_what_belongs_to_a_programme_begins_its_keys_with_it(table: Table) -> None:
    """Unique constraints and indexes of tenants' tables begin with the programme, so that no look-up crosses it."""
    columns = table.c
    if "programme_id" not in columns or table.name in {"audit_events", "connection_directory", "staff_grants"}:
        return
    assert next(column.name for column in table.primary_key) == "programme_id"
    for index in table.indexes:
        housekeeping = index.name.endswith("expires_at") or index.name == "ix_outbox_mails_due"
        assert housekeeping or next(iter(index.columns)).name == "programme_id", index.name


LOGS = {"audit_events": 2, "outbox_mails": 1, "feed_records": 1}


def kept() -> dict[str, int]:
    with db.engine.connect() as connection:
        return {name: len(connection.execute(Base.metadata.tables[name].select()).all()) for name in LOGS}


def test_tables_that_lose_foreign_keys_keep_their_rows_and_their_form(empty: Flask) -> None:
    upgrade(revision="0010")
    session: Session = db.session()
    programme = programmes.create(session, actor=COMMAND_LINE, now=NOW, name="Acme", slug="acme")
    policy = Bench(session, programme, None).policy()  # type: ignore[arg-type]  # Only its policies are used.
    outcome = provision(session, programme.id, reading_of(), policy, ACTOR, now=NOW)
    integration = Integration(
        programme_id=programme.id,
        kind="sftp",
        provider="sftp",
        name="Payroll",
        name_key="payroll",
        public_id="payroll",
        draft={},
        created_at=NOW,
        updated_at=NOW,
    )
    session.add(integration)
    session.flush()
    session.add(
        FeedRecord(
            programme_id=programme.id,
            integration_id=integration.id,
            key="E1001",
            user_id=outcome.user_id,
            digest=b"digest",
        )
    )
    session.commit()
    session.close()
    for revision in ("head", "0010", "head"):
        (upgrade if revision == "head" else downgrade)(revision=revision)
        assert kept() == LOGS
    if db.engine.dialect.name == "sqlite":
        with db.engine.connect() as connection:
            events = connection.exec_driver_sql(
                "SELECT sql FROM sqlite_master WHERE name = 'ix_audit_events_programme_id_integration_id'"
            )
            assert "WHERE user_id IS NULL" in events.scalar_one()
            made = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE name = 'feed_records'").scalar_one()
            due = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE name = 'ix_outbox_mails_due'")
            assert "WITHOUT ROWID" in made
            assert "WHERE status IN" in due.scalar_one()


def test_the_version_before_can_read_whose_values_a_persons_fields_are(empty: Flask) -> None:
    upgrade()
    session: Session = db.session()
    programme = programmes.create(session, actor=COMMAND_LINE, now=NOW, name="Acme", slug="acme")
    policy = Bench(session, programme, None).policy()  # type: ignore[arg-type]  # Only its policies are used.
    provision(session, programme.id, reading_of(), policy, ACTOR, now=NOW)
    session.commit()
    (before,) = session.scalars(select(User.field_sources))
    session.close()
    kept = text("SELECT field_sources FROM users")
    for written, read in ((list, "head"), (dict, "0011")):
        if read != "head":
            downgrade(revision=read)
        with db.engine.connect() as connection:
            found = connection.scalar(kept)
        found = json.loads(found) if isinstance(found, str) else found
        assert isinstance(found, written)
    assert found == before
    upgrade()
    assert session.scalars(select(User.field_sources)).one() == before
