"""One comparison of a filter in SQL (RFC 7644 section 3.4.2.2, tables 3 and 4)."""

from base64 import encodebytes
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from scim2_models import AttributeBinding, InvalidFilterException
from scim2_models.path import CompareOperator, Comparison
from scim2_models.path.resolution import coerce_value
from sqlalchemy import ColumnElement, false, not_, true

from rgapp.scim.attributes import Fixed, Scalar
from rgapp.scim.json_sql import JSONSQL, starts

Condition = ColumnElement[bool]


def compare(sql: JSONSQL, place: Scalar | Fixed, binding: AttributeBinding, node: Comparison) -> Condition:
    """Compare a single value; a value of another type than the attribute's equals nothing."""
    expected, op = _expected(binding, node), node.op
    if isinstance(place, Fixed):
        actual = binding.comparable(place.value)
        return true() if _holds(actual, expected, op) else false()
    if expected is None:
        missing = false() if place.whole else place.value.is_(None)
        return missing if op is CompareOperator.eq else not_(missing) if op is CompareOperator.ne else false()
    if not isinstance(expected, place.kind) or (isinstance(expected, datetime) and expected.tzinfo is None):
        return true() if op is CompareOperator.ne else false()
    if place.identifier is not None and op in (CompareOperator.eq, CompareOperator.ne):
        same = _is_identifier(place.identifier, str(expected))
        return same if op is CompareOperator.eq else not_(same)
    return _OPERATORS[op](sql, place, expected)


def _expected(binding: AttributeBinding, node: Comparison) -> Any:
    """Return the value of a comparison in the form in which the database has the attribute's own."""
    value = binding.comparable(coerce_value(binding, node.value, node.op))
    if isinstance(value, bytes):
        return encodebytes(value).decode()
    if isinstance(value, datetime) and value.tzinfo is not None:
        try:
            return value.astimezone(UTC)
        except OverflowError as error:
            raise InvalidFilterException(detail="a time in the filter is out of range") from error
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
            raise InvalidFilterException(detail="a text in the filter has characters that no value can have")
        return str(value)
    return value


def _is_identifier(column: ColumnElement[Any], text: str) -> Condition:
    try:
        identifier = UUID(text)
    except ValueError:
        return false()
    return column == identifier if str(identifier) == text else false()


def present(place: Scalar | Fixed) -> Condition:
    """Tell whether there is a value that is not empty."""
    if isinstance(place, Fixed):
        return true()
    if place.kind is str and not place.whole:
        return place.value != ""
    return true() if place.whole else place.value.is_not(None)


def _holds(actual: str, expected: Any, op: CompareOperator) -> bool:
    """Compare in Python what is the same for every resource."""
    if not isinstance(expected, str):
        return op is CompareOperator.ne
    return {
        CompareOperator.eq: actual == expected,
        CompareOperator.ne: actual != expected,
        CompareOperator.co: expected in actual,
        CompareOperator.sw: actual.startswith(expected),
        CompareOperator.ew: actual.endswith(expected),
        CompareOperator.gt: actual > expected,
        CompareOperator.ge: actual >= expected,
        CompareOperator.lt: actual < expected,
        CompareOperator.le: actual <= expected,
    }[op]


def _in_order(sql: JSONSQL, place: Scalar) -> ColumnElement[Any]:
    return place.value if place.sorts or place.kind is not str else sql.ordered(place.value)


_OPERATORS: dict[CompareOperator, Callable[[JSONSQL, Scalar, Any], Condition]] = {
    CompareOperator.eq: lambda _, place, value: place.value == value,
    CompareOperator.ne: lambda _, place, value: place.value.is_distinct_from(value),
    CompareOperator.co: lambda sql, place, value: sql.contains(place.value, value) if place.kind is str else false(),
    CompareOperator.sw: lambda sql, place, value: (
        starts(_in_order(sql, place), value) if place.kind is str else false()
    ),
    CompareOperator.ew: lambda sql, place, value: sql.ends(place.value, value) if place.kind is str else false(),
    CompareOperator.gt: lambda sql, place, value: _in_order(sql, place) > value,
    CompareOperator.ge: lambda sql, place, value: _in_order(sql, place) >= value,
    CompareOperator.lt: lambda sql, place, value: _in_order(sql, place) < value,
    CompareOperator.le: lambda sql, place, value: _in_order(sql, place) <= value,
}
