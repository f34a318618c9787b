"""What a run does for the database besides writing."""

import pytest
from sqlalchemy import text

from rgapp.extensions import db
from rgapp.integrations.sync import stage, tuning
from tests.integrations.sync.tables import Desk, row


@pytest.mark.postgresql
def test_a_first_load_lets_the_database_know_how_many_people_there_are(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuning, "FIRST_GATHERED", 3)
    monkeypatch.setattr(stage, "BATCH", 2)
    monkeypatch.setattr(stage, "TIMES_WITHOUT_LOCK", 1)
    assert desk.send(*(row(number) for number in range(8))).created == 8
    known = text("SELECT reltuples FROM pg_class WHERE relname = ANY(:names)")
    names = ["users", "audit_events", "outbox_mails", "feed_records"]
    assert min(desk.session.scalars(known, {"names": names})) == 4  # None is known to be empty any more.


@pytest.mark.postgresql
def test_a_load_does_without_where_somebody_else_is_at_a_table(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "FIRST_GATHERED", 1)
    monkeypatch.setattr(tuning, "LONGEST_WAIT_MS", 10)
    with db.engine.connect() as other:
        other.execute(text("LOCK TABLE outbox_mails IN SHARE UPDATE EXCLUSIVE MODE"))  # As an index in the making does.
        assert desk.send(row(1), row(2)).created == 2
    known = text("SELECT reltuples FROM pg_class WHERE relname = ANY(:names)")
    assert list(desk.session.scalars(known, {"names": ["users", "feed_records"]})) == [2, 2]
