"""Resources as JSON: what is stored of them, the folded copy that filters read, and what a client gets to see."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from inspect import isclass
from typing import Any, NamedTuple
from unicodedata import normalize

from scim2_models import CaseExact, Extension, InvalidValueException, Resource
from scim2_models.attributes import ComplexAttribute

#: What is never stored in the document: the service provider's own attributes, what columns say, and passwords.
NOT_KEPT_OF_USERS = ("id", "meta", "groups", "active", "password")
NOT_KEPT_OF_GROUPS = ("id", "meta", "members")
LONGEST_KEY = 255
Plan = Mapping[str, Any]


class Document(NamedTuple):
    """One resource as it is stored: the JSON of the client, and the same with its letters folded for comparing."""

    resource: dict[str, Any]
    search: dict[str, Any]


def stored(resource: Resource[Any], not_kept: tuple[str, ...]) -> Document:
    """Return what is stored of a resource that was read from a client."""
    said: dict[str, Any] = resource.model_dump()
    for name in not_kept:
        said.pop(name, None)
    return Document(said, folded(said, plan_of(type(resource))))


def folded(value: Any, plan: Any) -> Any:
    """Return a copy of a dumped value in which every string stands in the form that is compared (RFC 7643 2.2)."""
    if isinstance(value, str):
        return plan(value) if callable(plan) else value
    if isinstance(value, list):
        return [folded(entry, plan) for entry in value]
    if isinstance(value, dict):
        return {name: folded(held, plan.get(name)) for name, held in value.items()}
    return value


@lru_cache(maxsize=20)
def plan_of(model: type[Any]) -> Plan:
    """Return how each attribute of a model is compared: a function for a string, a plan for a complex one."""
    return {model._scim_name(name): _way(model, name) for name in model.model_fields}


def _way(model: type[Any], name: str) -> Plan | Callable[[str], str]:
    kind = model.get_field_root_type(name)
    if isclass(kind) and issubclass(kind, ComplexAttribute | Extension):
        return plan_of(kind)
    return exact if model.get_field_annotation(name, CaseExact) is CaseExact.true else caseless


def exact(value: str) -> str:
    """Return the form in which values are compared whose case matters."""
    return value if value.isascii() else normalize("NFC", value)


def caseless(value: str) -> str:
    """Return the form in which values are compared without regard to case, as `scim2_models` does."""
    return value.lower() if value.isascii() else normalize("NFC", normalize("NFC", value).lower())


def key_of(attribute: str, value: str | None, fold: Callable[[str], str]) -> str:
    """Return the form in which a column keeps a value.

    Raises `InvalidValueException` for one that is empty or longer than the column.
    """
    key = fold(value or "")
    if not key.strip():
        raise InvalidValueException(detail=f"{attribute} is missing or empty.")
    if max(len(key), len(value or "")) > LONGEST_KEY:
        raise InvalidValueException(detail=f"{attribute} is longer than {LONGEST_KEY} characters.")
    return key


def version_tag(version: int, *, active: bool = True) -> str:
    """Return the weak entity tag of a resource (RFC 7644 section 3.14); a leaver's is another one."""
    return f'W/"{version}"' if active else f'W/"{version}-inactive"'


def meta(kind: str, created: datetime, modified: datetime, version: str) -> dict[str, Any]:
    """Return the `meta` attribute without its location, which is the edge's to add."""
    return {"resourceType": kind, "created": _time(created), "lastModified": _time(modified), "version": version}


def _time(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def user_document(row: Any, groups: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a user as a client sees it, its addresses still relative; `row` is one of `rgapp.scim.users`."""
    said: dict[str, Any] = row.resource
    document = {"schemas": said["schemas"], "id": str(row.user_id), **said, "active": row.active}
    if groups:
        document["groups"] = groups
    document["meta"] = meta("User", row.created_at, row.updated_at, version_tag(row.version, active=row.active))
    return document


def group_document(row: Any, members: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a group as a client sees it, its addresses still relative."""
    said: dict[str, Any] = row.resource
    document = {"schemas": said["schemas"], "id": str(row.id), **said}
    if members:
        document["members"] = members
    document["meta"] = meta("Group", row.created_at, row.updated_at, version_tag(row.version))
    return document


def located(document: dict[str, Any], base_url: str) -> dict[str, Any]:
    """Give a document its addresses: `meta.location` and the `$ref` of groups and members. It is changed in place."""
    kind = document["meta"]["resourceType"]
    document["meta"]["location"] = f"{base_url}/{kind}s/{document['id']}"
    for entry in document.get("groups" if kind == "User" else "members", ()):
        entry["$ref"] = f"{base_url}/{entry['$ref']}"
    return document
