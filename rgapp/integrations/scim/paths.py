"""Attribute paths of a mapping (RFC 7644, section 3.5.2): read once, then looked up in any resource."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

CORE_USER: Final = "urn:ietf:params:scim:schemas:core:2.0:User"
MAX_PATH: Final = 300
MAX_NAMES: Final = 200

_NAME = r"\$?[A-Za-z][A-Za-z0-9$_-]*"
_URN = r"urn:[A-Za-z0-9][A-Za-z0-9._-]*(?::[A-Za-z0-9][A-Za-z0-9._-]*)*"
_PATH: Final = re.compile(
    rf"(?:(?P<urn>{_URN}):)?(?P<name>{_NAME})(?:\[(?P<filter>[^\[\]]*)\])?(?:\.(?P<sub>{_NAME}))?", re.IGNORECASE
)
_TERM = rf'{_NAME}\s+eq\s+(?:"[^"\\]*"|true|false|-?[0-9]+(?:\.[0-9]+)?)'
_TERMS: Final = re.compile(rf"\s*{_TERM}(?:\s+and\s+{_TERM})*\s*", re.IGNORECASE)
_CONDITION: Final = re.compile(
    rf'(?P<name>{_NAME})\s+eq\s+(?:"(?P<text>[^"\\]*)"|(?P<word>[a-z0-9.-]+))', re.IGNORECASE
)
_ATTRIBUTE: Final = re.compile(_NAME)
_SCHEMA: Final = re.compile(_URN, re.IGNORECASE)
_SCHEMA_ALONE: Final = re.compile(r".*:[0-9.]+:(?:User|Group)", re.IGNORECASE)
_EXAMPLES: Final = "externalId, name.givenName or emails[primary eq true].value"

#: What says nothing about a person that a mapping may use, or is nobody's business.
_NOT_OFFERED: Final = frozenset({"schemas", "meta", "id", "groups", "password"})
#: Labels that RFC 7643 (section 4.1.2) suggests for `type`; others are the client's words and stay with it.
_TYPES: Final = frozenset({"work", "home", "other", "mobile", "fax", "pager"})


@dataclass(frozen=True, slots=True)
class AttributePath:
    """One attribute path; `urn` is None for the resource's own attributes, names are kept as they were written.

    `conditions` are pairs of sub-attribute and wanted text, in lower case; all of them have to hold.
    """

    text: str
    urn: str | None
    name: str
    conditions: tuple[tuple[str, str], ...]
    sub: str

    @property
    def wants_primary(self) -> bool:
        """Tell whether the path asks for the primary value and nothing else."""
        return self.conditions == (("primary", "true"),)


@lru_cache(maxsize=2048)
def parse(text: str) -> AttributePath:
    """Return the path that a text stands for; raises ValueError with a sentence for the person who typed it."""
    stripped = text.strip()
    if not stripped:
        raise ValueError(f"Enter the name of a SCIM attribute, for example {_EXAMPLES}.")
    if len(stripped) > MAX_PATH:
        raise ValueError(f"This is longer than a SCIM attribute can be ({MAX_PATH} characters).")
    match = _PATH.fullmatch(stripped)
    if match is None:
        raise ValueError(f"“{stripped}” is not a SCIM attribute. Examples: {_EXAMPLES}.")
    urn, name = match["urn"], match["name"]
    if _SCHEMA_ALONE.fullmatch(stripped):
        raise ValueError(f"“{stripped}” names a schema. Add a colon and the attribute’s name.")
    if name.lower() == "password":
        raise ValueError("A password cannot be mapped to a field.")
    conditions = () if match["filter"] is None else _conditions(stripped, match["filter"])
    own = urn is None or urn.lower() == CORE_USER.lower()
    return AttributePath(stripped, None if own else urn, name, conditions, match["sub"] or "value")


def values_of(resource: Mapping[str, Any], path: str | AttributePath) -> list[str]:
    """Return every value that a resource has at a path, as text; nothing there gives an empty list.

    Names and labels compare without case. A multi-valued or complex attribute without a sub-attribute gives its
    `value` (RFC 7643, section 2.4). Where the primary value is asked for, none is marked and there is exactly one,
    that one is meant: `primary` may be left out. Raises ValueError for a text that is no path.
    """
    wanted = parse(path) if isinstance(path, str) else path
    holder: Any = resource
    if wanted.urn is not None:
        holder = _member(resource, wanted.urn)
        if not isinstance(holder, Mapping):
            return []
    found = _member(holder, wanted.name)
    if found is None:
        return []
    entries = found if isinstance(found, list) else [found]
    if wanted.conditions:
        chosen = [entry for entry in entries if _fulfils(entry, wanted.conditions)]
        entries = entries if not chosen and len(entries) == 1 and wanted.wants_primary else chosen
    values = (_sub_value(entry, wanted.sub) for entry in entries)
    return [value for value in values if value is not None]


def attribute_names(resource: Mapping[str, Any]) -> list[str]:
    """Return the paths under which a resource has values, in its order and at most 200: names only, never values."""
    found: dict[str, None] = {}
    for name, value in resource.items():
        if len(found) >= MAX_NAMES:
            break
        if name.lower() in _NOT_OFFERED:
            continue
        if _ATTRIBUTE.fullmatch(name):
            found.update(dict.fromkeys(_paths_of(name, value)))
        elif isinstance(value, Mapping) and _SCHEMA.fullmatch(name) and name.lower() != CORE_USER.lower():
            for inner, held in value.items():
                if _ATTRIBUTE.fullmatch(inner) and inner.lower() not in _NOT_OFFERED:
                    found.update(dict.fromkeys(_paths_of(f"{name}:{inner}", held)))
    return [path for path in found if len(path) <= MAX_PATH and not _SCHEMA_ALONE.fullmatch(path)][:MAX_NAMES]


def _conditions(text: str, expression: str) -> tuple[tuple[str, str], ...]:
    if _TERMS.fullmatch(expression) is None:
        raise ValueError(f'“{text}”: what stands in brackets has to be like [type eq "work"] or [primary eq true].')
    return tuple(
        (term["name"].lower(), (term["word"] or term["text"]).lower()) for term in _CONDITION.finditer(expression)
    )


def _member(holder: Mapping[str, Any], name: str) -> Any:
    """Return a member by its name, compared without case (RFC 7643, section 2.1), or None."""
    if name in holder:
        return holder[name]
    lowered = name.lower()
    for key, value in holder.items():
        if key.lower() == lowered:
            return value
    return None


def _fulfils(entry: Any, conditions: Iterable[tuple[str, str]]) -> bool:
    if not isinstance(entry, Mapping):
        return False
    for name, wanted in conditions:
        value = _text(_member(entry, name))
        if value is None or value.lower() != wanted:
            return False
    return True


def _sub_value(entry: Any, sub: str) -> str | None:
    if isinstance(entry, Mapping):
        return _text(_member(entry, sub))
    return _text(entry) if sub.lower() == "value" else None


def _text(value: Any) -> str | None:
    """Return a simple value as text: booleans as JSON has them, whole numbers without a fraction."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, int | float):
        return str(value)
    return None


def _paths_of(name: str, value: Any) -> Iterable[str]:
    """Return the paths below one attribute."""
    if isinstance(value, Mapping):
        return [f"{name}.{sub}" for sub, held in value.items() if _ATTRIBUTE.fullmatch(sub) and _text(held) is not None]
    if isinstance(value, list):
        return [f"{name}{which}" for entry in value[:MAX_NAMES] for which in _which(entry)]
    return [name] if _text(value) is not None else []


def _which(entry: Any) -> Iterable[str]:
    """Return what follows the name of a multi-valued attribute on the way to the value of one entry."""
    if not isinstance(entry, Mapping):
        return [""] if _text(entry) is not None else []
    if _text(_member(entry, "value")) is None:
        return []
    ways = [".value"]
    label = _text(_member(entry, "type"))
    if label is not None and label.lower() in _TYPES:
        ways.insert(0, f'[type eq "{label.lower()}"].value')
    if _text(_member(entry, "primary")) == "true":
        ways.insert(0, "[primary eq true].value")
    return ways
