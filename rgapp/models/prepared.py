"""Statements of the core that are compiled once for each database.

SQLAlchemy looks up, binds and wraps on each call; on the path of a sign-in, a dozen statements long, that is more work
than all that the databases' drivers do. What runs here still goes through SQLAlchemy's connection: its transactions,
events and errors are the same.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ClauseElement, Connection, Dialect
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement
from sqlalchemy.types import TypeEngine

Processor = Callable[[Any], Any] | None


class _Form(NamedTuple):
    """A statement as one database takes it: its text, its parameters, and how the columns that come back are read."""

    text: str
    positional: bool
    binds: tuple[tuple[str, Processor], ...]
    reads: tuple[Processor, ...]


class Prepared:
    """One statement whose parameters are all named in it and given with each call.

    `build` makes it for a dialect's name ("sqlite", "postgresql"); `columns` are those that it returns.
    """

    def __init__(self, build: Callable[[str], ClauseElement], columns: Sequence[ColumnElement[Any]] = ()) -> None:
        self._build = build
        self._columns = tuple(columns)
        self._forms: dict[str, _Form] = {}

    def run(self, session: Session, values: dict[str, Any]) -> int:
        """Run the statement; returns how many rows it changed."""
        changed: int = self._execute(session.connection(), values).rowcount
        return changed

    def rows(self, session: Session, values: dict[str, Any]) -> list[tuple[Any, ...]]:
        """Run the statement; returns the rows that came back, their values as the columns' types have them."""
        connection = session.connection()
        found = self._execute(connection, values).fetchall()
        reads = self._forms[connection.dialect.name].reads
        return [
            tuple(value if read is None else read(value) for value, read in zip(row, reads, strict=True))
            for row in found
        ]

    def _execute(self, connection: Connection, values: dict[str, Any]) -> Any:
        form = self._forms.get(connection.dialect.name) or self._compile(connection.dialect)
        bound = [(name, values[name] if bind is None else bind(values[name])) for name, bind in form.binds]
        parameters = tuple(value for _, value in bound) if form.positional else dict(bound)
        return connection.exec_driver_sql(form.text, parameters)

    def _compile(self, dialect: Dialect) -> _Form:
        compiled: Any = self._build(dialect.name).compile(dialect=dialect)
        names = compiled.positiontup if compiled.positional else list(compiled.binds)
        binds = tuple((name, _binder(compiled.binds[name].type, dialect)) for name in names)
        reads = tuple(_reader(column.type, dialect) for column in self._columns)
        form = self._forms[dialect.name] = _Form(str(compiled), bool(compiled.positional), binds, reads)
        return form


def _binder(kind: TypeEngine[Any], dialect: Dialect) -> Processor:
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _reader(kind: TypeEngine[Any], dialect: Dialect) -> Processor:
    return kind.dialect_impl(dialect).result_processor(dialect, None)
