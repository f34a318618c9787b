"""Write single rows with statements that are compiled once: what a sign-in writes would else cost more than it."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from sqlalchemy import ClauseElement, bindparam, insert, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlalchemy.orm.util import identity_key

from rgapp.models.base import Base
from rgapp.models.prepared import Prepared

_WAITING = "rgapp.waiting_rows"
Row = tuple[type[Base], dict[str, Any]]


def insert_row(session: Session, model: type[Base], values: dict[str, Any]) -> None:
    """Insert one row now, after everything that the session still had to write.

    `values` names columns; those left out must be nullable. Inside `together` it is inserted at the end.
    Raises SQLAlchemy's `IntegrityError` where a constraint forbids the row.
    """
    waiting: list[Row] | None = session.info.get(_WAITING)
    if waiting is not None:
        waiting.append((model, values))
        return
    session.flush()
    _plain(model, tuple(values)).run(session, values)


def insert_if_new(session: Session, model: type[Base], values: dict[str, Any]) -> bool:
    """Insert one row unless a unique constraint holds one like it; tells whether it was inserted.

    On PostgreSQL it waits for another transaction that is about to insert the same one.
    """
    session.flush()
    return _if_new(model, tuple(values)).run(session, values) == 1


def update_row(session: Session, model: type[Base], key: dict[str, Any], values: dict[str, Any]) -> bool:
    """Set columns of one row, named by its primary key in the table's order; tells whether it is there.

    An object of it that the session holds is read anew when somebody looks at it.
    """
    session.flush()
    named = {f"of_{name}": value for name, value in key.items()}
    changed = _set(model, tuple(key), tuple(values)).run(session, {**named, **values}) == 1
    held = session.identity_map.get(identity_key(model, tuple(key.values())))
    if held is not None:
        session.expire(held)
    return changed


@contextmanager
def together(session: Session) -> Iterator[None]:
    """Insert the rows of the block at its end, on PostgreSQL in one statement: each one is a trip to the server.

    For rows that nobody asks for in the block. Where it raises, none is inserted. A block inside another one waits for
    the end of that.
    """
    if _WAITING in session.info:
        yield
        return
    rows: list[Row] = []
    session.info[_WAITING] = rows
    try:
        yield
    finally:
        del session.info[_WAITING]
    if len(rows) > 1 and session.get_bind().dialect.name == "postgresql":
        session.flush()
        values = {f"{place}_{name}": value for place, (_, row) in enumerate(rows) for name, value in row.items()}
        _all(tuple((model, tuple(row)) for model, row in rows)).run(session, values)
        return
    for model, row in rows:
        insert_row(session, model, row)


@lru_cache(maxsize=200)
def _all(rows: tuple[tuple[type[Base], tuple[str, ...]], ...]) -> Prepared:
    def build(_: str) -> ClauseElement:
        inserts = []
        for place, (model, names) in enumerate(rows):
            table: Any = model.__table__
            inserts.append(insert(table).values({name: bindparam(f"{place}_{name}") for name in names}))
        *first, last = inserts
        return last.add_cte(*(each.cte(f"row_{place}") for place, each in enumerate(first)))

    return Prepared(build)


@lru_cache(maxsize=200)
def _plain(model: type[Base], names: tuple[str, ...]) -> Prepared:
    table: Any = model.__table__
    return Prepared(lambda _: insert(table).values({name: bindparam(name) for name in names}))


@lru_cache(maxsize=200)
def _if_new(model: type[Base], names: tuple[str, ...]) -> Prepared:
    def build(dialect: str) -> ClauseElement:
        made: Any = (postgresql if dialect == "postgresql" else sqlite).insert(model.__table__)
        statement: ClauseElement = made.values({name: bindparam(name) for name in names}).on_conflict_do_nothing()
        return statement

    return Prepared(build)


@lru_cache(maxsize=200)
def _set(model: type[Base], keys: tuple[str, ...], names: tuple[str, ...]) -> Prepared:
    table: Any = model.__table__
    named = [table.c[name] == bindparam(f"of_{name}") for name in keys]
    return Prepared(lambda _: update(table).where(*named).values({name: bindparam(name) for name in names}))
