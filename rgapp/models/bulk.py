"""Write many rows at once: COPY on PostgreSQL, one prepared statement for all of them on SQLite.

Values pass SQLAlchemy's types by, which would cost more than the databases do: they are given in the form that
`Form` makes, which both drivers take as it is.
"""

import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from uuid_utils import uuid7

from rgapp.models.base import Base, UTCDateTime

SQLITE_TIME = "%Y-%m-%d %H:%M:%S.%f"


class Form:
    """How one database takes values: identifiers in hex, JSON and dates as text, times in its own way."""

    def __init__(self, session: Session) -> None:
        self._dialect = session.get_bind().dialect
        self.on_sqlite = self._dialect.name == "sqlite"

    def time(self, value: datetime) -> Any:
        """Return a time."""
        bound: datetime | None = UTCDateTime().process_bind_param(value, self._dialect)
        assert bound is not None  # noqa: S101 - a time was given.
        return bound.strftime(SQLITE_TIME) if self.on_sqlite else bound

    @staticmethod
    def identifier(value: uuid.UUID | None) -> str | None:
        """Return an identifier."""
        return None if value is None else value.hex

    @staticmethod
    def json(value: Any) -> str:
        """Return JSON."""
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def new_hex() -> str:
    """Make a UUIDv7 as `Form` gives it, in a third of the time that an object of it takes."""
    made: str = uuid7().hex
    return made


def insert_many(session: Session, model: type[Base], columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows, their values in the order of `columns` and in the form of `Form`.

    Raises SQLAlchemy's `IntegrityError` where a constraint forbids one of them; none is inserted then, provided that
    the caller's savepoint is rolled back.
    """
    if not rows:
        return
    session.flush()
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(_insert(model, columns), list(rows))
        return
    _copy(connection, _copy_statement(model, columns), rows)


def update_many(
    session: Session,
    model: type[Base],
    keys: tuple[str, ...],
    columns: tuple[str, ...],
    rows: Sequence[tuple[Any, ...]],
) -> None:
    """Set `columns` of the rows that `keys` name; each row gives the values of the columns, then those of the keys."""
    if not rows:
        return
    session.flush()
    connection = session.connection()
    connection.exec_driver_sql(_update(model, keys, columns, connection.dialect.name == "sqlite"), list(rows))


def select_all(session: Session, statement: str, parameters: tuple[Any, ...]) -> Iterator[Sequence[Any]]:
    """Read rows of a statement in the driver's own form, without holding all of them in memory.

    The statement's marks are question marks. Rows come in lists.
    """
    session.flush()
    connection = session.connection()
    if connection.dialect.name != "sqlite":
        statement = statement.replace("?", "%s")
    result = connection.exec_driver_sql(statement, parameters, execution_options={"stream_results": True})
    try:
        while chunk := result.fetchmany(5_000):
            yield chunk
    finally:
        result.close()


def chunks(rows: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """Yield slices of so many."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def _copy(connection: Connection, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
    driver: Any = connection.connection.driver_connection
    errors: Any = connection.dialect.loaded_dbapi
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except errors.Error as error:  # SQLAlchemy does not see it: callers shall find its usual errors here too.
        raise DBAPIError.instance(
            statement, None, error, errors.Error, hide_parameters=True, dialect=connection.dialect
        ) from error


@lru_cache(maxsize=50)
def _insert(model: type[Base], columns: tuple[str, ...]) -> str:
    marks = ", ".join("?" * len(columns))
    return f"INSERT INTO {model.__tablename__} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 - our own names.


@lru_cache(maxsize=50)
def _copy_statement(model: type[Base], columns: tuple[str, ...]) -> str:
    return f"COPY {model.__tablename__} ({', '.join(columns)}) FROM STDIN"


@lru_cache(maxsize=50)
def _update(model: type[Base], keys: tuple[str, ...], columns: tuple[str, ...], on_sqlite: bool) -> str:
    mark = "?" if on_sqlite else "%s"
    values = ", ".join(f"{name} = {mark}" for name in columns)
    where = " AND ".join(f"{name} = {mark}" for name in keys)
    return f"UPDATE {model.__tablename__} SET {values} WHERE {where}"  # noqa: S608 - our own names.
