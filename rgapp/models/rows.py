"""Insert single rows with statements that are built once: what a sign-in writes would else cost more than it."""

from functools import lru_cache
from typing import Any

from sqlalchemy import Insert, Table, insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from rgapp.models.base import Base


def insert_row(session: Session, model: type[Base], values: dict[str, Any]) -> None:
    """Insert one row now, after everything that the session still had to write.

    `values` names columns; those left out get the model's defaults.
    Raises SQLAlchemy's `IntegrityError` where a constraint forbids the row.
    """
    session.flush()
    session.execute(_plain(model), values)


def insert_if_new(session: Session, model: type[Base], values: dict[str, Any]) -> bool:
    """Insert one row unless a unique constraint holds one like it; tells whether it was inserted.

    On PostgreSQL it waits for another transaction that is about to insert the same one.
    """
    session.flush()
    # RETURNING tells whether a row was written; not every driver counts the rows of an insert.
    return session.execute(_if_new(model, session.get_bind().dialect.name), values).first() is not None


@lru_cache(maxsize=100)
def _plain(model: type[Base]) -> Insert:
    return insert(_table(model))


@lru_cache(maxsize=100)
def _if_new(model: type[Base], dialect: str) -> Any:
    table = _table(model)
    statement = (postgresql if dialect == "postgresql" else sqlite).insert(table)
    return statement.on_conflict_do_nothing().returning(next(iter(table.primary_key)))


def _table(model: type[Base]) -> Table:
    table = model.__table__
    assert isinstance(table, Table)  # noqa: S101 - every model of ours is one table.
    return table
