"""Write single rows with statements that are compiled once: what a sign-in writes would else cost more than it."""

from functools import lru_cache
from typing import Any

from sqlalchemy import ClauseElement, bindparam, insert, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlalchemy.orm.util import identity_key

from rgapp.models.base import Base
from rgapp.models.prepared import Prepared


def insert_row(session: Session, model: type[Base], values: dict[str, Any]) -> None:
    """Insert one row now, after everything that the session still had to write.

    `values` names columns; those left out must be nullable.
    Raises SQLAlchemy's `IntegrityError` where a constraint forbids the row.
    """
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
