"""Values as clients write them, turned into what their attribute holds; what makes no sense stays as it is."""

import json
import math
from collections.abc import Mapping
from typing import Any, Final

from rgapp.integrations.scim.bridge_shapes import Attribute, Kind

#: Python writes no longer number than this; JSON with one is refused before it comes here.
_MAX_NUMBER_BITS: Final = 4096


def standard_value(attribute: Attribute, value: Any) -> Any:
    """Return the value of an attribute, all of its values where it has several."""
    if not attribute.multi:
        return single_value(attribute, value)
    if attribute.kind is not Kind.COMPLEX or value is None:
        return value
    entries = value if isinstance(value, list) else [value]
    # Nothing but nulls is not the same as nothing: replacing by it must not empty a group.
    kept = [single_value(attribute, entry) for entry in entries if entry is not None]
    return kept if kept or not entries else value


def single_value(attribute: Attribute, value: Any) -> Any:
    """Return one value of an attribute; an empty text where that can be no value is None."""
    value = _unwrapped(value, complex_=attribute.kind is Kind.COMPLEX)
    if attribute.kind is Kind.COMPLEX:
        if isinstance(value, dict):
            return members(attribute.subs, value)
        text = as_text(value)
        if text is None or "value" not in attribute.subs:
            return value
        return {"value": text} if text or attribute.multi else None
    if attribute.kind is Kind.STRING and not isinstance(value, str):
        text = as_text(value)
        return value if text is None else text
    return None if attribute.kind is Kind.OTHER and value == "" else value


def members(attributes: Mapping[str, Attribute], holder: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object with each member that the attributes declare as a value of that attribute.

    Read-only ones go (a member's `display`, a manager's `displayName`), unless nothing would be left to say.
    """
    declared = {name: attributes.get(name.lower()) for name in holder}
    kept = [name for name, attribute in declared.items() if attribute is None or not attribute.read_only]
    return {name: _member(declared[name], holder[name]) for name in kept or holder}


def _member(attribute: Attribute | None, value: Any) -> Any:
    return value if attribute is None else standard_value(attribute, value)


def named(holder: Mapping[str, Any], name: str) -> Any:
    """Return a member by its name, compared without case (RFC 7643, section 2.1), or None."""
    return next((value for key, value in holder.items() if key.lower() == name.lower()), None)


def as_text(value: Any) -> str | None:
    """Return text or a number as text, None for anything else; whole numbers have no fraction."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return str(int(value)) if value.is_integer() else str(value)
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() <= _MAX_NUMBER_BITS:
        return str(value)
    return None


def quoted(text: str) -> str:
    """Return text as a filter has it (RFC 7644, section 3.4.2.2): a JSON string."""
    return json.dumps(text)


def _unwrapped(value: Any, *, complex_: bool) -> Any:
    """Take a value out of a list of one, and a simple one out of an object that holds only it."""
    while True:
        inner = None
        if isinstance(value, list) and len(value) == 1:
            inner = value[0]
        elif isinstance(value, dict) and not complex_:
            held = {name.lower(): item for name, item in value.items() if item is not None}
            inner = held.get("value") if len(held) == 1 else None
        if inner is None:
            return value
        value = inner
