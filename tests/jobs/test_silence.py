"""Alerts about feeds that are silent: by their own habit, once for each silence, of every kind that is a feed."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from rgapp.integrations import service
from rgapp.integrations.registry import KINDS
from rgapp.integrations.sync import runs
from rgapp.jobs.silence import silence_alerts
from rgapp.models import Integration, OutboxMail
from tests.conftest import NOW
from tests.factories import Factory
from tests.integrations.sync.tables import KIND, TableKind, TableSettings
from tests.provisioning.conftest import ACTOR

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def kind(monkeypatch: pytest.MonkeyPatch) -> TableKind:
    """Register a kind that is a feed."""
    made = TableKind()
    monkeypatch.setitem(KINDS, KIND, made)
    return made


@pytest.fixture
def payroll(make: Factory) -> Integration:
    """Return a live feed of a programme with two admins."""
    acme = make.programme("acme")
    make.staff(acme, email="ann@acme.example")
    make.staff(acme, email="bob@acme.example")
    return make.integration(acme, TableSettings().model_dump(), kind=KIND, provider=KIND, name="Payroll")


def arrive(session: Session, integration: Integration, *days: float) -> None:
    for day in days:
        runs.receive(session, integration, now=NOW + day * DAY)
    session.commit()


def told(session: Session, first: int, last: int) -> list[tuple[int, int]]:
    """Run the job each hour; returns at which hours how many got a mail."""
    found = ((hour, silence_alerts(session, now=NOW + timedelta(hours=hour))) for hour in range(first * 24, last * 24))
    return [(hour, count) for hour, count in found if count]


def mails(session: Session) -> Sequence[OutboxMail]:
    return session.scalars(select(OutboxMail).order_by(OutboxMail.id)).all()


def test_a_missing_daily_file_is_told_once_to_each_admin(session: Session, payroll: Integration) -> None:
    arrive(session, payroll, 0, 1, 2, 3)
    assert told(session, 3, 14) == [(3 * 24 + 61, 2)]
    assert [mail.recipient for mail in mails(session)] == ["ann@acme.example", "bob@acme.example"]
    assert mails(session)[0].data["days"] == 2
    assert mails(session)[0].data["pulls"] is False


def test_each_silence_is_told(session: Session, payroll: Integration) -> None:
    arrive(session, payroll, 0, 1, 2, 3)
    assert len(told(session, 3, 7)) == 1
    arrive(session, payroll, 7, 8, 9)
    assert len(told(session, 9, 18)) == 1


def test_a_weekly_feed_may_be_quiet_for_a_week(session: Session, payroll: Integration) -> None:
    arrive(session, payroll, 0, 7, 14)
    assert told(session, 14, 28) == []
    assert len(told(session, 28, 30)) == 1


def test_one_file_alone_is_missed_after_a_week(session: Session, payroll: Integration) -> None:
    assert told(session, 0, 1) == []
    arrive(session, payroll, 0)
    assert told(session, 0, 9) == [(7 * 24, 2)]


def test_what_is_switched_off_may_be_silent(session: Session, payroll: Integration) -> None:
    arrive(session, payroll, 0, 1, 2, 3)
    service.set_enabled(session, payroll, False, actor=ACTOR, now=NOW)
    assert told(session, 3, 14) == []
