"""Kinds of people in a list, by programme, status, source and gaps: how many there are, and where an index has them."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Boolean, ColumnElement, String, Subquery, and_, false, func, literal, select, true, union_all
from sqlalchemy.orm import Session

from rgapp.models import Programme, User, UserStatus
from rgapp.paging import unindexed, unlikely
from rgapp.provisioning import Source
from rgapp.users.scope import Scope, UserFilter

# Counting on takes time that grows with the programme; beyond this number nobody needs the exact one.
MOST_COUNTED = 10_000


@dataclass(frozen=True)
class Kind:
    """People of one programme who pass the same filters, and how many: one more than `MOST_COUNTED` at most."""

    programme_id: uuid.UUID
    status: str
    source: str
    incomplete: bool
    count: int

    def condition(self) -> ColumnElement[bool]:
        """Return the condition on users, of whom there are few: a place in one index, in the order of their coming."""
        return and_(
            User.programme_id == self.programme_id,
            unlikely(User.status == self.status),
            User.source == self.source,
            User.incomplete.is_(self.incomplete),
        )


def filters(wanted: UserFilter) -> list[ColumnElement[bool]]:
    """Return the filters as conditions on people who are gone through in order of their names."""
    conditions: list[ColumnElement[bool]] = []
    if wanted.status:
        conditions.append(unindexed(User.status) == wanted.status)
    if wanted.source:
        conditions.append(unindexed(User.source) == wanted.source)
    if wanted.incomplete:
        conditions.append(unindexed(User.incomplete).is_(True))
    return conditions


def walked(wanted: UserFilter) -> list[ColumnElement[bool]]:
    """Return the filters as conditions of which no database guesses that few pass, and that it had better sort them.

    PostgreSQL multiplies how frequent each value is, so it takes leavers by hand for few though all leavers are.
    """
    return [func.coalesce(condition, false()) for condition in filters(wanted)]


def passes(one: Any, wanted: UserFilter) -> bool:
    """Tell whether people of a kind, or a single one, pass the filters."""
    return (
        wanted.status in (None, one.status)
        and wanted.source in (None, one.source)
        and (one.incomplete or not wanted.incomplete)
    )


@dataclass
class Facets:
    """How many people each filter would show, given the others; `partial` where a search did not look at all."""

    programmes: dict[uuid.UUID, int] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    sources: dict[str, int] = field(default_factory=dict)
    incomplete: int = 0
    total: int = 0
    partial: bool = False

    def add(self, kind: Kind, wanted: UserFilter, chosen: uuid.UUID | None) -> None:
        """Count people of one kind under each filter that would show them."""
        programme = chosen in (None, kind.programme_id)
        status = wanted.status in (None, kind.status)
        source = wanted.source in (None, kind.source)
        gaps = kind.incomplete or not wanted.incomplete
        if status and source and gaps:
            _more(self.programmes, kind.programme_id, kind.count)
        if programme and source and gaps:
            _more(self.statuses, kind.status, kind.count)
        if programme and status and gaps:
            _more(self.sources, kind.source, kind.count)
        if programme and status and source:
            self.incomplete += kind.count if kind.incomplete else 0
            self.total += kind.count if gaps else 0


def _more(counts: dict[Any, int], key: Any, count: int) -> None:
    counts[key] = counts.get(key, 0) + count


def facets(
    kinds: Iterable[Kind], wanted: UserFilter, chosen: uuid.UUID | None = None, *, partial: bool = False
) -> Facets:
    """Add the kinds up; `chosen` is the programme picked within the scope."""
    found = Facets(partial=partial)
    for kind in kinds:
        found.add(kind, wanted, chosen)
    return found


def kinds_in(session: Session, scope: Scope) -> list[Kind]:
    """Count everybody in the scope by kind, each as far as `MOST_COUNTED`, in one query that reads one index."""
    programmes = scope.programmes(select(Programme.id.label("value"))).subquery("programmes")
    statuses = _values("statuses", [status.value for status in UserStatus], String(10))
    sources = _values("sources", [source.value for source in Source], String(20))
    gaps = _values("gaps", [False, True], Boolean())
    some = (
        select(literal(1).label("one"))
        .where(
            User.programme_id == programmes.c.value,
            User.status == statuses.c.value,
            User.source == sources.c.value,
            User.incomplete == gaps.c.value,
        )
        .limit(MOST_COUNTED + 1)
        .correlate(programmes, statuses, sources, gaps)
        .subquery("some")
    )
    count = select(func.count()).select_from(some).correlate(programmes, statuses, sources, gaps).scalar_subquery()
    every = programmes.join(statuses, true()).join(sources, true()).join(gaps, true())
    everything = select(programmes.c.value, statuses.c.value, sources.c.value, gaps.c.value, count).select_from(every)
    return [Kind(*row) for row in session.execute(everything) if row[-1]]


def _values(name: str, values: Sequence[Any], kind: Any) -> Subquery:
    return union_all(*(select(literal(value, kind).label("value")) for value in values)).subquery(name)
