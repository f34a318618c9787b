"""Indexes of the few rows that are looked for: the queries that mean them use them, on both databases."""

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert, text
from sqlalchemy.orm import Session

from rgapp.dashboard.queries import last_editor
from rgapp.integrations.registry import kind_of
from rgapp.mail.sender import due_mails
from rgapp.models import AuditEvent, Integration, OutboxMail, Programme
from rgapp.models.base import new_id
from tests.conftest import NOW
from tests.factories import Factory


@pytest.fixture
def crowd(session: Session, make: Factory) -> Integration:
    """Return an integration that has made many people, each with an event and a mail that was sent."""
    programme: Programme = make.programme()
    settings = kind_of("scim").new_draft("scim", programme)
    integration = make.integration(programme, settings, name="Payroll", kind="scim", provider="scim")
    people = [new_id() for _ in range(2_000)]
    events = [_event(programme.id, integration.id, user_id) for user_id in people]
    session.execute(
        insert(AuditEvent), [*events[:500], _event(programme.id, integration.id, None, "Ada"), *events[500:]]
    )
    session.execute(insert(OutboxMail), [_mail(programme.id, user_id) for user_id in people])
    session.execute(insert(OutboxMail), [_mail(programme.id, None, "waiting", late) for late in (1, -1, 0)])
    session.execute(text("ANALYZE"))
    session.commit()
    return integration


def _event(
    programme: uuid.UUID, integration: uuid.UUID, user: uuid.UUID | None, who: str = "Payroll"
) -> dict[str, Any]:
    return {
        "id": new_id(), "programme_id": programme, "integration_id": integration, "user_id": user, "at": NOW,
        "tag": "user:created" if user else "integration:published", "actor_kind": "integration", "actor_label": who,
    }  # fmt: skip


def _mail(programme: uuid.UUID, user: uuid.UUID | None, status: str = "sent", late: int = 0) -> dict[str, Any]:
    key = new_id()
    return {
        "programme_id": programme, "id": key, "user_id": user, "kind": "welcome", "once_key": str(key),
        "recipient": f"{late}@acme.example", "status": status, "due_at": NOW - timedelta(hours=late), "created_at": NOW,
    }  # fmt: skip


def plan_of(session: Session, ask: Any) -> str:
    """Return how the database finds what `ask` asks for."""
    sent: list[tuple[str, Any]] = []

    def note(_: Any, __: Any, statement: str, parameters: Any, *rest: Any) -> None:
        sent.append((statement, parameters))

    event.listen(session.get_bind(), "before_cursor_execute", note)
    try:
        ask()
    finally:
        event.remove(session.get_bind(), "before_cursor_execute", note)
    ((statement, parameters),) = sent
    connection = session.connection()
    explain = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
    rows = connection.exec_driver_sql(f"{explain} {statement}", parameters)
    return "\n".join(str(row[-1]) for row in rows)


def test_who_changed_an_integration_is_found_among_the_events_of_its_people(
    session: Session, crowd: Integration
) -> None:
    """And is nobody's sign-in."""
    programme, key = crowd.programme_id, crowd.id
    found = last_editor(session, crowd)
    assert found is not None
    assert (found.programme_id, found.integration_id, found.actor_label) == (programme, key, "Ada")
    plan = plan_of(session, lambda: last_editor(session, crowd))
    # By either index only events about nobody are looked at: those of the integration, or of its programme.
    assert re.search("ix_audit_events_programme_id_(integration|user)_id", plan)


def test_mails_that_are_due_are_found_in_their_order_among_those_that_were_sent(
    session: Session, crowd: Integration
) -> None:
    plan = plan_of(session, lambda: session.execute(due_mails(NOW, 10)))
    assert "ix_outbox_mails_due" in plan
    assert "TEMP B-TREE" not in plan
    assert [session.get_one(OutboxMail, tuple(key)).recipient for key in session.execute(due_mails(NOW, 10))] == [
        "1@acme.example",
        "0@acme.example",
    ]
