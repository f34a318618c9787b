"""The order of a search and its pages: by index, or by keyset positions that stay put while people come and go.

RFC 7644 sections 3.4.2.3 and 3.4.2.4, RFC 9865. Resources without a value come last, the other way round first; those
with equal values are ordered by their `id`.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scim2_models import InvalidCursorException, InvalidPathException, Resource, SearchRequest
from sqlalchemy import Boolean, ColumnElement, Text, and_, cast, null, or_, tuple_
from sqlalchemy.types import TypeEngine

from rgapp.models.base import UTCDateTime
from rgapp.scim.attributes import Attributes, Complex, Fixed, Many, Scalar
from rgapp.scim.json_sql import DIALECTS

TYPES: dict[type, TypeEngine[Any]] = {str: Text(), bool: Boolean(), datetime: UTCDateTime()}


@dataclass(frozen=True)
class SortKey:
    """What the resources of one type are sorted by: None where the type has no such attribute."""

    value: ColumnElement[Any] | None
    kind: type = str
    whole: bool = False
    of_people: bool = False


def sort_key(request: SearchRequest[Any], model: type[Resource[Any]], kind: str, dialect: str) -> SortKey:
    """Return what `sortBy` asks for.

    Raises `InvalidPathException` for an attribute that cannot be sorted by.
    """
    binding = request.sort_binding(model)
    if binding is None:
        return SortKey(None)
    attributes = Attributes(kind, DIALECTS[dialect])
    place = attributes.place_of(binding)
    if isinstance(place, Many):
        sub = place.sub(attributes.sub_name(binding))
        first = attributes.first_of(place, sub)
        place = Fixed("") if first is None or isinstance(sub, Fixed) else Scalar(first, sub.kind)
    if isinstance(place, Complex):
        raise InvalidPathException(detail=f"{str(request.sort_by)!r} cannot be sorted by")
    if isinstance(place, Fixed) or (isinstance(place, Scalar) and place.identifier is attributes.identifier):
        return SortKey(None)  # It is the same for all, or it is what orders them anyway.
    value = place.value if place.sorts or place.kind is not str else attributes.sql.ordered(place.value)
    return SortKey(value, place.kind, place.whole, attributes.of_people)


@dataclass(frozen=True)
class Position:
    """The place between two resources where a page begins, or ends where it goes backwards."""

    value: Any
    identifier: uuid.UUID
    backwards: bool

    def as_json(self, integration_id: uuid.UUID) -> dict[str, Any]:
        """Return what a cursor hides."""
        value = {"time": self.value.isoformat()} if isinstance(self.value, datetime) else self.value
        return {"d": int(self.backwards), "k": value, "i": self.identifier.hex, "o": integration_id.hex}


def read_position(position: Any, integration_id: uuid.UUID, kind: type) -> Position | None:
    """Return the place that a cursor holds, None at the beginning.

    Raises `InvalidCursorException` for one of another integration, or of another order.
    """
    if position is None:
        return None
    try:
        if position["o"] != integration_id.hex:
            raise InvalidCursorException
        value = position["k"]
        if isinstance(value, dict):
            value = datetime.fromisoformat(value["time"])
        found = Position(value, uuid.UUID(position["i"]), bool(position["d"]))
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise InvalidCursorException from error
    if value is not None and not isinstance(value, kind):
        raise InvalidCursorException
    return found


@dataclass(frozen=True)
class Order:
    """An order of resources; without a key they are ordered by their `id` alone."""

    identifier: ColumnElement[Any]
    key: ColumnElement[Any] | None
    whole: bool
    descending: bool

    def terms(self, *, backwards: bool = False) -> list[ColumnElement[Any]]:
        """Return the ORDER BY terms."""
        down = self.descending is not backwards
        last = self.identifier.desc() if down else self.identifier.asc()
        if self.key is None:
            return [last]
        first = self.key.desc() if down else self.key.asc()
        if not self.whole:
            first = first.nulls_first() if down else first.nulls_last()
        return [first, last]

    def beyond(self, value: Any, identifier: uuid.UUID, *, backwards: bool = False) -> ColumnElement[bool]:
        """Return the condition that a resource comes after this place, or before it."""
        down = self.descending is not backwards
        key, own = self.key, self.identifier
        further = own < identifier if down else own > identifier
        if key is None:
            return further
        if self.whole:
            here, there = tuple_(key, own), tuple_(value, identifier, types=[key.type, own.type])
            return here < there if down else here > there
        if value is None:
            missing = and_(key.is_(None), further)
            return or_(key.is_not(None), missing) if down else missing
        same = and_(key == value, further)
        return or_(key < value, same) if down else or_(key > value, same, key.is_(None))


def common_kind(keys: list[SortKey]) -> type:
    """Return of which kind the values are that several types are sorted by."""
    return next((key.kind for key in keys if key.value is not None), str)


def key_column(key: SortKey, kind: type) -> ColumnElement[Any]:
    """Return the key of one type as a column of a union; a type that has no such attribute has no value."""
    if key.value is None or key.kind is not kind:
        return cast(null(), TYPES[kind])
    return cast(key.value, TYPES[kind]) if kind is not datetime else key.value
