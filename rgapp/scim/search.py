"""Searches (RFC 7644 section 3.4.2): which resources, in which order, one page of them, and how many there are."""

import uuid
from dataclasses import dataclass
from typing import Any, Literal

from scim2_models import Resource, SearchRequest
from sqlalchemy import ColumnElement, Select, Subquery, func, literal, select, union_all
from sqlalchemy.orm import Session

from rgapp.models import SCIMGroup, SCIMUser, User
from rgapp.scim.attributes import GROUPS, PEOPLE, USERS
from rgapp.scim.filters import condition_of
from rgapp.scim.json_sql import DIALECTS
from rgapp.scim.ordering import Order, Position, SortKey, common_kind, key_column, read_position, sort_key
from rgapp.scim.scope import Scope

Kind = Literal["User", "Group"]
Found = tuple[Kind, uuid.UUID]
TABLES: dict[str, Any] = {"User": SCIMUser.__table__, "Group": SCIMGroup.__table__}
COLUMNS: dict[str, Any] = {"User": USERS, "Group": GROUPS}
#: The furthest place that databases count to; clients may ask for any.
FURTHEST = 2**63 - 1


@dataclass(frozen=True)
class Searched:
    """One page: what was found, how many there are in all where that is known, and the places of its neighbours."""

    found: list[Found]
    total: int | None
    next: Position | None = None
    previous: Position | None = None


class Search:
    """One search over the resources of one integration; several types are one collection."""

    def __init__(
        self,
        session: Session,
        scope: Scope,
        models: dict[Kind, type[Resource[Any]]],
        request: SearchRequest[Any],
    ) -> None:
        self.session, self.scope, self.request = session, scope, request
        dialect = session.get_bind().dialect.name
        keys = {kind: sort_key(request, model, kind, dialect) for kind, model in models.items()}
        self.kind = common_kind(list(keys.values()))
        selects = [self._of(kind, model, keys[kind], dialect) for kind, model in models.items()]
        self.filtered, self.order = self._united(selects, keys, dialect)

    def _of(self, kind: Kind, model: type[Resource[Any]], key: SortKey, dialect: str) -> Select[Any]:
        """Return the matching resources of one type."""
        columns = COLUMNS[kind]
        identifier = columns.user_id if kind == "User" else columns.id
        wanted = [literal(kind).label("kind"), identifier.label("identifier")]
        of_people = key.of_people
        conditions: list[ColumnElement[bool]] = [
            columns.programme_id == self.scope.programme_id,
            columns.integration_id == self.scope.integration_id,
        ]
        if self.request.filter is not None:
            condition, filters_people = condition_of(str(self.request.filter), model, kind, dialect)
            conditions.append(condition)
            of_people = of_people or filters_people
        query = select(*wanted, key.value.label("key")) if key.value is not None else select(*wanted)
        query = query.select_from(TABLES[kind])
        if of_people:
            same = (PEOPLE.c.programme_id == columns.programme_id) & (PEOPLE.c.id == identifier)
            query = query.join(User.__table__, same)
        return query.where(*conditions)

    def _united(self, selects: list[Select[Any]], keys: dict[Kind, SortKey], dialect: str) -> tuple[Select[Any], Order]:
        """Return all matching resources, and their order."""
        descending = self.request.sort_order == SearchRequest.SortOrder.descending and self.request.sort_by is not None
        if len(selects) == 1:
            (kind, key), query = next(iter(keys.items())), selects[0]
            identifier = COLUMNS[kind].user_id if kind == "User" else COLUMNS[kind].id
            return query, Order(identifier, key.value, key.whole, descending)
        parts = []
        for query, key in zip(selects, keys.values(), strict=True):
            kind_, identifier_ = list(query.selected_columns)[:2]
            parts.append(query.with_only_columns(kind_, identifier_, key_column(key, self.kind).label("key")))
        every: Subquery = union_all(*parts).subquery()
        column: ColumnElement[Any] = every.c.key
        ordered = DIALECTS[dialect].ordered(column) if self.kind is str else column
        return select(every.c.kind, every.c.identifier, ordered.label("key")), Order(
            every.c.identifier, ordered if self.request.sort_by is not None else None, False, descending
        )

    def by_index(self, start: int, count: int | None) -> Searched:
        """Return the page that begins after so many resources; the total is only counted where it has to be."""
        if count == 0:
            return Searched([], self.total())
        query = self.filtered.order_by(*self.order.terms()).offset(min(start, FURTHEST))
        rows = list(self.session.execute(query if count is None else query.limit(count)))
        is_last = count is None or len(rows) < count
        known = is_last and (bool(rows) or start == 0)
        return Searched([(row[0], row[1]) for row in rows], start + len(rows) if known else self.total())

    def by_cursor(self, position: Any, count: int | None) -> Searched:
        """Return the page at a place, with the places of its neighbours.

        How many there are in all is not counted (RFC 9865 section 2.3 leaves it open), unless the first page says it.
        Raises `InvalidCursorException`.
        """
        place = read_position(position, self.scope.integration_id, self.kind)
        if count == 0:
            return Searched([], None)
        backwards = place is not None and place.backwards
        query = self.filtered.order_by(*self.order.terms(backwards=backwards))
        if place is not None:
            query = query.where(self.order.beyond(place.value, place.identifier, backwards=backwards))
        rows = list(self.session.execute(query if count is None else query.limit(count + 1)))
        more = count is not None and len(rows) > count
        rows = rows[:count]
        if backwards:
            rows.reverse()
        if not rows:
            return Searched([], 0 if place is None else None)
        before = more if backwards else place is not None and self._any_beyond(rows[0], backwards=True)
        after = self._any_beyond(rows[-1], backwards=False) if backwards else more
        return Searched(
            [(row[0], row[1]) for row in rows],
            len(rows) if place is None and not more else None,
            next=self._position(rows[-1], backwards=False) if after else None,
            previous=self._position(rows[0], backwards=True) if before else None,
        )

    def total(self) -> int:
        """Count the matching resources."""
        counted = self.filtered.with_only_columns(literal(1)).subquery()
        return self.session.scalar(select(func.count()).select_from(counted)) or 0

    def _any_beyond(self, row: Any, *, backwards: bool) -> bool:
        query = self.filtered.where(self.order.beyond(self._key(row), row[1], backwards=backwards))
        return self.session.execute(query.limit(1)).first() is not None

    def _key(self, row: Any) -> Any:
        return row[2] if self.order.key is not None else None

    def _position(self, row: Any, *, backwards: bool) -> Position:
        return Position(self._key(row), row[1], backwards)
