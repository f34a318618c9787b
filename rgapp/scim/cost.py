"""What a PATCH would cost: the library compares every value of an attribute with every term of a path, one by one."""

from typing import Any, Final

from scim2_models import InvalidValueException, PatchOp, Resource

from rgapp.scim.bodies import brought

#: So many comparisons take a few seconds, in which on SQLite nobody else writes.
MOST_COMPARISONS: Final = 300_000
#: What an operation costs for each value that is there, whatever its path, in comparisons; the first has to be done.
EACH: Final = 8
TOO_MUCH: Final = (
    "These operations would compare too many values with each other. Send fewer of them at once, "
    'or paths that name one value each, such as members[value eq "…"].'
)


def check_cost(current: Resource[Any], patch_op: "PatchOp[Any]") -> None:
    """Refuse a PATCH that would take long; raises `InvalidValueException`."""
    operations = patch_op.operations or []
    lists = (getattr(current, name) for name in type(current).model_fields)
    longest = max((len(held) for held in lists if isinstance(held, list)), default=0)
    longest += sum(brought(operation.value, "") for operation in operations)
    weight = sum(_weight(str(operation.path or "")) for operation in operations) - EACH
    if weight * longest > MOST_COMPARISONS:
        raise InvalidValueException(detail=TOO_MUCH)


def _weight(path: str) -> int:
    lowered = path.lower()
    if "[" in lowered:
        return EACH + 1 + lowered.count(" or ") + lowered.count(" and ")
    return EACH if not lowered or lowered.endswith("members") else 0
