"""The card of a feed: how many people, when the last file came, what is held, failed or overdue."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.orm import Session

from rgapp.clock import utcnow
from rgapp.dashboard.feeds import health, queries
from rgapp.integrations.sftp.kind import KIND
from rgapp.models import Integration, Programme, RunState, SyncRun
from tests.dashboard.sftp.conftest import SETTINGS
from tests.factories import Factory

OVERVIEW = "/manager/acme/integrations"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
Store = Callable[..., SyncRun]


def stored_days(stored: Store, integration: Integration, *days: float) -> None:
    """Store an applied run of so many days ago each, oldest first."""
    for ago in sorted(days, reverse=True):
        stored(integration, utcnow() - ago * DAY)


def test_the_line_says_how_many_people_and_when(browser: FlaskClient, live: Integration, stored: Store) -> None:
    stored(live, utcnow() - 3 * HOUR, row_count=18_206, refused=2)
    page = browser.get(OVERVIEW).text
    assert "18,204 people, last file 3 hours ago, 2 rows refused" in page
    assert "Rows from Payroll file in 14 days: 18,204 good, 2 refused." in page


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"full": False, "row_count": 1}, "1 change, last file 3 hours ago"),
        ({"state": RunState.FAILED, "reason": "given_up"}, "Last file 3 hours ago"),
    ],
)
def test_the_line_of_other_files(
    browser: FlaskClient, live: Integration, stored: Store, values: dict[str, object], line: str
) -> None:
    stored(live, utcnow() - 3 * HOUR, **values)
    assert line in browser.get(OVERVIEW).text


def test_without_a_file_nothing_is_wrong(browser: FlaskClient, live: Integration) -> None:
    page = browser.get(OVERVIEW).text
    assert "No file yet." in page
    assert "Needs attention" not in page


def test_held_and_failed_files_need_somebody_until_a_newer_one_is_applied(
    browser: FlaskClient, live: Integration, stored: Store
) -> None:
    held = stored(live, utcnow() - 3 * HOUR, state=RunState.HELD, reason="empty")
    failed = stored(live, utcnow() - 2 * HOUR, state=RunState.FAILED, reason="given_up")
    page = browser.get(OVERVIEW).text
    assert "A file is held. The file is empty." in page
    assert f"/runs/{held.id}" in page
    assert "A file could not be read." in page
    assert f"/runs/{failed.id}" in page
    stored(live, utcnow() - HOUR)
    assert "A file is held." not in browser.get(OVERVIEW).text


def test_an_old_held_file_is_not_forgotten(browser: FlaskClient, live: Integration, stored: Store) -> None:
    stored(live, utcnow() - 40 * DAY, state=RunState.HELD, reason="empty")
    assert "A file is held." in browser.get(OVERVIEW).text


@pytest.mark.parametrize(
    ("days", "silent"),
    [
        ((0.5, 1.5, 2.5, 3.5), 0),
        ((1.9, 2.9, 3.9), 0),
        ((3, 4, 5, 6), 3),
        ((3, 4, 5, 6, 9, 10), 0),  # Never at weekends.
        ((3.6, 6.6, 7.6, 8.6), 3),
        ((5, 10), 0),  # Two files tell nothing.
        ((8, 9, 10), 0),  # After a week the dashboard says so of every kind.
    ],
)
def test_a_missing_file_is_noticed_by_how_often_they_come(
    session: Session, acme: Programme, live: Integration, stored: Store, days: tuple[float, ...], silent: int
) -> None:
    stored_days(stored, live, *days)
    now = utcnow()
    found = queries.recent(session, acme, [live.id], now)[live.id]
    assert health.silent_days(found, now) == silent


def test_a_missing_file_is_said(browser: FlaskClient, live: Integration, stored: Store) -> None:
    stored_days(stored, live, 3, 4, 5, 6)
    page = browser.get(OVERVIEW).text
    assert "Silent for 3 days: a file was expected by now." in page
    assert "Needs attention" in page


def test_files_by_which_nobody_ever_leaves_need_somebody(browser: FlaskClient, make: Factory, acme: Programme) -> None:
    make.integration(acme, SETTINGS | {"full_file": False}, name="Changes", kind=KIND, provider=KIND)
    assert "nobody ever leaves by them" in browser.get(OVERVIEW).text


def test_the_number_of_queries_does_not_depend_on_how_many_feeds_there_are(
    session: Session, make: Factory, acme: Programme, stored: Store
) -> None:
    def asked(ids: list[object]) -> int:
        count = 0

        def note(*_: object) -> None:
            nonlocal count
            count += 1

        event.listen(session.get_bind(), "before_cursor_execute", note)
        try:
            health.usage(session, acme, ids, utcnow())  # type: ignore[arg-type]
            health.concerns(session, acme, ids, utcnow())  # type: ignore[arg-type]
        finally:
            event.remove(session.get_bind(), "before_cursor_execute", note)
        return count

    made = [make.integration(acme, SETTINGS, name=f"File {n}", kind=KIND, provider=KIND) for n in range(4)]
    for one in made:
        stored_days(stored, one, 1, 2, 3)
    session.commit()
    assert asked([made[0].id]) == asked([one.id for one in made])
    assert health.usage(session, acme, [], utcnow()) == {}
