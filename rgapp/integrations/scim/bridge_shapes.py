"""What a resource of ours looks like (RFC 7643, section 2), read off its model once: names, kinds, how many values."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from inspect import isclass
from types import MappingProxyType
from typing import Any, Final

from scim2_models import Extension, Mutability, Reference, Resource
from scim2_models.base import BaseModel


class Kind(StrEnum):
    """What an attribute holds, as far as a client may get it wrong; `OTHER` is text that must not be empty."""

    STRING = "string"
    BOOLEAN = "boolean"
    COMPLEX = "complex"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute or sub-attribute; `subs` by name in lower case."""

    name: str
    kind: Kind
    multi: bool
    read_only: bool
    subs: Mapping[str, "Attribute"]


#: Names of before the RFCs (SCIM 1.1), which OneLogin's template and older jobs of Entra's still use in SCIM 2.0.
OLD_NAMES: Final = {
    "urn:scim:schemas:core:1.0": {
        "urn:ietf:params:scim:schemas:core:2.0:user",
        "urn:ietf:params:scim:schemas:core:2.0:group",
    },
    "urn:scim:schemas:extension:enterprise:1.0": {"urn:ietf:params:scim:schemas:extension:enterprise:2.0:user"},
}
_NO_SUBS: Final[Mapping[str, Attribute]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Schema:
    """The attributes that one schema declares, by name in lower case."""

    urn: str
    attributes: Mapping[str, Attribute]


@dataclass(frozen=True, slots=True)
class Shape:
    """A resource type: its own schema, and its extensions by URN in lower case."""

    core: Schema
    extensions: Mapping[str, Schema]

    def schema(self, urn: str | None) -> Schema | None:
        """Return the schema with a URN, compared without case, or with its old name; the resource's own for None."""
        if urn is None:
            return self.core
        for name in (urn.lower(), *OLD_NAMES.get(urn.lower(), ())):
            if name == self.core.urn.lower():
                return self.core
            if name in self.extensions:
                return self.extensions[name]
        return None

    def extension(self, name: str) -> Schema | None:
        """Return the extension whose URN or old name this is."""
        found = self.schema(name) if ":" in name else None
        return None if found is self.core else found

    def knows(self, urn: str) -> bool:
        """Tell whether a URN is a schema of this resource type, or an attribute of one."""
        lowered = urn.lower()
        return any(
            lowered == known or lowered.startswith((f"{known}:", f"{known}."))
            for known in (self.core.urn.lower(), *self.extensions)
        )


@lru_cache(maxsize=64)
def shape_of(model: type[Resource[Any]]) -> Shape:
    """Return the shape of a resource model with its extensions."""
    extensions = {
        str(urn).lower(): Schema(str(urn), _attributes(extension))
        for urn, extension in model.get_extension_models().items()
    }
    return Shape(Schema(str(model.__schema__), _attributes(model)), extensions)


def _attributes(model: type[BaseModel]) -> dict[str, Attribute]:
    found = {}
    for field in model.model_fields:
        held = model.get_field_root_type(field)
        if isclass(held) and issubclass(held, Extension):
            continue
        name = model.model_fields[field].serialization_alias or field
        found[name.lower()] = Attribute(
            name=name,
            kind=_kind(held),
            multi=model.get_field_multiplicity(field),
            read_only=model.get_field_annotation(field, Mutability) == Mutability.read_only,
            subs=_attributes(held) if isclass(held) and issubclass(held, BaseModel) else _NO_SUBS,
        )
    return found


def _kind(held: type | None) -> Kind:
    if not isclass(held):
        return Kind.OTHER
    if issubclass(held, BaseModel):
        return Kind.COMPLEX
    if held is bool:
        return Kind.BOOLEAN
    return Kind.STRING if issubclass(held, str) and not issubclass(held, Reference) else Kind.OTHER
