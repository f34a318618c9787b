"""The plans of what pages read of runs: an index answers each, however long the history is."""

from collections.abc import Callable

import pytest
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from rgapp.clock import utcnow
from rgapp.dashboard.feeds import queries
from rgapp.models import Integration, Programme, SyncRun


@pytest.fixture
def history(session: Session, live: Integration, stored: Callable[..., SyncRun]) -> Integration:
    """Return an integration with a history, which the database has counted."""
    for number in range(60):
        stored(live, refused=number % 5)
    session.execute(text("ANALYZE"))
    session.commit()
    return live


def plans(session: Session, ask: Callable[[], object]) -> list[str]:
    """Return the lines of SQLite's plans for everything that `ask` asks."""
    sent: list[tuple[str, object]] = []

    def note(_: object, __: object, statement: str, parameters: object, *rest: object) -> None:
        sent.append((statement, parameters))

    event.listen(session.get_bind(), "before_cursor_execute", note)
    try:
        ask()
    finally:
        event.remove(session.get_bind(), "before_cursor_execute", note)
    connection = session.connection()
    return [
        str(row[-1])
        for asked, values in sent
        for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}", values)  # type: ignore[arg-type]
    ]


@pytest.mark.sqlite
@pytest.mark.parametrize("show", ["all", "held", "refused"])
def test_a_page_of_runs_begins_where_its_cursor_stands(session: Session, history: Integration, show: str) -> None:
    first = queries.runs(session, history, show="all", after=None, before=None)
    found = plans(session, lambda: queries.runs(session, history, show=show, after=first.next_cursor, before=None))
    assert found
    for line in found:
        assert "ix_sync_runs_programme_id_integration_id (programme_id=? AND integration_id=? AND id<?)" in line


@pytest.mark.sqlite
def test_reports_and_leavers_begin_where_their_page_stands(session: Session, history: Integration) -> None:
    run = queries.runs(session, history, show="all", after=None, before=None).rows[0]
    for line in plans(session, lambda: queries.problems(session, run, refused=True, behind=50)):
        assert "(programme_id=? AND run_id=? AND number>?)" in line
    for line in plans(session, lambda: queries.leavers(session, run, after=None, before=None)):
        assert "(programme_id=? AND run_id=?)" in line
        assert "TEMP B-TREE" not in line


@pytest.mark.sqlite
def test_overviews_read_the_last_days_alone(session: Session, acme: Programme, history: Integration) -> None:
    found = plans(session, lambda: queries.recent(session, acme, [history.id], utcnow()))
    lines = [line for line in found if "sync_runs" in line]
    assert lines
    for line in lines:
        assert "SCAN" not in line
    assert "(programme_id=? AND integration_id=? AND id>?)" in lines[0]
