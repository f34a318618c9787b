"""Pulls begin when they are due, one at a time, and again on the day that somebody begins or has left."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from sqlalchemy.orm import Session

from rgapp.audit.service import COMMAND_LINE
from rgapp.integrations.bamboohr.settings import DEFAULT_MAPPING
from rgapp.integrations.pulls import access, begin
from rgapp.integrations.pulls.access import Secrets
from rgapp.integrations.pulls.account import AccountError
from rgapp.models import Integration, RunState, SyncRun
from rgapp.models.base import new_id
from rgapp.sealing import Sealer
from tests.conftest import NOW
from tests.factories import Factory

KINDS = ["bamboohr"]
Ran = Callable[..., SyncRun]


@pytest.fixture
def integration(make: Factory) -> Integration:
    return published(make, make.programme("acme"), "BambooHR")


def published(make: Factory, programme: Any, name: str, **parts: Any) -> Integration:
    settings = {"subdomain": "acme", "schedule": "daily", "mapping": DEFAULT_MAPPING} | parts
    return make.integration(programme, settings, name=name, kind="bamboohr", provider="bamboohr")


@pytest.fixture
def ran(session: Session) -> Ran:
    """Return a function that stores a run as it was left."""

    def store(integration: Integration, at: datetime, state: RunState = RunState.APPLIED, **values: Any) -> SyncRun:
        run = SyncRun(
            programme_id=integration.programme_id,
            id=new_id(),
            integration_id=integration.id,
            state=state,
            received_at=at,
            finished_at=at,
            full=True,
            **values,
        )
        session.add(run)
        session.flush()
        return run

    return store


def is_due(session: Session, integration: Integration, now: datetime = NOW) -> bool:
    return (integration.programme_id, integration.id) in begin.due_now(session, KINDS, now=now)


def test_the_first_pull_is_due_as_soon_as_it_is_live(
    session: Session, integration: Integration, make: Factory, ran: Ran
) -> None:
    assert is_due(session, integration)
    ran(integration, NOW, preview=True)
    assert is_due(session, integration)
    draft = make.integration(
        make.programme("globex"), {"mapping": {}}, name="Draft", kind="bamboohr", provider="bamboohr", published=False
    )
    assert not is_due(session, draft)
    integration.enabled = False
    assert not is_due(session, integration)


def test_a_pull_is_not_begun_while_one_waits_or_works(session: Session, integration: Integration, ran: Ran) -> None:
    run = ran(integration, NOW - timedelta(days=3), RunState.RUNNING)
    assert not is_due(session, integration)
    assert begin.begin(session, integration, now=NOW, full=True).id == run.id


@pytest.mark.parametrize(("state", "full"), [(RunState.RECEIVED, True), (RunState.RUNNING, False)])
def test_who_asks_for_everybody_gets_that_of_the_pull_that_waits(
    session: Session, integration: Integration, ran: Ran, state: RunState, full: bool
) -> None:
    run = ran(integration, NOW, state)
    assert begin.begin(session, integration, now=NOW, full=False).wants_full is False
    assert begin.begin(session, integration, now=NOW, full=True).id == run.id
    assert run.wants_full is full


def test_after_the_days_pull_it_waits_for_the_next_day(session: Session, integration: Integration, ran: Ran) -> None:
    ran(integration, NOW)
    assert not is_due(session, integration, NOW + timedelta(hours=1))
    assert is_due(session, integration, NOW + timedelta(days=1))


def test_what_failed_and_may_pass_is_tried_again_within_the_hour_and_a_wrong_key_is_not(
    session: Session, integration: Integration, ran: Ran
) -> None:
    ran(integration, NOW, RunState.FAILED)
    assert not is_due(session, integration, NOW + timedelta(minutes=59))
    assert is_due(session, integration, NOW + timedelta(minutes=60))
    sealer = Sealer([Fernet.generate_key().decode()])
    access.keep(session, integration, Secrets("api_key", {"api_key": "k"}), sealer=sealer, actor=COMMAND_LINE, now=NOW)
    access.note_bad(session, integration, AccountError("wrong_key", "No."), now=NOW)
    assert not is_due(session, integration, NOW + timedelta(minutes=60))
    assert is_due(session, integration, NOW + timedelta(days=1))


@pytest.mark.parametrize(
    ("marks", "due"),
    [
        ({}, False),
        ({begin.NEXT_DAY: "tomorrow"}, False),
        ({begin.NEXT_DAY: (NOW + timedelta(days=2)).date().isoformat()}, False),
        ({begin.NEXT_DAY: (NOW + timedelta(days=1)).date().isoformat()}, True),
    ],
)
def test_on_the_day_that_somebody_begins_or_has_left_a_weekly_pull_comes_early(
    session: Session, make: Factory, ran: Ran, marks: dict[str, Any], due: bool
) -> None:
    weekly = published(make, make.programme("acme"), "Weekly", schedule="weekly")
    ran(weekly, NOW, pulled={"people": 1, "looked_at": 1, "filled": {}, "marks": marks})
    assert not is_due(session, weekly, NOW)
    assert is_due(session, weekly, NOW + timedelta(days=1)) is due


def test_of_hourly_pulls_the_first_of_a_day_is_full(session: Session, make: Factory, ran: Ran) -> None:
    hourly = published(make, make.programme("acme"), "Hourly", schedule="hourly")
    place = hourly.programme_id, hourly.id
    assert begin.begin_due(session, *place, now=NOW).wants_full
    session.query(SyncRun).delete()
    ran(hourly, NOW - timedelta(hours=1))
    assert not begin.begin_due(session, *place, now=NOW).wants_full
    session.query(SyncRun).delete()
    ran(hourly, NOW - timedelta(days=1))
    assert begin.begin_due(session, *place, now=NOW).wants_full


@pytest.mark.parametrize(
    ("retry_at", "after"),
    [
        ((NOW + timedelta(hours=3)).isoformat(), timedelta(hours=3)),
        ((NOW + timedelta(days=9)).isoformat(), timedelta(days=1)),
        ((NOW - timedelta(days=9)).isoformat(), timedelta(0)),
        ("soon", timedelta(hours=1)),
    ],
)
def test_a_pull_comes_back_when_it_was_asked_to(
    session: Session, make: Factory, ran: Ran, retry_at: str, after: timedelta
) -> None:
    monthly = published(make, make.programme("acme"), "Monthly", schedule="monthly")
    ran(monthly, NOW, RunState.FAILED, facts={"retry_at": retry_at})
    assert is_due(session, monthly, NOW + after)
    assert after == timedelta(0) or not is_due(session, monthly, NOW + after - timedelta(minutes=1))


def test_a_schedule_that_another_version_wrote_counts_as_daily(session: Session, make: Factory, ran: Ran) -> None:
    odd = published(make, make.programme("acme"), "Odd")
    session.flush()
    ran(odd, NOW)
    assert begin._schedule({"schedule": "yearly"}).value == "daily"
    assert begin._schedule(None).value == "daily"
