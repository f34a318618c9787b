"""Keyset paging: pages that stay quick on the thousandth one, and correct while rows come and go."""

import base64
import binascii
import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, and_, false, inspect, or_, select, tuple_, union_all
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

PAGE_SIZE = 50
LONGEST_CURSOR = 2000

Row = TypeVar("Row")


class unindexed(FunctionElement[Any]):
    """A column that is checked where an index leads for another reason, and that shall lead SQLite to no index itself.

    PostgreSQL counts which value is how frequent. SQLite knows of an average at most, by which those who are active are
    taken for a few, looked up and sorted. (https://www.sqlite.org/optoverview.html, disqualifying terms by unary "+")
    """

    inherit_cache = True

    def __init__(self, column: ColumnElement[Any] | InstrumentedAttribute[Any]) -> None:
        super().__init__(column)
        self.type = column.type


@compiles(unindexed)
def _as_it_is(element: unindexed, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.clauses, **options)


@compiles(unindexed, "sqlite")
def _without_index(element: unindexed, compiler: SQLCompiler, **options: Any) -> str:
    return f"+{compiler.process(element.clauses, **options)}"


class unlikely(FunctionElement[Any]):
    """A condition that SQLite shall expect few rows to meet, for these are known to be few, however they are spread.

    It knows of no counts unless somebody had it ANALYZE, and then rather reads all of an index that has every column
    than looks up some rows by another one. (https://www.sqlite.org/lang_corefunc.html#unlikely) This has no type:
    behind a Boolean one SQLAlchemy writes "= 1", and SQLite no longer sees what is meant.
    """

    inherit_cache = True

    def __init__(self, condition: ColumnElement[bool]) -> None:
        super().__init__(condition)


@compiles(unlikely)
def _as_likely(element: unlikely, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.clauses, **options)


@compiles(unlikely, "sqlite")
def _as_unlikely(element: unlikely, compiler: SQLCompiler, **options: Any) -> str:
    return f"unlikely({compiler.process(element.clauses, **options)})"


@dataclass(frozen=True)
class Key:
    """One column of an order; an empty value counts as the smallest, on every database."""

    column: InstrumentedAttribute[Any]
    descending: bool = False
    nullable: bool = False

    def order(self, backwards: bool) -> ColumnElement[Any]:
        """Return the ORDER BY term."""
        descending = self.descending is not backwards
        term: ColumnElement[Any] = self.column.desc() if descending else self.column.asc()
        if not self.nullable:
            return term
        return term.nulls_last() if descending else term.nulls_first()

    def beyond(self, value: Any, backwards: bool) -> ColumnElement[bool]:
        """Return the condition that a row comes after `value`."""
        if self.descending is not backwards:
            if value is None:
                return false()
            smaller: ColumnElement[bool] = self.column < value
            return or_(smaller, self.column.is_(None)) if self.nullable else smaller
        return self.column.is_not(None) if value is None else self.column > value

    def rank(self, row: Any) -> tuple[bool, Any]:
        """Return what a row's value is compared by outside of the database; an empty one is the smallest."""
        value = getattr(row, self.column.key)
        return value is not None, value

    def same(self, value: Any) -> ColumnElement[bool]:
        """Return the condition that a row has this value."""
        return self.column.is_(None) if value is None else self.column == value


@dataclass(frozen=True)
class Cursor:
    """Where a page begins: beyond the row with these values of the keys, or, going backwards, before it."""

    values: tuple[Any, ...]
    backwards: bool = False


@dataclass(frozen=True)
class Page(Generic[Row]):
    """One page of rows, with the cursors of its neighbours where there are any."""

    rows: list[Row]
    next_cursor: str | None = None
    prev_cursor: str | None = None


def _value_of(row: Any, key: Key) -> Any:
    return getattr(row, key.column.key)


def fetch(
    session: Session,
    statement: Select[Row],
    keys: Sequence[Key],
    *,
    after: str | None = None,
    before: str | None = None,
    size: int | None = None,
    parts: Sequence[ColumnElement[bool]] = (),
    few: Sequence[ColumnElement[bool]] = (),
    sparse: bool = False,
    value_of: Callable[[Row, Key], Any] = _value_of,
) -> Page[Row]:
    """Return the page after (or before) a cursor that an earlier page gave; one that makes no sense is the first page.

    The last key has to be unique. `parts` and `few` are conditions that exclude each other. An index gives each part in
    order: the page is merged from the beginnings of all of them. Of the `few` all rows are found, and sorted. Where the
    parts are `sparse`, with much to be passed over, that is done by the keys alone: only the rows of the page are read
    from the table, provided that the index has all that a part asks for.
    """
    size = PAGE_SIZE if size is None else size
    cursor = read_cursor(after, keys) or read_cursor(before, keys, backwards=True)
    backwards = cursor is not None and cursor.backwards
    order = [key.order(backwards) for key in keys]
    further = [] if cursor is None else [_beyond(keys, cursor)]
    if few or sparse or len(parts) > 1:
        statement = _merged(statement, keys, parts, few, cursor, size + 1)
    else:
        statement = statement.where(*parts, *further)
    rows: list[Row] = list(session.scalars(statement.order_by(*order).limit(size + 1)))
    return _page(rows, keys, cursor, size, value_of)


def cut(rows: Sequence[Row], keys: Sequence[Key], *, after: str | None = None, before: str | None = None) -> Page[Row]:
    """Return the page after (or before) a cursor from rows that are here already, in any order, as `fetch` would."""
    cursor = read_cursor(after, keys) or read_cursor(before, keys, backwards=True)
    backwards = cursor is not None and cursor.backwards
    ordered = list(rows)
    for key in reversed(keys):  # Sorting is stable, so the first key is sorted by last.
        ordered.sort(key=key.rank, reverse=key.descending is not backwards)
    if cursor is not None:
        ordered = [row for row in ordered if _is_beyond(row, keys, cursor)]
    return _page(ordered[: PAGE_SIZE + 1], keys, cursor, PAGE_SIZE, _value_of)


def _page(
    rows: list[Row], keys: Sequence[Key], cursor: Cursor | None, size: int, value_of: Callable[[Row, Key], Any]
) -> Page[Row]:
    """Make a page from its rows and one more, if there is one."""
    backwards = cursor is not None and cursor.backwards
    more, rows = len(rows) > size, rows[:size]
    if backwards:
        rows.reverse()
    if not rows:
        return Page(rows)
    first, last = ([value_of(row, key) for key in keys] for row in (rows[0], rows[-1]))
    return Page(
        rows,
        next_cursor=write_cursor(last) if more or backwards else None,
        prev_cursor=write_cursor(first) if (more if backwards else cursor is not None) else None,
    )


def _is_beyond(row: Any, keys: Sequence[Key], cursor: Cursor) -> bool:
    """Tell whether a row comes after the cursor, in the direction in which it reads."""
    for key, value in zip(keys, cursor.values, strict=True):
        mine, theirs = key.rank(row), (value is not None, value)
        if mine != theirs:
            return (mine < theirs) is (key.descending is not cursor.backwards)
    return False


def write_cursor(values: Sequence[Any]) -> str:
    """Return the values of a row's keys as text for an address."""
    return base64.urlsafe_b64encode(json.dumps([_plain(value) for value in values]).encode()).decode().rstrip("=")


def read_cursor(text: str | None, keys: Sequence[Key], *, backwards: bool = False) -> Cursor | None:
    """Return what a cursor says; None for anything that this list did not write."""
    if not text or len(text) > LONGEST_CURSOR:
        return None
    try:
        plain = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if not isinstance(plain, list) or len(plain) != len(keys):
            return None
        return Cursor(tuple(_typed(value, key) for value, key in zip(plain, keys, strict=True)), backwards)
    except (ValueError, TypeError, OverflowError, RecursionError, binascii.Error):
        return None


def _merged(
    statement: Select[Row],
    keys: Sequence[Key],
    parts: Sequence[ColumnElement[bool]],
    few: Sequence[ColumnElement[bool]],
    cursor: Cursor | None,
    size: int,
) -> Select[Row]:
    """Narrow to the first rows of all parts and of the few.

    What comes before the cursor is left out of the few when they are found: it would lead to the index of the order.
    """
    backwards = cursor is not None and cursor.backwards
    model = keys[0].column.class_
    primary = [getattr(model, column.name) for column in inspect(model).primary_key]
    columns = {column.key: column for column in (*primary, *(key.column for key in keys))}.values()
    order = [key.order(backwards) for key in keys]
    further = [] if cursor is None else [_beyond(keys, cursor)]
    # Each stands in a SELECT of its own: SQLite takes no ORDER BY and LIMIT inside a UNION.
    heads = [select(select(*columns).where(part, *further).order_by(*order).limit(size).subquery()) for part in parts]
    found = union_all(*heads, *(select(*columns).where(some) for some in few)).subquery("found")
    if few:
        columns_found: dict[str, Any] = {name: unindexed(column) for name, column in found.c.items()}
        among = [replace(key, column=columns_found[key.column.key]) for key in keys]
        beyond = [] if cursor is None else [_beyond(among, cursor)]
        first = select(found).where(*beyond).order_by(*(key.order(backwards) for key in among)).limit(size)
        found = first.subquery("first")
    return statement.join(found, and_(*(column == found.c[column.key] for column in primary)))


def _beyond(keys: Sequence[Key], cursor: Cursor) -> ColumnElement[bool]:
    """Return the lexicographic comparison: of whole rows, which an index understands, wherever that is possible."""
    if len({key.descending for key in keys}) == 1 and not any(key.nullable for key in keys):
        row = tuple_(*(key.column for key in keys))
        return row < cursor.values if keys[0].descending is not cursor.backwards else row > cursor.values
    steps = []
    for position, key in enumerate(keys):
        equal = [earlier.same(value) for earlier, value in zip(keys, cursor.values[:position], strict=False)]
        steps.append(and_(*equal, key.beyond(cursor.values[position], cursor.backwards)))
    return or_(*steps)


def _plain(value: Any) -> str | None:
    if isinstance(value, datetime):
        return value.isoformat()
    return None if value is None else str(value)


def _typed(value: Any, key: Key) -> Any:
    if value is None:
        if not key.nullable:
            raise ValueError("this key is never empty")
        return None
    if not isinstance(value, str) or "\x00" in value:
        raise ValueError("a key's value is text")
    value.encode()  # JSON can name half of a character, which no database takes: a UnicodeEncodeError is a ValueError.
    wanted = key.column.type.python_type
    if wanted is uuid.UUID:
        return uuid.UUID(value)
    if wanted is datetime:
        read = datetime.fromisoformat(value)
        if read.tzinfo is None:
            raise ValueError("a time has a zone")
        return read.astimezone(UTC)
    return value
