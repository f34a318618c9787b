"""Statements of the core that are compiled once for each database, and given to its driver as they are.

SQLAlchemy looks up, binds and wraps on each call; on the path of a sign-in, a dozen statements long, that is more work
than all that the databases' drivers do. What runs here still belongs to the session's transaction, tells who listens
to the execution of statements, and raises SQLAlchemy's errors.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, NoReturn

from sqlalchemy import ClauseElement, Connection, Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, SessionTransaction
from sqlalchemy.sql import ColumnElement
from sqlalchemy.types import TypeEngine

from rgapp.models.base import UTCDateTime

_KEPT = "rgapp.prepared"
TIMES_KEPT = 64
Processor = Callable[[Any], Any] | None


class _Form(NamedTuple):
    """A statement as one database takes it: its text, its parameters, and how the columns that come back are read."""

    text: str
    positional: bool
    names: tuple[str, ...]
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
        changed: int = self._execute(_line(session), values).rowcount
        return changed

    def rows(self, session: Session, values: dict[str, Any]) -> list[tuple[Any, ...]]:
        """Run the statement; returns the rows that came back, their values as the columns' types have them."""
        line = _line(session)
        found = self._execute(line, values).fetchall()
        reads = self._forms[line.dialect].reads
        return [
            tuple(value if read is None else read(value) for value, read in zip(row, reads, strict=True))
            for row in found
        ]

    def _execute(self, line: "_Line", values: dict[str, Any]) -> Any:
        form = self._forms.get(line.dialect) or self._compile(line.connection.dialect)
        given = [values[name] if bind is None else bind(values[name]) for name, bind in form.binds]
        parameters = given if form.positional else dict(zip(form.names, given, strict=True))
        return line.execute(form.text, parameters)

    def _compile(self, dialect: Dialect) -> _Form:
        compiled: Any = self._build(dialect.name).compile(dialect=dialect)
        names = tuple(compiled.positiontup if compiled.positional else compiled.binds)
        binds = tuple((name, _binder(compiled.binds[name].type, dialect)) for name in names)
        reads = tuple(_reader(column.type, dialect) for column in self._columns)
        form = self._forms[dialect.name] = _Form(str(compiled), bool(compiled.positional), names, binds, reads)
        return form


class _Line:
    """What leads to the driver within one transaction: looking for it costs as much as a small statement does."""

    def __init__(self, transaction: SessionTransaction | None, connection: Connection) -> None:
        self.transaction = transaction
        self.connection = connection
        self.dialect = connection.dialect.name
        # Kept as long as the driver's connection: psycopg's learns how to write each type once.
        kept = connection.info
        self.cursor = kept.get(_KEPT) or kept.setdefault(_KEPT, connection.connection.cursor())

    def execute(self, text: str, parameters: Any) -> Any:
        """Let the driver execute a statement; returns its cursor, raises SQLAlchemy's errors."""
        listening = self.connection.dispatch
        if listening.before_cursor_execute and isinstance(parameters, list):
            parameters = tuple(parameters)  # As SQLAlchemy gives them: a list would be many sets of values.
        for tell in listening.before_cursor_execute:
            text, parameters = tell(self.connection, self.cursor, text, parameters, None, False)
        try:
            self.cursor.execute(text, parameters)
        except Exception as error:
            self._fail(error, text)
        for tell in listening.after_cursor_execute:
            tell(self.connection, self.cursor, text, parameters, None, False)
        return self.cursor

    def _fail(self, error: Exception, text: str) -> NoReturn:
        """Raise what SQLAlchemy raises for an error of the driver; a connection that is gone is given up."""
        dialect, connection = self.connection.dialect, self.connection
        gone = isinstance(error, dialect.loaded_dbapi.Error) and dialect.is_disconnect(
            error, connection.connection, self.cursor
        )
        if gone:
            connection.invalidate(error)
        raise DBAPIError.instance(
            text,
            None,  # The values are people's details.
            error,
            dialect.loaded_dbapi.Error,
            hide_parameters=True,
            connection_invalidated=gone,
            dialect=dialect,
        ) from error


def _line(session: Session) -> _Line:
    """Return the way to the driver for the transaction that the session is in, which begins where there is none."""
    line: _Line | None = session.info.get(_KEPT)
    transaction = session.get_transaction()
    if line is None or transaction is None or line.transaction is not transaction or not transaction.is_active:
        connection = session.connection()
        line = session.info[_KEPT] = _Line(session.get_transaction(), connection)
    return line


def _binder(kind: TypeEngine[Any], dialect: Dialect) -> Processor:
    bind = kind.dialect_impl(dialect).bind_processor(dialect)
    # The time of a request stands in every row that it writes.
    return lru_cache(maxsize=TIMES_KEPT)(bind) if bind is not None and isinstance(kind, UTCDateTime) else bind


def _reader(kind: TypeEngine[Any], dialect: Dialect) -> Processor:
    return kind.dialect_impl(dialect).result_processor(dialect, None)
