"""Prepared statements and the rows written with them, on each database."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import bindparam, event, select, text
from sqlalchemy.exc import IntegrityError, OperationalError, PendingRollbackError
from sqlalchemy.orm import Session

from rgapp.extensions import db
from rgapp.models import Programme, SAMLReplay
from rgapp.models.prepared import Prepared
from rgapp.models.rows import insert_if_new, insert_row, together
from tests.conftest import NOW
from tests.factories import Factory


def replay(programme: Programme, key: str = "a" * 64, expires_at: datetime = NOW) -> dict[str, object]:
    return {
        "programme_id": programme.id,
        "integration_id": programme.id,
        "replay_key": key,
        "expires_at": expires_at,
    }


def test_a_row_that_is_there_already_is_told_from_a_new_one(session: Session, make: Factory) -> None:
    programme = make.programme()
    assert insert_if_new(session, SAMLReplay, replay(programme))
    assert not insert_if_new(session, SAMLReplay, replay(programme))
    assert insert_if_new(session, SAMLReplay, replay(programme, "b" * 64))


def test_a_constraint_is_an_error_of_sqlalchemy(session: Session, make: Factory) -> None:
    programme = make.programme()
    insert_row(session, SAMLReplay, replay(programme))
    with pytest.raises(IntegrityError):
        insert_row(session, SAMLReplay, replay(programme))


def test_what_the_session_has_not_written_yet_is_written_first(session: Session) -> None:
    programme = Programme(slug="acme", name="Acme", created_at=NOW)
    programme.id = uuid.uuid4()
    session.add(programme)
    insert_row(session, SAMLReplay, replay(programme))
    assert programme not in session.new


def test_values_come_back_as_the_columns_have_them(session: Session, make: Factory) -> None:
    programme, elsewhere = make.programme(), datetime(2026, 5, 3, 11, 30, tzinfo=UTC) + timedelta(microseconds=5)
    insert_row(session, SAMLReplay, replay(programme, expires_at=elsewhere))
    columns = [SAMLReplay.__table__.c.programme_id, SAMLReplay.__table__.c.expires_at]
    look_up = Prepared(lambda _: select(*columns).where(SAMLReplay.replay_key == bindparam("key")), columns)
    assert look_up.rows(session, {"key": "a" * 64}) == [(programme.id, elsewhere)]
    assert look_up.rows(session, {"key": "c" * 64}) == []


def test_a_time_without_its_zone_is_refused(session: Session, make: Factory) -> None:
    with pytest.raises(ValueError, match="aware"):
        insert_row(session, SAMLReplay, replay(make.programme(), expires_at=NOW.replace(tzinfo=None)))


def test_an_error_names_no_values(session: Session, make: Factory) -> None:
    programme = make.programme()
    insert_row(session, SAMLReplay, replay(programme, "k" * 64))
    with pytest.raises(IntegrityError) as refused:
        insert_row(session, SAMLReplay, replay(programme, "k" * 64))
    assert "k" * 64 not in str(refused.value).replace(str(refused.value.orig), "")


def test_each_transaction_finds_its_own_way_to_the_driver(session: Session, make: Factory) -> None:
    programme = make.programme()
    insert_row(session, SAMLReplay, replay(programme))
    session.rollback()
    programme = make.programme()
    assert insert_if_new(session, SAMLReplay, replay(programme))
    session.commit()
    assert not insert_if_new(session, SAMLReplay, replay(programme))


def test_who_listens_to_statements_hears_of_it(session: Session, make: Factory) -> None:
    programme, heard = make.programme(), list[str]()

    def before(_: object, __: object, statement: str, *___: object) -> None:
        heard.append(f"before {statement}")

    def after(_: object, __: object, statement: str, *___: object) -> None:
        heard.append(f"after {statement}")

    event.listen(db.engine, "before_cursor_execute", before)
    event.listen(db.engine, "after_cursor_execute", after)
    try:
        insert_row(session, SAMLReplay, replay(programme))
    finally:
        event.remove(db.engine, "before_cursor_execute", before)
        event.remove(db.engine, "after_cursor_execute", after)
    own = [words for words in heard if "saml_replays" in words]
    assert [words.partition(" INSERT INTO")[0] for words in own] == ["before", "after"]


@pytest.mark.postgresql
def test_a_connection_that_the_server_ended_is_given_up(session: Session, make: Factory) -> None:
    programme = make.programme()
    session.commit()
    pid = session.scalar(text("SELECT pg_backend_pid()"))
    with db.engine.connect() as other:
        assert other.scalar(text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": pid})
    with pytest.raises(OperationalError) as ended:
        insert_row(session, SAMLReplay, replay(programme))
    assert ended.value.connection_invalidated
    with pytest.raises(PendingRollbackError):
        insert_row(session, SAMLReplay, replay(programme))
    session.rollback()
    insert_row(session, SAMLReplay, replay(programme))


def insert_all(session: Session, programme: Programme, letters: str, *, stopped: bool = False) -> None:
    with together(session):
        for letter in letters:
            insert_row(session, SAMLReplay, replay(programme, letter * 64))
        if stopped:
            raise RuntimeError


def keys(session: Session) -> list[str]:
    return list(session.scalars(select(SAMLReplay.replay_key).order_by(SAMLReplay.replay_key)))


@pytest.mark.parametrize("count", [0, 1, 3])
def test_rows_that_belong_together_are_inserted_at_the_end(session: Session, make: Factory, count: int) -> None:
    programme = make.programme()
    wanted = [str(number) * 64 for number in range(count)]
    with together(session):
        for key in wanted:
            insert_row(session, SAMLReplay, replay(programme, key))
        assert keys(session) == []
    assert keys(session) == wanted
    insert_row(session, SAMLReplay, replay(programme, "x" * 64))
    assert keys(session) == [*wanted, "x" * 64]


def test_of_rows_that_belong_together_none_is_left_where_one_is_refused(session: Session, make: Factory) -> None:
    programme = make.programme()
    session.commit()
    with pytest.raises(IntegrityError):
        insert_all(session, programme, "aba")
    session.rollback()
    assert keys(session) == []


def test_what_stops_in_between_inserts_nothing(session: Session, make: Factory) -> None:
    programme = make.programme()
    with pytest.raises(RuntimeError):
        insert_all(session, programme, "a", stopped=True)
    insert_row(session, SAMLReplay, replay(programme, "b" * 64))
    assert keys(session) == ["b" * 64]
