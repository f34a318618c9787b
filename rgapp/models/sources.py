"""Which source gave which field of a person, kept short: a source that gave several fields stands there once.

A file gives a person five fields at one moment; written out five times they would be most of her row.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Dialect, TypeDecorator

from rgapp.models.base import JSONType

Packed = list[tuple[Any, list[str]]]


class FieldSources(TypeDecorator[dict[str, Any]]):
    """`{field: source}` to whoever reads it, `[[source, [field, …]], …]` in the database."""

    impl = JSONType
    cache_ok = True

    def process_bind_param(self, value: Mapping[str, Any] | None, dialect: Dialect) -> Packed | None:
        """Return what is kept."""
        return None if value is None else pack(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> dict[str, Any] | None:
        """Return the source of each field."""
        return None if value is None else unpack(value)


def pack(sources: Mapping[str, Any]) -> Packed:
    """Return the sources with their fields, each once."""
    packed: Packed = []
    for field, source in sources.items():
        fields = next((fields for known, fields in packed if known == source), None)
        if fields is None:
            packed.append((source, [field]))
        else:
            fields.append(field)
    return packed


def unpack(kept: Any) -> dict[str, Any]:
    """Return the source of each field; rows that are older than this form have that already."""
    if isinstance(kept, dict):
        return kept
    return {field: source for source, fields in kept for field in fields}
