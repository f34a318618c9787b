"""PATCH operations (RFC 7644, section 3.5.2) as clients write them, turned into operations that say the same."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from rgapp.integrations.scim.bridge_members import MEMBERS, together
from rgapp.integrations.scim.bridge_paths import Target, read_path
from rgapp.integrations.scim.bridge_shapes import Schema, Shape
from rgapp.integrations.scim.bridge_values import as_text, members, named, quoted, single_value, standard_value

#: So many values may a list to remove have where the members are not known, as in a bulk request: each is compared with
#: every member.
MOST_UNSEEN: Final = 200
PATCH_OP: Final = "urn:ietf:params:scim:api:messages:2.0:PatchOp"

Operation = dict[str, Any]


@dataclass
class Patching:
    """One PATCH request on its way: the resource as it is, as far as known, and what earlier operations wrote to."""

    shape: Shape
    current: Mapping[str, Any] | None
    written: set[str] = field(default_factory=set)

    def has_none(self, target: Target) -> bool:
        """Tell whether a multi-valued attribute is known to have no values when its operation comes."""
        if self.current is None or target.whole.lower() in self.written:
            return False
        of_core = self.shape.core.attributes.get(target.attribute.name.lower()) is target.attribute
        return of_core and not named(self.current, target.attribute.name)


@dataclass(frozen=True)
class Parts:
    """The members of an operation under their own spelling of the names."""

    operation: Operation
    op: str
    path: str | None
    value: str | None

    def with_(self, path: str, *value: Any, op: str | None = None) -> Operation:
        """Return the operation with another path and, where they are given, another value and op."""
        changed = dict(self.operation)
        changed[self.path or "path"] = path
        if value:
            changed[self.value or "value"] = value[0]
        if op is not None:
            changed[self.op] = op
        return changed

    def without_value(self, path: str) -> Operation:
        """Return a remove of what a path leads to."""
        changed = self.with_(path, None, op=self.operation[self.op] if self.verb == "remove" else "remove")
        del changed[self.value or "value"]
        return changed

    @property
    def verb(self) -> str:
        """Return add, replace or remove."""
        return str(self.operation[self.op]).lower()


def standard_patch(shape: Shape, body: Mapping[str, Any], current: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the body of a PATCH request; no operation of it gets lost."""
    patching = Patching(shape, current)
    result: dict[str, Any] = {}
    for name, value in body.items():
        if name.lower() == "schemas" and isinstance(value, list):
            result[name] = [_message(urn) for urn in value]
        elif name.lower() == "operations" and isinstance(value, list):
            meant = [each for operation in value for each in _operation(patching, operation)]
            result[name] = _together(patching, meant)
        else:
            result[name] = value
    return result


def _together(patching: Patching, operations: list[Any]) -> list[Any]:
    """Bring the changes of a large group together, where its members are known."""
    attribute = patching.shape.core.attributes.get(MEMBERS)
    held = named(patching.current, MEMBERS) if attribute is not None and patching.current is not None else None
    if attribute is None or not isinstance(held, list):
        return operations
    return together(attribute, operations, held)


def _message(urn: Any) -> Any:
    return PATCH_OP if isinstance(urn, str) and urn.lower() == PATCH_OP.lower() else urn


def _operation(patching: Patching, operation: Any) -> list[Any]:
    """Return the operations that say what one says; one that is not understood comes back alone and unchanged."""
    parts = _parts(operation)
    if parts is None:
        return [operation]
    verb = parts.verb
    path = operation[parts.path] if parts.path else None
    value = operation[parts.value] if parts.value else None
    if path is None or path == "":
        return _without_path(patching, parts, value) if verb != "remove" and isinstance(value, dict) else [operation]
    if not isinstance(path, str):
        return [operation]
    schema = patching.shape.extension(path)
    if schema is not None and verb != "remove" and isinstance(value, dict):
        return [parts.with_(extension_key(schema, path, {}), members(schema.attributes, value))]
    target = read_path(patching.shape, path)
    if target is None:
        return [operation]
    if verb == "remove":
        return [_remove(patching, parts, target, value)]
    if parts.value is None:
        return [parts.with_(target.text)]
    return [_write(patching, parts, target, value)]


def _parts(operation: Any) -> Parts | None:
    """Return the members of an operation, None where it is none, or names one twice."""
    if not isinstance(operation, dict):
        return None
    names: dict[str, str] = {}
    for name in operation:
        if name.lower() in names:
            return None
        names[name.lower()] = name
    op = names.get("op")
    if op is None or not isinstance(operation[op], str) or operation[op].lower() not in ("add", "replace", "remove"):
        return None
    return Parts(operation, op, names.get("path"), names.get("value"))


def _without_path(patching: Patching, parts: Parts, value: Operation) -> list[Any]:
    """Read an object without a path: a key that selects among values becomes an operation of its own."""
    kept: dict[str, Any] = {}
    apart: list[Operation] = []
    says_more = any(name.lower() not in ("schemas", "id", "meta") for name in value)
    for name, item in value.items():
        schema = patching.shape.extension(name)
        if schema is not None and isinstance(item, dict):
            kept[extension_key(schema, name, value)] = members(schema.attributes, item)
            continue
        if name.lower() == "meta" and says_more:
            continue
        target = read_path(patching.shape, name)
        if target is None or (target.text != name and (target.text in value or target.text in kept)):
            kept[name] = item
        elif target.filtered or (target.sub is not None and target.attribute.multi):
            apart.append(_write(patching, parts, target, item))
        else:
            patching.written.add(target.whole.lower())
            kept[target.text] = _value(target, item)
    if apart and not kept:
        return apart
    first = dict(parts.operation)
    first[parts.value or "value"] = kept
    return [first, *apart]


def extension_key(schema: Schema, name: str, beside: Mapping[str, Any]) -> str:
    """Return the URN for an old name of an extension, unless that is there, too; any spelling of the URN stays."""
    return name if name.lower() == schema.urn.lower() or named(beside, schema.urn) is not None else schema.urn


def _write(patching: Patching, parts: Parts, target: Target, value: Any) -> Operation:
    """Read an add or a replace."""
    meant = _value(target, value)
    inside = target.sub is not None and target.attribute.multi and not target.filtered
    nothing_there = inside and patching.has_none(target)
    patching.written.add(target.whole.lower())
    if meant is None and value is not None:
        return parts.without_value(target.text)
    if nothing_there and target.sub is not None and meant is not None:
        return parts.with_(target.whole, [{target.sub.name: meant}], op="add")
    return parts.with_(target.text, meant)


def _value(target: Target, value: Any) -> Any:
    if target.sub is not None:
        return standard_value(target.sub, value)
    return single_value(target.attribute, value) if target.filtered else standard_value(target.attribute, value)


def _remove(patching: Patching, parts: Parts, target: Target, value: Any) -> Operation:
    """Read a remove: which values a list of values means goes into the path, a value that says nothing more goes."""
    if value is None:
        return parts.with_(target.text)
    if not target.attribute.multi or (target.filtered and isinstance(value, str | int | float)):
        return parts.without_value(target.text)
    wanted = [_identity(entry) for entry in (value if isinstance(value, list) else [value])]
    if target.filtered or target.sub is not None or "value" not in target.attribute.subs or not all(wanted):
        return parts.with_(target.text)
    if patching.current is None and len(wanted) > MOST_UNSEEN:
        return parts.with_(target.text)
    chosen = " or ".join(f"value eq {quoted(text)}" for text in dict.fromkeys(wanted) if text)
    return parts.without_value(f"{target.text}[{chosen}]") if chosen else parts.with_(target.text)


def _identity(entry: Any) -> str | None:
    """Return the significant value (RFC 7643, section 2.4) of an entry, by which it is removed."""
    return as_text(named(entry, "value")) if isinstance(entry, Mapping) else as_text(entry)
