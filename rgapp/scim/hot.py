"""What clients ask thousands of times a day, recognized at a glance: anything else goes the long way."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from rgapp.integrations.scim.bridge_patch import PATCH_OP
from rgapp.integrations.scim.schemas import DEFAULT_PAGE, MAX_RESULTS

#: One comparison of an identifier: what Entra and Okta ask before every create.
_LOOK_UP: Final = re.compile(
    r'\s*(userName|externalId|id)\s+eq\s+"([^"\\\x00-\x1f\ud800-\udfff]{1,255})"\s*', re.IGNORECASE
)
_NUMBER: Final = re.compile(r"[0-9]{1,9}")
#: Microsoft Entra and Okta change groups member by member.
_TERM: Final = r'value eq "[^"\\]{1,100}"'
_MEMBERS: Final = re.compile(rf"members\[{_TERM}(?: or {_TERM})*\]", re.IGNORECASE)
_IDENTIFIER: Final = re.compile(r'value eq "([^"\\]{1,100})"', re.IGNORECASE)
_OF_MEMBER: Final = frozenset({"value", "$ref", "type", "display"})
_WORDS: Final = {"true": True, "false": False}


class LookUp(NamedTuple):
    """A look-up of one user by an identifier, whose name is in lower case; at most so many are shown."""

    attribute: str
    value: str
    most: int


def look_up_of(query: Mapping[str, str]) -> LookUp | None:
    """Return the look-up that a query is, None for anything else."""
    if not query.keys() <= {"filter", "startIndex", "count"}:
        return None
    found = _LOOK_UP.fullmatch(query.get("filter", ""))
    start, count = query.get("startIndex", "1"), query.get("count", str(DEFAULT_PAGE))
    if found is None or start not in {"0", "1"} or not _NUMBER.fullmatch(count) or count == "0":
        return None
    return LookUp(found[1].lower(), found[2], min(int(count), MAX_RESULTS))


class MemberChange(NamedTuple):
    """Users who join a group, or leave it; with `alone` nobody else is in it afterwards."""

    joins: bool
    identifiers: Sequence[str]
    alone: bool = False


def member_changes_of(document: Any) -> list[MemberChange] | None:
    """Return how a PATCH in standard SCIM changes the members of a group, None for one that does anything else."""
    operations = _operations_of(document)
    if not operations:
        return None
    changes = [_member_change(operation) for operation in operations]
    return None if None in changes else changes  # type: ignore[return-value]  # So each of them is one.


def leaves_members(document: Any) -> bool:
    """Tell whether a PATCH in standard SCIM certainly says nothing of who is in a group."""
    operations = _operations_of(document)
    return bool(operations) and "members" not in str(operations).lower()


def _member_change(operation: Any) -> MemberChange | None:
    if not isinstance(operation, dict) or not isinstance(path := operation.get("path"), str):
        return None
    op = str(operation.get("op")).lower()
    if op == "remove" and operation.keys() == {"op", "path"} and _MEMBERS.fullmatch(path):
        return MemberChange(joins=False, identifiers=_IDENTIFIER.findall(path))
    if op not in {"add", "replace"} or path.lower() != "members" or operation.keys() != {"op", "path", "value"}:
        return None
    identifiers = _identifiers_of(operation["value"])
    return None if identifiers is None else MemberChange(joins=True, identifiers=identifiers, alone=op == "replace")


def members_of(document: Any) -> list[str] | None:
    """Return whom a group in standard SCIM names as its members, None where they are not said in the plainest way."""
    if not isinstance(document, dict) or sum(name.lower() == "members" for name in document) != ("members" in document):
        return None
    return _identifiers_of(document.get("members") or [])


def _identifiers_of(value: Any) -> list[str] | None:
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        return None
    if not all(entry.keys() <= _OF_MEMBER and isinstance(entry.get("value"), str) for entry in value):
        return None
    if not all(str(entry.get("type") or "User").lower() == "user" for entry in value):
        return None
    return [entry["value"] for entry in value]


def _operations_of(document: Any) -> list[Any] | None:
    """Return the operations of a PATCH that has nothing else in it, and names everything as the RFC does."""
    if not isinstance(document, dict) or document.keys() != {"schemas", "Operations"}:
        return None
    operations = document["Operations"]
    return operations if document["schemas"] == [PATCH_OP] and isinstance(operations, list) else None


def activity_of(document: Any) -> bool | None:
    """Return what `active` becomes by a PATCH that sets it and nothing else, None for any other."""
    operations = _operations_of(document)
    if operations is None or len(operations) != 1:
        return None
    operation = operations[0]
    if not isinstance(operation, dict) or str(operation.get("op")).lower() not in {"add", "replace"}:
        return None
    if operation.keys() == {"op", "path", "value"} and operation["path"] == "active":
        return _truth(operation["value"])
    if operation.keys() == {"op", "value"} and isinstance(value := operation["value"], dict):
        return _truth(value["active"]) if value.keys() == {"active"} else None
    return None


def _truth(value: Any) -> bool | None:
    """Return a boolean, also where it comes as a text (Microsoft Entra)."""
    if isinstance(value, bool):
        return value
    return _WORDS.get(value.lower()) if isinstance(value, str) else None
