"""The list of users: pages and counts, always inside the programmes that the reader may see, at the cost of one page.

Whatever is asked for, an index gives the beginning of it; nothing here grows with the number of people but the end of a
long list under a filter, behind which an index is read on in vain.
"""

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session

from rgapp.models import Programme, SignInAttempt, User
from rgapp.paging import Key, Page, cut, fetch
from rgapp.tokens import read_reference
from rgapp.users import groups, kinds, search
from rgapp.users.kinds import MOST_COUNTED, Facets, Kind, passes
from rgapp.users.scope import Scope, UserFilter

Place = tuple[uuid.UUID, uuid.UUID]  # Programme and user.
EXPORT_BATCH = 1000
# Orders that no index has, and kinds of people: so many are sorted for one page at most.
MOST_SORTED = 5_000

SORTS: dict[str, tuple[Key, ...]] = {
    "name": (Key(User.last_key), Key(User.first_key), Key(User.id)),
    "-name": (Key(User.last_key, True), Key(User.first_key, True), Key(User.id, True)),
    "number": (Key(User.membership_no), Key(User.id)),
    "-number": (Key(User.membership_no, True), Key(User.id, True)),
    "email": (Key(User.email_key, nullable=True), Key(User.id)),
    "-email": (Key(User.email_key, True, nullable=True), Key(User.id, True)),
    "seen": (Key(User.last_sign_in_at, nullable=True), Key(User.id)),
    "-seen": (Key(User.last_sign_in_at, True, nullable=True), Key(User.id, True)),
}
EVERY_KEY = tuple(key for name in ("name", "number", "email", "seen") for key in SORTS[name])
DEFAULT_SORT = "name"
BY_NAME = ("name", "-name")
BY_NUMBER = ("number", "-number")


class Listing:
    """A list in one scope under one filter: what it holds by kind is counted once, then pages know where to look."""

    def __init__(self, session: Session, scope: Scope, wanted: UserFilter, *, within: Scope | None = None) -> None:
        """Count; `within` is the wider scope whose programmes are counted beside it."""
        self.session, self.scope, self.wanted = session, scope, wanted
        self.counted = within or scope
        self.found = self._look()
        self.kinds = search.kinds_of(self.found.people) if self.found else kinds.kinds_in(session, self.counted)

    def _look(self) -> search.Found | None:
        """Return everybody whom words or a small group leave, None where an index is walked instead."""
        words, group = self.wanted.words, self.wanted.group
        found = search.look_up(self.session, self.counted, self.wanted, EVERY_KEY) if words else None
        if group is None:
            return found
        programme = self._programme()
        if found is not None:
            return search.Found(groups.among(self.session, programme, group, found.people), found.partial)
        people = groups.members(self.session, programme, group, EVERY_KEY)
        return search.Found(people, partial=False) if people is not None else None

    def _programme(self) -> uuid.UUID:
        """Return the one programme of a list that is narrowed to a group."""
        if self.scope.programme_ids is None or not self.scope.is_single:
            raise ValueError("a group belongs to one programme")
        return self.scope.programme_ids[0]

    def facets(self) -> Facets:
        """Return how many people each filter would show."""
        chosen = self.scope.programme_ids[0] if self.scope.programme_ids and self.counted != self.scope else None
        if self.found is None and self.wanted.group is not None:
            some = groups.sample(self.session, self._programme(), self.wanted.group)
            return kinds.facets(search.kinds_of(some), self.wanted, chosen, partial=len(some) > MOST_COUNTED)
        return kinds.facets(self.kinds, self.wanted, chosen, partial=self.found is not None and self.found.partial)

    def sorts(self) -> set[str]:
        """Return the orders in which this list can be shown: those of an index, and every one where it is short."""
        if self.found is not None or sum(kind.count for kind in self._fitting()) <= MOST_SORTED:
            return set(SORTS)
        plain = self.scope.is_single and not self.wanted.has_filters
        return {*BY_NAME, *(BY_NUMBER if plain else ())}

    def page(self, sort: str = DEFAULT_SORT, *, after: str | None = None, before: str | None = None) -> Page[User]:
        """Return one page of users; by name where the order asked for is not to be had."""
        keys = SORTS[sort if sort in self.sorts() else DEFAULT_SORT]
        if self.found is not None:
            return self._of_found(self.found.people, keys, after, before)
        parts, few = self._parts()
        if not parts and not few:
            return Page([])
        sparse = self.wanted.has_filters or self.wanted.group is not None
        return fetch(self.session, select(User), keys, after=after, before=before, parts=parts, few=few, sparse=sparse)

    def _of_found(
        self, people: Sequence[Any], keys: Sequence[Key], after: str | None, before: str | None
    ) -> Page[User]:
        """Return a page of the people found: they are ordered here, and the rows of the page are looked up."""
        fitting = [row for row in people if self._shows(row.programme_id) and passes(row, self.wanted)]
        page = cut(fitting, keys, after=after, before=before)
        users = users_by_id(self.session, [(row.programme_id, row.id) for row in page.rows])
        # Who was deleted in between is left out.
        found = (users.get((row.programme_id, row.id)) for row in page.rows)
        return Page([user for user in found if user is not None], page.next_cursor, page.prev_cursor)

    def _shows(self, programme: uuid.UUID) -> bool:
        return self.scope.programme_ids is None or programme in self.scope.programme_ids

    def _fitting(self) -> list[Kind]:
        return [kind for kind in self.kinds if passes(kind, self.wanted) and self._shows(kind.programme_id)]

    def _parts(self) -> tuple[list[ColumnElement[bool]], list[ColumnElement[bool]]]:
        """Return where the list's people are: programmes to be gone through in order, and kinds with few people.

        Up to `MOST_SORTED` people are found by kind and sorted, those of the smallest programmes first. A page of any
        other filtered programme is looked for in the index of names, where the filters stand too: of 10,000 in a
        million it is found after some 5,000 entries. The worst case is a filter that more people pass whose names stand
        together far from the cursor, like leavers at the end of the alphabet only: then the index is read up to them,
        at 0.1 to 0.3 microseconds an entry. Nothing of the table is read for that but, on PostgreSQL, what its VACUUM
        has not seen yet, at 0.6 microseconds.
        """
        by_programme: dict[uuid.UUID, list[Kind]] = {}
        for kind in self._fitting():
            by_programme.setdefault(kind.programme_id, []).append(kind)
        parts, few, left = list[ColumnElement[bool]](), list[ColumnElement[bool]](), MOST_SORTED
        walked = kinds.walked(self.wanted)
        for programme, some in sorted(by_programme.items(), key=lambda entry: sum(kind.count for kind in entry[1])):
            left -= sum(kind.count for kind in some)
            if self.wanted.has_filters and left >= 0:
                few += [kind.condition() for kind in some]
            else:
                parts.append(and_(User.programme_id == programme, *walked))
        if self.wanted.group is None:
            return parts, few
        inside = groups.is_member(self.wanted.group)
        return [and_(part, inside) for part in parts], [and_(some, inside) for some in few]


def export_batch(session: Session, scope: Scope, wanted: UserFilter, after: str | None) -> Page[User]:
    """Return one batch of an export, by name; an export is read in many short transactions, for it may take minutes.

    It holds everybody whom the search fits, however many.
    """
    return fetch(session, _all(scope, wanted), SORTS[DEFAULT_SORT], after=after, size=EXPORT_BATCH)


def users_by_id(session: Session, ids: Iterable[Place]) -> dict[Place, User]:
    """Return users by programme and id, in one query; ids of one programme stand together, so that the key is used."""
    by_programme: dict[uuid.UUID, list[uuid.UUID]] = {}
    for programme, identifier in ids:
        by_programme.setdefault(programme, []).append(identifier)
    same = [and_(User.programme_id == programme, User.id.in_(some)) for programme, some in by_programme.items()]
    if not same:
        return {}
    return {(user.programme_id, user.id): user for user in session.scalars(select(User).where(or_(*same)))}


def programmes_by_id(session: Session, users: Sequence[User]) -> dict[uuid.UUID, Programme]:
    """Return the programmes of these users, in one query."""
    ids = {user.programme_id for user in users}
    return {found.id: found for found in session.scalars(select(Programme).where(Programme.id.in_(ids)))}


def find_attempt(session: Session, scope: Scope, code: str) -> tuple[Programme, SignInAttempt] | None:
    """Return the sign-in attempt with this reference code, with its programme; None where there is none any more."""
    reference = read_reference(code)
    if reference is None:
        return None
    ids = select(Programme.id) if scope.programme_ids is None else scope.programme_ids
    found = session.execute(
        select(Programme, SignInAttempt)
        .join(SignInAttempt, SignInAttempt.programme_id == Programme.id)
        .where(SignInAttempt.programme_id.in_(ids), SignInAttempt.reference == reference)
        .limit(1)
    ).first()
    return (found[0], found[1]) if found is not None else None


def _all(scope: Scope, wanted: UserFilter) -> Select[Any]:
    """Select everybody in the scope whom words and filters fit."""
    everybody = select(User)
    statement = search.everybody(everybody, scope, wanted) if wanted.words else everybody.where(scope.condition())
    statement = statement.where(*kinds.filters(wanted))
    if wanted.group is not None:
        statement = statement.where(groups.is_member(wanted.group))
    return statement
