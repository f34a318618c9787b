"""A live integration: sync now, its runs, what needs somebody, and the mails about it."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import current_app
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from rgapp.audit.service import COMMAND_LINE
from rgapp.clock import utcnow
from rgapp.demo.bamboohr.service import Simulated
from rgapp.integrations import service
from rgapp.integrations.sync import runs
from rgapp.integrations.sync.engine import Tools, work_on_next, work_on_preview
from rgapp.jobs import pulls as jobs
from rgapp.mail.outbox import MailKind
from rgapp.models import Integration, IntegrationVersion, OutboxMail, Programme, RunState, SyncRun
from tests.factories import Factory

Give = Callable[..., None]
Of = Callable[..., str]
Pull = Callable[[], SyncRun]


@pytest.fixture
def tools(tmp_path: Path, bamboo: Simulated) -> Tools:
    """Return what a worker has; it does not wait."""
    return Tools(
        folder=tmp_path / "sync",
        sealer=current_app.extensions["sealer"],
        clock=utcnow,
        outbound_allow=current_app.config["OUTBOUND_ALLOW"],
    )


@pytest.fixture
def pull(browser: FlaskClient, session: Session, live: Integration, path: Of, tools: Tools) -> Pull:
    """Return a function that presses Sync now and lets a worker bring the pull to its end."""

    def pulled() -> SyncRun:
        assert "/runs/" in browser.post(path(live, "pull/now")).location
        run = work_on_next(session, live.programme_id, live.id, tools)
        assert run is not None
        return run

    return pulled


def mails(session: Session, kind: MailKind) -> list[OutboxMail]:
    return list(session.scalars(select(OutboxMail).where(OutboxMail.kind == kind)))


def test_sync_now_is_a_full_pull_and_its_pages_speak_of_people(
    browser: FlaskClient, live: Integration, give: Give, path: Of, pull: Pull
) -> None:
    give(live)
    assert "The first one begins within a minute." in browser.get(path(live)).text
    run = pull()
    assert (run.state, run.wants_full, run.created) == (RunState.APPLIED, True, 12)
    activity = browser.get(path(live)).text
    assert "12 people, last pull just now" in activity
    assert "Everybody" in activity
    page = browser.get(path(live, f"runs/{run.id}")).text
    assert "<dt>Read</dt>" in page
    assert "the file" not in page.casefold()


@pytest.mark.parametrize(
    ("full", "words"), [(None, "Reading people from the other side"), (True, "Reading and checking every row")]
)
def test_while_a_pull_comes_in_its_page_says_so(
    browser: FlaskClient, session: Session, live: Integration, give: Give, path: Of, full: bool | None, words: str
) -> None:
    give(live)
    where = browser.post(path(live, "pull/now")).location
    run = session.scalars(select(SyncRun)).one()
    run.state, run.full = RunState.RUNNING, full
    session.commit()
    progress = browser.get(f"{where}/progress").text
    assert words in progress
    assert "0 people" in progress


def test_a_pull_that_waits_is_not_asked_for_twice(
    browser: FlaskClient, session: Session, live: Integration, give: Give, path: Of
) -> None:
    give(live)
    first, second = (browser.post(path(live, "pull/now")).location for _ in range(2))
    assert first == second
    assert len(session.scalars(select(SyncRun)).all()) == 1
    page = browser.get(path(live)).text
    assert "A pull is at work." in page
    assert "Sync now" not in page


def test_nothing_is_pulled_for_a_draft_or_by_support(
    browser: FlaskClient, support: FlaskClient, session: Session, draft: Integration, live: Integration, path: Of
) -> None:
    assert "It is not live" in browser.post(path(draft, "pull/now"), follow_redirects=True).text
    assert support.post(path(live, "pull/now")).status_code == 403
    assert session.scalars(select(SyncRun)).all() == []


def test_a_permission_that_shrank_is_held_with_what_to_do(
    browser: FlaskClient, live: Integration, bamboo: Simulated, give: Give, path: Of, pull: Pull
) -> None:
    give(live)
    pull()
    bamboo.do(sight={"no_access": [str(number) for number in range(101, 111)]})
    run = pull()
    assert run.state == RunState.HELD
    page = browser.get(path(live, f"runs/{run.id}")).text
    assert "2 people came, and 12 came before." in page
    assert "let whoever connected see everything again" in page
    assert "Not shown to us any more" in page
    assert "Release this pull?" in page
    overview = browser.get("/manager/acme/integrations").text
    assert "A pull is held." in overview


def test_a_lost_key_is_one_concern_and_one_mail_a_day(
    browser: FlaskClient,
    session: Session,
    live: Integration,
    bamboo: Simulated,
    give: Give,
    path: Of,
    pull: Pull,
) -> None:
    give(live)
    pull()
    bamboo.do(keys=["another"])
    runs_of = [pull(), pull()]
    assert {run.state for run in runs_of} == {RunState.FAILED}
    overview = browser.get("/manager/acme/integrations").text
    assert overview.count("BambooHR does not accept this API key.") == 1
    assert "Connect again" in overview
    assert "Look at the connection" in browser.get(path(live, f"runs/{runs_of[0].id}")).text
    assert len(mails(session, MailKind.SYNC_RUN)) == 1
    assert "BambooHR does not let us in" in browser.get(path(live, "tools")).text
    bamboo.do(keys=[bamboo.key])
    pull()
    assert "does not accept this API key" not in browser.get("/manager/acme/integrations").text


def test_a_busy_moment_is_no_mail_while_the_last_pull_is_fresh(
    session: Session, live: Integration, bamboo: Simulated, give: Give, pull: Pull
) -> None:
    give(live)
    pull()
    bamboo.do(faults=[{"kind": "rate", "seconds": 3_600}])
    run = pull()
    assert run.state == RunState.FAILED
    assert "retry_at" in run.facts
    assert mails(session, MailKind.SYNC_RUN) == []


def test_without_a_way_in_a_live_integration_says_so(browser: FlaskClient, live: Integration) -> None:
    assert "Nothing opens BambooHR for us." in browser.get("/manager/acme/integrations").text


def test_what_is_due_begins_once(session: Session, live: Integration, draft: Integration, give: Give) -> None:
    give(live)
    assert jobs.begin_due_pulls(session, now=utcnow()) == 1
    assert jobs.begin_due_pulls(session, now=utcnow()) == 0
    (run,) = session.scalars(select(SyncRun)).all()
    assert (run.integration_id, run.state) == (live.id, RunState.RECEIVED)


def test_silence_is_mailed_once_for_each_time_it_grows(
    session: Session, live: Integration, acme: Programme, make: Factory, give: Give
) -> None:
    make.staff(acme, name="Hilda")
    give(live)
    version = session.get_one(IntegrationVersion, (live.programme_id, live.id, live.live_version))
    start = version.published_at
    for days, written in ((1, 0), (3, 1), (4, 0), (7, 1), (20, 1), (20, 0)):
        assert jobs.silence_alerts(session, now=start + timedelta(days=days, hours=1)) == written, days
    assert {mail.data["days"] for mail in mails(session, MailKind.FEED_SILENT)} == {3, 7, 20}


@pytest.mark.parametrize(
    ("schedule", "days", "words"),
    [
        ("daily", 3, "Silent for 3 days: no pull could be applied since."),
        ("daily", 9, "Silent for 9 days: no pull could be applied since."),
        ("weekly", 7, ""),
        ("weekly", 9, "Silent for 9 days: no pull could be applied since."),
        ("monthly", 20, ""),
    ],
)
def test_the_dashboard_speaks_of_silence_by_the_schedule(
    browser: FlaskClient, session: Session, live: Integration, give: Give, pull: Pull, schedule: str, days: int,
    words: str,
) -> None:  # fmt: skip
    give(live)
    run = pull()
    version = session.get_one(IntegrationVersion, (live.programme_id, live.id, live.live_version))
    version.settings = live.draft = {**version.settings, "schedule": schedule}
    run.received_at = run.finished_at = utcnow() - timedelta(days=days)
    session.commit()
    overview = browser.get("/manager/acme/integrations").text
    assert words in overview
    assert overview.count("Silent for") == bool(words)


def test_silence_begins_with_the_first_publication_where_nothing_was_ever_applied(
    session: Session, live: Integration, acme: Programme, make: Factory
) -> None:
    make.staff(acme, name="Hilda")
    first = session.get_one(IntegrationVersion, (live.programme_id, live.id, live.live_version))
    start = first.published_at
    later = start + timedelta(days=2, hours=12)
    service.publish(session, live, actor=COMMAND_LINE, now=later, without_test=True)
    session.commit()
    assert jobs.silence_alerts(session, now=start + timedelta(days=3, hours=1)) == 1


def test_the_preview_of_a_draft_is_its_test(
    browser: FlaskClient, session: Session, draft: Integration, give: Give, path: Of, tools: Tools
) -> None:
    give(draft)
    assert "Preview a pull" in browser.get(path(draft, "pull/preview")).text
    browser.post(path(draft, "pull/preview"))
    for programme_id, run_id in runs.waiting_previews(session, now=utcnow()):
        work_on_preview(session, programme_id, run_id, tools)
    page = browser.get(path(draft, "pull/preview")).text
    assert "Would be applied" in page
    assert "12 people looked at" in page
    review = browser.get(path(draft, "setup/review")).text
    assert "BambooHR creates, updates and reactivates people here." in review
    assert browser.post(path(draft, "pull/preview/accept")).location.endswith("/pull/identifiers")
    assert browser.post(path(draft, "setup/review")).status_code == 303
    session.refresh(draft)
    assert draft.is_live


def test_a_preview_of_settings_that_have_changed_is_no_test(
    browser: FlaskClient, session: Session, draft: Integration, give: Give, path: Of, tools: Tools
) -> None:
    give(draft)
    browser.post(path(draft, "pull/preview"))
    for programme_id, run_id in runs.waiting_previews(session, now=utcnow()):
        work_on_preview(session, programme_id, run_id, tools)
    browser.post(path(draft, "pull/schedule"), data={"schedule": "hourly", "hold": "everything"})
    assert "The set-up has changed since this preview" in browser.get(path(draft, "pull/preview")).text
    assert browser.post(path(draft, "pull/preview/accept")).location.endswith("/pull/preview")


def test_what_a_change_means_for_people_is_said_before_it_is_published(
    browser: FlaskClient, session: Session, live: Integration, give: Give, path: Of
) -> None:
    give(live)
    changed: dict[str, Any] = {"filters": {"country": ["Germany"]}, "schedule": "weekly", "welcome_email": False}
    live.draft = live.draft | changed
    session.commit()
    page = browser.get(path(live, "setup/review")).text
    assert "Who does not fit the new filters becomes a leaver with the next pull." in page
    assert "It pulls every week." in page
    assert "New people get no welcome e-mail from us." in page


def test_a_draft_without_anything_says_what_is_missing(
    browser: FlaskClient, session: Session, acme: Programme, path: Of
) -> None:
    assert browser.post("/manager/acme/integrations/new/bamboohr").location.endswith("/bamboohr/connect")
    made = session.scalars(select(Integration).where(Integration.kind == "bamboohr")).one()
    review = browser.get(path(made, "setup/review")).text
    assert "Still needed: the sub-domain of your BambooHR." in review
    assert "Nothing opens the way in yet" in review
    assert "There is nothing to preview yet" in browser.get(path(made, "pull/preview")).text
    assert browser.post(path(made, "pull/preview")).location.endswith("/pull/mapping")
