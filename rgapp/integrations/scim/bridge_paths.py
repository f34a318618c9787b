"""Attribute names in paths and filters (RFC 7644, sections 3.4.2.2 and 3.5.2): which attribute is meant, in full."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from scim2_models import Path, SCIMException, ScimFilter
from scim2_models.path import AttrPath, Comparison, FilterNode, LogicalExpr, Not, Present, ValuePath

from rgapp.integrations.scim.bridge_shapes import OLD_NAMES, Attribute, Kind, Shape

#: Longer ones are the library's business alone: nobody's client writes them by hand, and reading one twice costs.
MAX_READ: Final = 2048


@dataclass(frozen=True, slots=True)
class Target:
    """What a PATCH path leads to; `whole` is the path of the attribute without filter and sub-attribute."""

    text: str
    whole: str
    urn: str | None
    attribute: Attribute
    sub: Attribute | None
    filtered: bool


def read_path(shape: Shape, text: str) -> Target | None:
    """Return what a path leads to, its text in full; None where it is not ours to read."""
    if not text or len(text) > MAX_READ:
        return None
    try:
        node = Path(text).ast
        if isinstance(node, AttrPath):
            meant = _in_full([shape], node)
            found = replace(meant, sub_attr=None)
            sub_name, filtered = meant.sub_attr, False
        elif isinstance(node, ValuePath):
            found = _in_full([shape], node.attr_path)
            meant_selection = replace(node, attr_path=found)
            sub_name, filtered = node.sub_attr, True
        else:
            return None
    except (SCIMException, ValueError):
        return None
    schema = shape.schema(found.uri)
    attribute = schema.attributes.get(found.attr.lower()) if schema is not None else None
    if attribute is None or (sub_name is not None and sub_name.lower() not in attribute.subs):
        return None
    changed = found.uri != (node.uri if isinstance(node, AttrPath) else node.attr_path.uri)
    in_full = str(meant_selection) if filtered else str(meant)
    return Target(
        text=in_full if changed else text,
        whole=str(found),
        urn=found.uri,
        attribute=attribute,
        sub=None if sub_name is None else attribute.subs[sub_name.lower()],
        filtered=filtered,
    )


def standard_filter(shapes: Sequence[Shape], text: str) -> str:
    """Return a filter with its attribute names in full; one that cannot be read comes back as it is."""
    if len(text) > MAX_READ:
        return text
    try:
        node = ScimFilter(text).ast
        meant = _filter(shapes, node)
    except (SCIMException, ValueError):
        return text
    return text if meant == node else str(meant)


def _filter(shapes: Sequence[Shape], node: FilterNode) -> FilterNode:
    """Walk a filter; the library reads none that is nested deeper than 32 expressions."""
    if isinstance(node, LogicalExpr):
        return replace(node, terms=tuple(_filter(shapes, term) for term in node.terms))
    if isinstance(node, Not):
        return Not(_filter(shapes, node.expr))
    if isinstance(node, Comparison):
        return replace(node, attr_path=_compared(shapes, _in_full(shapes, node.attr_path)))
    return replace(node, attr_path=_in_full(shapes, node.attr_path)) if isinstance(node, Present | ValuePath) else node


def _in_full(shapes: Sequence[Shape], path: AttrPath) -> AttrPath:
    """Return a path with the URN of the extension that alone declares its attribute, and a colon after the URN."""
    name = path.attr.lower()
    if path.uri is None:
        if any(name in shape.core.attributes for shape in shapes):
            return path
        owners = {schema.urn for shape in shapes for schema in shape.extensions.values() if name in schema.attributes}
        return replace(path, uri=owners.pop()) if len(owners) == 1 else path
    if path.uri.lower() in OLD_NAMES:
        known = [schema.urn for shape in shapes if (schema := shape.schema(path.uri)) is not None]
        return replace(path, uri=known[0]) if known else path
    if path.sub_attr is None:
        return path
    for shape in shapes:
        schema = shape.schema(f"{path.uri}:{path.attr}")
        if schema is not None:
            return AttrPath(path.sub_attr, None, schema.urn)
    return path


def _compared(shapes: Sequence[Shape], path: AttrPath) -> AttrPath:
    """Return what a comparison with a complex attribute compares: its `value`, as with a multi-valued one."""
    for shape in shapes:
        schema = shape.schema(path.uri)
        attribute = schema.attributes.get(path.attr.lower()) if schema is not None else None
        if attribute is None:
            continue
        single = attribute.kind is Kind.COMPLEX and not attribute.multi
        return replace(path, sub_attr="value") if single and not path.sub_attr and "value" in attribute.subs else path
    return path
