"""Runs of files: what came of each, progress, reports, and what is done about one that is held."""

import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from rgapp.clock import utcnow
from rgapp.integrations.sync.engine import Tools, work_on_next
from rgapp.models import Integration, Programme, RunPhase, RunState, Staff, SyncProblem, SyncRun
from tests.dashboard.sftp.conftest import CSV, HEADER, SETTINGS
from tests.factories import Factory


def people(count: int, first: int = 1001) -> str:
    """Return a file of so many people."""
    rows = (f"E{n},p{n}@acme.example,Robin,Field,03/04/1990,Active\n" for n in range(first, first + count))
    return HEADER + "".join(rows)


@pytest.fixture
def held(live: Integration, send: Callable[..., SyncRun]) -> SyncRun:
    """Return a run that would take out 52 of 60 people."""
    send(live, people(60))
    return send(live, people(8), "wrong.csv")


def test_runs_are_listed_with_what_came_of_each(
    browser: FlaskClient, live: Integration, send: Callable[..., SyncRun], path: Callable[..., str]
) -> None:
    assert "No file yet" in browser.get(path(live)).text
    send(live, f"{CSV}E1004,nobody,Nils,Ek,03/04/1990,Active\n")
    send(live, "x", "people.pdf")
    send(live, f"{CSV}E1004,nils.ek@acme.example,Nils,Ek,03/04/1990,Active\n")
    page = browser.get(path(live)).text
    for words in ("3 created", "1 created", "is no file that we read", "4 people, last file just now"):
        assert words in page
    assert "3 created" not in browser.get(path(live, "activity?show=failed")).text
    assert "is no file that we read" not in browser.get(path(live, "activity?show=applied")).text
    only = browser.get(path(live, "activity?show=refused")).text
    assert "3 created" in only
    assert "1 created" not in only
    assert "No run here is like that." in browser.get(path(live, "activity?show=discarded")).text


def test_a_report_names_each_refused_row(
    browser: FlaskClient, live: Integration, send: Callable[..., SyncRun], path: Callable[..., str]
) -> None:
    run = send(live, f"{CSV}E1004,nobody,Nils,Ek,03/04/1990,Active\nE5,e5@acme.example,A,B,31/02/1990,Active\n")
    page = browser.get(path(live, f"runs/{run.id}")).text
    assert '<span class="only-phone">Row </span>5' in page
    assert "<code>nobody</code>" in page
    assert "This is not a complete e-mail address." in page
    assert "There is no such day when this is read as dd/mm/yyyy." in page
    assert "Rows that were refused" in page
    assert "Warnings" in page
    assert re.search(r"rows? a second", page)


def test_one_warning_is_called_so(
    browser: FlaskClient, live: Integration, send: Callable[..., SyncRun], path: Callable[..., str]
) -> None:
    run = send(live, f"{CSV}E1004,nobody,Nils,Ek,03/04/1990,Active\nE5,e5@acme.example,A,B,31/02/1990,Active\n")
    page = browser.get(path(live, f"runs/{run.id}")).text
    assert '<span class="figure">1</span> <span>Warning</span>' in page
    assert '<span class="figure">1</span> <span>Row refused</span>' in page


def test_a_report_is_downloaded_safe_for_spreadsheets(
    browser: FlaskClient, live: Integration, send: Callable[..., SyncRun], path: Callable[..., str]
) -> None:
    run_id = send(live, f"{CSV}E1004,=HYPERLINK(1),Nils,Ek,03/04/1990,Active\n").id
    answer = browser.get(path(live, f"runs/{run_id}/report.csv"))
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="report-acme-')
    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert rows[0] == ["Row", "Refused", "Column", "Value", "Membership No.", "Reason"]
    assert rows[1][:5] == ["5", "yes", "Work Email", "'=HYPERLINK(1)", "E1004"]


def test_long_reports_have_pages(
    browser: FlaskClient, session: Session, live: Integration, stored: Callable[..., SyncRun], path: Callable[..., str]
) -> None:
    run = stored(live, refused=60, problems=60)
    for number in range(1, 61):
        session.add(
            SyncProblem(
                programme_id=run.programme_id,
                run_id=run.id,
                number=number,
                row_number=number + 1000,
                refused=True,
                code="too_few_cells",
            )
        )
    run_id = run.id
    first = browser.get(path(live, f"runs/{run_id}")).text
    assert "1,050" in first
    assert "1,051" not in first
    second = browser.get(path(live, f"runs/{run_id}?refused=50")).text
    assert "1,051" in second
    assert "First page" in second
    assert "1,001" in browser.get(path(live, f"runs/{run_id}?refused=nonsense")).text


@pytest.mark.parametrize(
    ("phase", "words"), [(RunPhase.CHECK, "Reading and checking every row"), (RunPhase.ABSENT, "Taking out those")]
)
def test_progress_is_shown_while_a_run_is_at_work(
    browser: FlaskClient,
    live: Integration,
    stored: Callable[..., SyncRun],
    path: Callable[..., str],
    phase: RunPhase,
    words: str,
) -> None:
    started = utcnow() - timedelta(minutes=2)
    run = stored(
        live, state=RunState.RUNNING, phase=phase, share=42, row_count=9000, started_at=started, finished_at=None
    )
    page = browser.get(path(live, f"runs/{run.id}")).text
    assert words in page
    assert '<progress value="42" max="100"' in page
    assert "9,000 rows, 2 minutes 0 seconds, 75 rows a second" in page
    assert ">Refresh</a>" in page
    part = browser.get(path(live, f"runs/{run.id}/progress")).text
    assert "<html" not in part
    assert "data-done" not in part


def test_progress_says_when_it_is_done(
    browser: FlaskClient, live: Integration, stored: Callable[..., SyncRun], path: Callable[..., str]
) -> None:
    run = stored(live)
    assert "data-done" in browser.get(path(live, f"runs/{run.id}/progress")).text


def test_a_held_run_says_why_and_who_would_go(
    browser: FlaskClient, live: Integration, held: SyncRun, path: Callable[..., str]
) -> None:
    page = browser.get(path(live, f"runs/{held.id}")).text
    assert "Held: nothing of it is applied yet" in page
    assert "It would take out 52 people, of 60 who were active." in page
    assert "Robin Field (E1009)" in page
    assert "Not in the file any more" in page
    assert "52 people would leave. Release this file?" in page
    assert "This takes out 52 people now" in page
    assert "52 people keep their access" in page
    further = page.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert "Robin Field (E1060)" in browser.get(further).text


def test_a_run_whose_leavers_alone_are_held_says_so(
    browser: FlaskClient, make: Factory, acme: Programme, send: Callable[..., SyncRun], path: Callable[..., str]
) -> None:
    settings = SETTINGS | {"hold": "deactivations"}
    made = make.integration(acme, settings, name="Careful file", kind="sftp", provider="sftp")
    send(made, people(60))
    run = send(made, people(8) + people(1, 2001).removeprefix(HEADER))
    page = browser.get(path(made, f"runs/{run.id}")).text
    assert "Its leavers are held; the rest is applied" in page
    assert '<span class="figure">1</span> <span>Created</span>' in page
    assert "This takes out 52 people now. Everything else in it is applied already." in page


def test_a_held_run_is_released(
    browser: FlaskClient, session: Session, live: Integration, held: SyncRun, path: Callable[..., str], tools: Tools
) -> None:
    answer = browser.post(path(live, f"runs/{held.id}/release"), follow_redirects=True)
    assert "Released: it is applied at its turn." in answer.text
    work_on_next(session, live.programme_id, live.id, tools)
    page = browser.get(path(live, f"runs/{held.id}")).text
    assert "Who left" in page
    assert "by Alex Admin" in page
    assert '<span class="figure">52</span> <span>Deactivated</span>' in page
    again = browser.post(path(live, f"runs/{held.id}/release"), follow_redirects=True)
    assert "This run is not held." in again.text


def test_a_held_run_is_discarded(
    browser: FlaskClient, session: Session, live: Integration, held: SyncRun, path: Callable[..., str]
) -> None:
    answer = browser.post(path(live, f"runs/{held.id}/discard"), follow_redirects=True)
    assert "Discarded: nothing of it is applied." in answer.text
    assert "Discarded: nothing of it was applied" in answer.text
    session.refresh(held)
    assert held.state == RunState.DISCARDED
    again = browser.post(path(live, f"runs/{held.id}/discard"), follow_redirects=True)
    assert "This run is not held." in again.text


def test_a_second_person_confirms_where_the_programme_wants_it(
    browser: FlaskClient,
    session: Session,
    sign_in: Callable[[Staff], FlaskClient],
    make: Factory,
    acme: Programme,
    live: Integration,
    held: SyncRun,
    path: Callable[..., str],
) -> None:
    acme.guard_second_person = True
    second = sign_in(make.staff(acme, name="Second Admin"))
    here = path(live, f"runs/{held.id}")
    assert "Ask for the release" in browser.get(here).text
    answer = browser.post(f"{here}/release", follow_redirects=True)
    assert "Another admin has to confirm it." in answer.text
    assert "Alex Admin asked for its release" in answer.text
    assert "You have asked for it. A second person has to confirm." in answer.text
    refused = browser.post(f"{here}/release", follow_redirects=True)
    assert "You have asked for it. A second person has to confirm." in refused.text
    assert "Confirm the release" in second.get(here).text
    assert "Released: it is applied at its turn." in second.post(f"{here}/release", follow_redirects=True).text


def test_a_file_that_cannot_be_released_can_be_discarded(
    browser: FlaskClient, live: Integration, send: Callable[..., SyncRun], path: Callable[..., str]
) -> None:
    run = send(live, "")
    page = browser.get(path(live, f"runs/{run.id}")).text
    assert "The file is empty." in page
    assert "this run can only be discarded" in page
    assert "Release this file?" not in page
    assert "Discard this file?" in page


def test_a_file_that_cannot_be_read_says_what_to_do(
    browser: FlaskClient, live: Integration, send: Callable[..., SyncRun], path: Callable[..., str]
) -> None:
    run = send(live, "x", "people.pdf")
    page = browser.get(path(live, f"runs/{run.id}")).text
    assert "It could not be read, so nothing was changed" in page
    assert "Send .csv, .txt, .tsv or .xlsx" in page


def test_support_sees_a_held_run_and_settles_nothing(
    support: FlaskClient, live: Integration, held: SyncRun, path: Callable[..., str]
) -> None:
    page = support.get(path(live, f"runs/{held.id}")).text
    assert "It would take out 52 people" in page
    assert "Release this file?" not in page
    for rest in ("release", "discard"):
        assert support.post(path(live, f"runs/{held.id}/{rest}")).status_code == 403
