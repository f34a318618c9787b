"""Many changes of one large group in one request, brought together into a single one.

The library compares every value of a filter with every member, for each operation anew: a thousand people who leave a
group of a thousand would take seconds, and ten times as many a hundred times as long. Where it would come to that, the
operations on `members` are carried out here on the members as they are, and one operation replaces them by the outcome.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from scim2_models import Path, SCIMException
from scim2_models.path import CompareOperator, Comparison, FilterNode, LogicalExpr, LogicalOperator, ValuePath

from rgapp.integrations.scim.bridge_shapes import Attribute
from rgapp.integrations.scim.bridge_values import members as standard_members
from rgapp.integrations.scim.bridge_values import named

#: Below this many comparisons the library does it as fast, and as it sees fit.
COSTLY: Final = 2000
#: One plain operation is one already.
FEW: Final = 4
#: Of so many members the library makes models and copies for each operation, be it as plain as it may.
LARGE: Final = 5000
MEMBERS: Final = "members"

Entries = dict[str, dict[str, Any]]


class _NotUnderstoodError(ValueError):
    """An operation on members says something that only the library may judge."""


def together(attribute: Attribute, operations: list[Any], current: Sequence[Any]) -> list[Any]:
    """Return standard operations with those on `members` in one; as they were where that is not worth it or not sure.

    `attribute` is `members`, `current` what it holds now.
    """
    on_members = [operation for operation in operations if _path(operation) is not None]
    weight = sum(1 + _path_weight(operation) for operation in on_members)
    is_worth_it = weight >= FEW or (len(on_members) > 1 and len(current) >= LARGE)
    if not is_worth_it or weight * len(current) < COSTLY:
        return operations
    try:
        before = _entries(attribute, list(current))
        after = dict(before)
        for operation in on_members:
            after = _changed(attribute, operation, after)
    except (_NotUnderstoodError, SCIMException, ValueError):
        return operations
    same = after.keys() == before.keys()
    outcome = {"op": "add" if same else "replace", "path": MEMBERS, "value": [] if same else list(after.values())}
    return [*(operation for operation in operations if _path(operation) is None), outcome]


def _path(operation: Any) -> str | None:
    """Return the path of an operation that may concern members; one without a path may, if it names them."""
    if not isinstance(operation, dict):
        return None
    path = named(operation, "path")
    if isinstance(path, str) and path:
        return path if MEMBERS in path.lower() else None
    value = named(operation, "value")
    return "" if isinstance(value, dict) and any(MEMBERS in name.lower() for name in value) else None


def _path_weight(operation: Mapping[str, Any]) -> int:
    return str(_path(operation)).count(" eq ")


def _changed(attribute: Attribute, operation: Mapping[str, Any], entries: Entries) -> Entries:
    """Return the members after one operation; raises where it is not one of the plain ones."""
    path, verb, value = named(operation, "path"), str(named(operation, "op")).lower(), named(operation, "value")
    if not isinstance(path, str):
        raise _NotUnderstoodError
    plain = path.lower() == MEMBERS
    if verb == "remove" and value is None:
        gone = set(entries) if plain else set(_chosen(path))
        return {name: entry for name, entry in entries.items() if name not in gone}
    if not plain or verb not in ("add", "replace") or not isinstance(value, list):
        raise _NotUnderstoodError
    said = _entries(attribute, value)
    if verb == "replace":
        return said
    return entries | {name: entry for name, entry in said.items() if name not in entries}


def _entries(attribute: Attribute, values: list[Any]) -> Entries:
    """Return entries by their value, in their order; raises where one has none."""
    found: Entries = {}
    for entry in values:
        value = named(entry, "value") if isinstance(entry, dict) else None
        if not isinstance(value, str) or not value or any(name.lower() not in attribute.subs for name in entry):
            raise _NotUnderstoodError
        found.setdefault(value, standard_members(attribute.subs, entry))
    return found


def _chosen(path: str) -> Iterator[str]:
    """Return the values that a path such as `members[value eq "a" or value eq "b"]` chooses; raises for others."""
    node = Path(path).ast
    if not isinstance(node, ValuePath) or node.sub_attr or node.attr_path.uri or node.attr_path.attr.lower() != MEMBERS:
        raise _NotUnderstoodError
    either = node.val_filter
    terms: Sequence[FilterNode] = (
        either.terms if isinstance(either, LogicalExpr) and either.op is LogicalOperator.or_ else (either,)
    )
    for term in terms:
        if (
            not isinstance(term, Comparison)
            or term.op is not CompareOperator.eq
            or str(term.attr_path).lower() != "value"
            or not isinstance(term.value, str)
        ):
            raise _NotUnderstoodError
        yield term.value
