"""Keyset paging: pages that stay quick on the thousandth one, and correct while rows come and go."""

import base64
import binascii
import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, and_, false, or_
from sqlalchemy.orm import InstrumentedAttribute, Session

PAGE_SIZE = 50
LONGEST_CURSOR = 2000

Row = TypeVar("Row")


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


def fetch(
    session: Session,
    statement: Select[Row],
    keys: Sequence[Key],
    *,
    after: str | None = None,
    before: str | None = None,
    size: int = PAGE_SIZE,
    value_of: Callable[[Row, Key], Any] = lambda row, key: getattr(row, key.column.key),
) -> Page[Row]:
    """Return the page after (or before) a cursor that an earlier page gave; one that makes no sense is the first page.

    The last key has to be unique.
    """
    cursor = read_cursor(after, keys) or read_cursor(before, keys, backwards=True)
    backwards = cursor is not None and cursor.backwards
    if cursor is not None:
        statement = statement.where(_beyond(keys, cursor))
    statement = statement.order_by(*(key.order(backwards) for key in keys)).limit(size + 1)
    rows: list[Row] = list(session.scalars(statement))
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
    except (ValueError, TypeError, binascii.Error):
        return None


def _beyond(keys: Sequence[Key], cursor: Cursor) -> ColumnElement[bool]:
    """Return the lexicographic comparison, spelled out because the directions may differ."""
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
    wanted = key.column.type.python_type
    if wanted is uuid.UUID:
        return uuid.UUID(value)
    if wanted is datetime:
        read = datetime.fromisoformat(value)
        if read.tzinfo is None:
            raise ValueError("a time has a zone")
        return read
    return value
