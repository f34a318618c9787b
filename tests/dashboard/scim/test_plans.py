"""The plans of what the pages of a SCIM integration read: an index answers each, however long the log is."""

from collections.abc import Callable

import pytest
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from rgapp.clock import utcnow
from rgapp.dashboard.scim import queries
from rgapp.models import Integration, Programme, SCIMRequest

SHOWN = ("changes", "all", "good", "refused", "left", "listening")


@pytest.fixture
def log(session: Session, live: Integration, logged: Callable[..., SCIMRequest]) -> Integration:
    """Return an integration with a log, which the database has counted."""
    for number in range(60):
        logged(live, outcome="read" if number % 2 else "updated", listening=number % 7 == 0, accepted=number % 5 > 0)
    session.execute(text("ANALYZE"))
    session.commit()
    return live


def plans(session: Session, ask: Callable[[], object]) -> list[str]:
    """Return the lines of SQLite's plans about the log, for everything that `ask` asks."""
    sent: list[tuple[str, object]] = []

    def note(_: object, __: object, statement: str, parameters: object, *rest: object) -> None:
        sent.append((statement, parameters))

    event.listen(session.get_bind(), "before_cursor_execute", note)
    try:
        ask()
    finally:
        event.remove(session.get_bind(), "before_cursor_execute", note)
    connection = session.connection()
    rows = [
        str(row[-1])
        for asked, values in sent
        for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}", values)  # type: ignore[arg-type]
    ]
    return [row for row in rows if "scim_requests" in row]


@pytest.mark.sqlite
@pytest.mark.parametrize("show", SHOWN)
def test_a_page_begins_where_its_cursor_stands(session: Session, log: Integration, show: str) -> None:
    first = queries.requests(session, log, show="all", wanted="", after=None, before=None)

    def ask() -> None:
        queries.requests(session, log, show=show, wanted="", after=first.next_cursor, before=None)

    found = plans(session, ask)
    assert found
    for line in found:
        assert "ix_scim_requests_integration (programme_id=? AND integration_id=? AND at<?)" in line


@pytest.mark.sqlite
def test_counts_are_read_from_the_index_alone(session: Session, acme: Programme, log: Integration) -> None:
    def ask() -> None:
        queries.counts(session, log)
        queries.usage(session, acme, [log.id], utcnow())

    found = plans(session, ask)
    assert len(found) == 3
    for line in found:
        assert "COVERING INDEX ix_scim_requests_integration" in line
