"""Alerts about bearer tokens: in time, once at each threshold, and only where nobody else gets in."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from rgapp.integrations import service
from rgapp.integrations.scim import tokens
from rgapp.integrations.scim.settings import DEFAULT_MAPPING
from rgapp.jobs.tokens import token_alerts
from rgapp.models import Integration, OutboxMail
from tests.conftest import NOW
from tests.factories import Factory
from tests.provisioning.conftest import ACTOR


@pytest.fixture
def entra(make: Factory) -> Integration:
    """Return a live SCIM integration of a programme with one admin."""
    acme = make.programme("acme")
    make.staff(acme, email="ann@acme.example")
    return make.integration(acme, {"mapping": DEFAULT_MAPPING}, kind="scim", provider="scim", name="Entra")


def issue(session: Session, integration: Integration, days: int | None) -> None:
    lifetime = timedelta(days=days) if days is not None else None
    tokens.issue(session, integration, actor=ACTOR, now=NOW, lifetime=lifetime)
    session.commit()


def told(session: Session, days: int = 60) -> list[int]:
    """Run the job each day; returns the days on which somebody got a mail."""
    return [day for day in range(days) if token_alerts(session, now=NOW + timedelta(days=day, hours=1))]


def test_one_mail_at_30_days_and_one_at_7(session: Session, entra: Integration) -> None:
    issue(session, entra, 40)
    assert told(session) == [10, 32]
    mails = session.scalars(select(OutboxMail)).all()
    assert {mail.recipient for mail in mails} == {"ann@acme.example"}
    assert [mail.data["days"] for mail in mails] == [29, 7]


def test_the_token_that_lasts_longest_counts(session: Session, entra: Integration) -> None:
    issue(session, entra, 10)
    issue(session, entra, None)
    assert told(session) == []


def test_a_revoked_token_does_not_count(session: Session, entra: Integration) -> None:
    issue(session, entra, 40)
    issue(session, entra, 400)
    newest = tokens.of_integration(session, entra)[0]
    tokens.revoke(session, entra, newest.id, actor=ACTOR, now=NOW)
    assert told(session) == [10, 32]


def test_an_integration_that_is_off_needs_no_token(session: Session, entra: Integration) -> None:
    issue(session, entra, 10)
    service.set_enabled(session, entra, False, actor=ACTOR, now=NOW)
    assert told(session) == []
