"""Filters (RFC 7644 section 3.4.2.2) as conditions in SQL, which mean what `ScimFilter.match` means.

A condition may be unknown to the database where an attribute is missing. Unknown is as good as false: `and` and `or`
keep it that way, and `not` says so itself.
"""

from functools import lru_cache
from inspect import isclass
from typing import Any

from scim2_models import AttributeBinding, BaseModel, InvalidFilterException, Resource, ScimFilter
from scim2_models.path import (
    AttrPath,
    CompareOperator,
    Comparison,
    FilterNode,
    FilterVisitor,
    LogicalExpr,
    LogicalOperator,
    Not,
    Present,
    ValuePath,
)
from sqlalchemy import and_, false, not_, or_, true

from rgapp.scim.attributes import Attributes, Complex, Fixed, Many, Scalar
from rgapp.scim.comparing import Condition, compare, present
from rgapp.scim.json_sql import DIALECTS, as_bool

#: A long filter of a real client names some ten attributes.
MOST_TERMS = 100
#: What fits into an address (RFC 9110 section 4.1), with some room.
LONGEST_FILTER = 8000
USUAL_LENGTH = 300


def condition_of(scim_filter: str, model: type[Resource[Any]], kind: str, dialect: str) -> tuple[Condition, bool]:
    """Return a filter as a condition on the resources of one type, and whether it needs the users' own table.

    Those of usual length are kept: clients page through what one filter finds. Raises `InvalidFilterException` for what
    cannot be compared, and for too many comparisons.
    """
    made = _kept if len(scim_filter) <= USUAL_LENGTH else _made
    return made(scim_filter, model, kind, dialect)


def _made(scim_filter: str, model: type[Resource[Any]], kind: str, dialect: str) -> tuple[Condition, bool]:
    bound: ScimFilter[Any] = ScimFilter[model](scim_filter)  # type: ignore[valid-type]  # Known at run time only.
    if _terms(bound.ast) > MOST_TERMS:
        raise InvalidFilterException(detail=f"the filter has more than {MOST_TERMS} comparisons")
    attributes = Attributes(kind, DIALECTS[dialect])
    return _Compiler(model, attributes).visit(bound.ast), attributes.of_people


_kept = lru_cache(maxsize=500)(_made)


def check_length(scim_filter: object) -> None:
    """Refuse a filter that would take long to read; raises `InvalidFilterException`."""
    if isinstance(scim_filter, str) and len(scim_filter) > LONGEST_FILTER:
        raise InvalidFilterException(detail=f"the filter is longer than {LONGEST_FILTER} characters")


def _terms(node: FilterNode) -> int:
    if isinstance(node, LogicalExpr):
        return sum(_terms(term) for term in node.terms)
    if isinstance(node, Not):
        return _terms(node.expr)
    return _terms(node.val_filter) if isinstance(node, ValuePath) else 1


class _Conditions(FilterVisitor[Condition]):
    """What conditions on a resource and on one entry of an attribute have in common."""

    def visit_not(self, node: Not) -> Condition:
        return not_(as_bool(self.visit(node.expr)))

    def visit_logical_expr(self, node: LogicalExpr) -> Condition:
        terms = [self.visit(term) for term in node.terms]
        return and_(*terms) if node.op is LogicalOperator.and_ else or_(*terms)


class _Compiler(_Conditions):
    """Conditions on a resource."""

    def __init__(self, model: type[BaseModel], attributes: Attributes) -> None:
        self.model, self.attributes = model, attributes

    def visit_comparison(self, node: Comparison) -> Condition:
        binding = _bound(self.model, node.attr_path, comparison=True)
        if binding is None:
            return false()
        place = self.attributes.place_of(binding)
        if isinstance(place, Many):
            return self._compare_many(place, binding, node)
        if isinstance(place, Complex):
            return _compare_complex(place.there, node)
        return compare(self.attributes.sql, place, binding, node)

    def _compare_many(self, place: Many, binding: AttributeBinding, node: Comparison) -> Condition:
        """Compare each entry: one that matches is enough; `ne` holds where no entry is equal."""
        if isclass(binding.target_type) and issubclass(binding.target_type, BaseModel):
            return _compare_entries(place, node)
        sub = place.sub(self.attributes.sub_name(binding))
        sql, equal = self.attributes.sql, CompareOperator.eq
        if node.value is None:
            without = or_(not_(place.there), place.any(compare(sql, sub, binding, _with(node, equal))))
            if node.op is equal:
                return without
            return not_(without) if node.op is CompareOperator.ne else false()
        if node.op is CompareOperator.ne:
            return not_(place.any(compare(sql, sub, binding, _with(node, equal))))
        return place.any(compare(sql, sub, binding, node))

    def visit_present(self, node: Present) -> Condition:
        binding = _bound(self.model, node.attr_path)
        if binding is None:
            return false()
        place = self.attributes.place_of(binding)
        if isinstance(place, Many):
            if binding.sub_field_name is None:
                return place.any(place.present)
            return place.any(present(place.sub(self.attributes.sub_name(binding))))
        return place.present if isinstance(place, Complex) else present(place)

    def visit_value_path(self, node: ValuePath) -> Condition:
        binding = _bound(self.model, node.attr_path)
        if binding is None:
            return false()
        place = self.attributes.place_of(binding)
        if not isinstance(place, Many):
            raise InvalidFilterException(detail=f"'{binding.urn}' has no values to choose from")
        return place.any(_EntryCompiler(self.attributes, place, binding).visit(node.val_filter))


class _EntryCompiler(_Conditions):
    """Conditions on one entry of a multi-valued attribute: what stands in brackets."""

    def __init__(self, attributes: Attributes, place: Many, of: AttributeBinding) -> None:
        self.attributes, self.place, self.of = attributes, place, of

    def _sub(self, path: AttrPath) -> tuple[Scalar | Fixed, AttributeBinding] | None:
        kind = self.of.field_type
        if not (isclass(kind) and issubclass(kind, BaseModel)):
            # A value that is not complex is called `value` itself.
            return (self.place.sub(None), self.of) if path.attr.lower() == "value" and not path.sub_attr else None
        binding = _bound(kind, path)
        return None if binding is None else (self.place.sub(kind._scim_name(binding.field_name)), binding)

    def visit_comparison(self, node: Comparison) -> Condition:
        found = self._sub(node.attr_path)
        return false() if found is None else compare(self.attributes.sql, *found, node)

    def visit_present(self, node: Present) -> Condition:
        found = self._sub(node.attr_path)
        return false() if found is None else present(found[0])


def _bound(model: type[BaseModel], path: AttrPath, *, comparison: bool = False) -> AttributeBinding | None:
    """Return the attribute that a path names, None where the type does not declare it: nothing of it matches then."""
    bound: ScimFilter[Any] = ScimFilter[model]("id pr")  # type: ignore[valid-type]  # Known at run time only.
    return (bound.resolve_comparison if comparison else bound.resolve)(path, strict=False)


def _with(node: Comparison, op: CompareOperator) -> Comparison:
    return Comparison(node.attr_path, op, node.value)


def _compare_complex(there: Condition, node: Comparison) -> Condition:
    """Compare an attribute that has no value of its own: it only is there, or not."""
    if node.op is CompareOperator.eq and node.value is None:
        return not_(there)
    if node.op is CompareOperator.ne:
        return there if node.value is None else true()
    return false()


def _compare_entries(place: Many, node: Comparison) -> Condition:
    """Compare entries that have no value of their own: none of them equals anything."""
    if node.op is CompareOperator.eq and node.value is None:
        return not_(place.there)
    if node.op is CompareOperator.ne:
        return place.there if node.value is None else true()
    return false()
