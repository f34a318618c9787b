"""The list of users: search, filters with counts, and order, always inside the programmes that the reader may see."""

import unicodedata
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVarTuple

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, union
from sqlalchemy.orm import InstrumentedAttribute, Session

from rgapp.models import Programme, SignInAttempt, User, UserStatus
from rgapp.paging import Key, Page, fetch
from rgapp.provisioning import Source
from rgapp.provisioning.validation import name_key
from rgapp.tokens import read_reference

Columns = TypeVarTuple("Columns")

LONGEST_SEARCH = 200
MOST_WORDS = 6
# Greater than every character that a name or an address can have; prefixes become ranges that an index answers.
LAST_CHARACTER = "\U0010ffff"
EXPORT_BATCH = 1000
# Without a search, listing across more programmes than this would read all of them for one page.
MOST_PROGRAMMES = 20

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
DEFAULT_SORT = "name"


@dataclass(frozen=True)
class Scope:
    """Which programmes a list covers: these, or all of them where `programme_ids` is None."""

    programme_ids: tuple[uuid.UUID, ...] | None
    wide: bool = False

    def condition(self) -> ColumnElement[bool]:
        """Return the condition on users; always one that starts an index, as each begins with the programme."""
        if self.programme_ids is None:
            return User.programme_id.in_(select(Programme.id))
        if len(self.programme_ids) == 1:
            return User.programme_id == self.programme_ids[0]
        return User.programme_id.in_(self.programme_ids)


@dataclass(frozen=True)
class UserFilter:
    """What a reader asked for."""

    search: str = ""
    status: UserStatus | None = None
    source: Source | None = None
    incomplete: bool = False

    @property
    def words(self) -> list[str]:
        """Return the words to look for, as they are compared."""
        return [name_key(word) for word in self.typed_words]

    @property
    def typed_words(self) -> list[str]:
        """Return the words as they were typed: Membership Nos. keep their case."""
        plain = unicodedata.normalize("NFC", self.search[:LONGEST_SEARCH]).replace("\x00", " ")
        return plain.split()[:MOST_WORDS]

    @property
    def is_empty(self) -> bool:
        """Tell whether everybody is asked for."""
        return not (self.words or self.status or self.source or self.incomplete)


@dataclass
class Facets:
    """How many people each filter would show, given the others."""

    programmes: dict[uuid.UUID, int] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    sources: dict[str, int] = field(default_factory=dict)
    incomplete: int = 0
    total: int = 0

    def add(self, count: int, *, programme: uuid.UUID, status: str, source: str, gaps: bool, fits: "Fits") -> None:
        """Count people of one kind under each filter that would show them."""
        if fits.status and fits.source and fits.gaps:
            _more(self.programmes, programme, count)
        if fits.programme and fits.source and fits.gaps:
            _more(self.statuses, status, count)
        if fits.programme and fits.status and fits.gaps:
            _more(self.sources, source, count)
        if fits.programme and fits.status and fits.source:
            self.incomplete += count if gaps else 0
            self.total += count if fits.gaps else 0


@dataclass(frozen=True)
class Fits:
    """Which filters people of one kind pass."""

    programme: bool
    status: bool
    source: bool
    gaps: bool


def _more(counts: dict[Any, int], key: Any, count: int) -> None:
    counts[key] = counts.get(key, 0) + count


def page_of(
    session: Session, scope: Scope, wanted: UserFilter, *, sort: str, after: str | None, before: str | None
) -> Page[User]:
    """Return one page of users."""
    return fetch(session, _filtered(scope, wanted), SORTS.get(sort, SORTS[DEFAULT_SORT]), after=after, before=before)


def facets_of(session: Session, scope: Scope, wanted: UserFilter, *, chosen: uuid.UUID | None = None) -> Facets:
    """Count in one query, which a covering index answers; `chosen` is the programme picked within the scope."""
    kinds = (User.programme_id, User.status, User.source, User.incomplete)
    found = _searched(select(*kinds, func.count()), scope, wanted).group_by(*kinds)
    facets = Facets()
    for programme, status, source, gaps, count in session.execute(found):
        fits = Fits(
            programme=chosen in (None, programme),
            status=wanted.status in (None, status),
            source=wanted.source in (None, source),
            gaps=gaps or not wanted.incomplete,
        )
        facets.add(count, programme=programme, status=status, source=source, gaps=gaps, fits=fits)
    return facets


def export_batch(session: Session, scope: Scope, wanted: UserFilter, after: str | None) -> Page[User]:
    """Return one batch of an export, by name; an export is read in many short transactions, for it may take minutes."""
    return fetch(session, _filtered(scope, wanted), SORTS[DEFAULT_SORT], after=after, size=EXPORT_BATCH)


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


def scope_of(programmes: Sequence[Programme], *, sees_all: bool) -> Scope:
    """Return the scope of somebody who chose no programme, from the first programmes that they may see."""
    wide = len(programmes) > MOST_PROGRAMMES
    if sees_all:
        return Scope(None, wide)
    return Scope(tuple(programme.id for programme in programmes), wide)


def _filtered(scope: Scope, wanted: UserFilter) -> Select[User]:
    statement = _searched(select(User), scope, wanted)
    if wanted.status:
        statement = statement.where(User.status == wanted.status)
    if wanted.source:
        statement = statement.where(User.source == wanted.source)
    if wanted.incomplete:
        statement = statement.where(User.incomplete)
    return statement


def _searched(statement: Select[*Columns], scope: Scope, wanted: UserFilter) -> Select[*Columns]:
    """Narrow to the scope, and to the people whom every word of the search fits.

    Candidates come from ranges over the indexed keys, and their rows are looked up by key; only among them the words
    are looked at one by one, there also inside a name ("berg" in "van der berg").
    """
    words, typed = wanted.words, wanted.typed_words
    if not words:
        return statement.where(scope.condition())
    starts = [_starts(word, raw) for word, raw in zip(words, typed, strict=True)]
    ranges = [condition for conditions in starts for condition in conditions]
    if len(words) > 1:
        phrase = " ".join(words)
        ranges += [_prefix(User.last_key, phrase), _prefix(User.first_key, phrase)]
        for begin, word in zip(starts, words, strict=True):
            statement = statement.where(or_(*begin, *_inside(word)))
    branches = (select(User.programme_id, User.id).where(scope.condition(), found) for found in ranges)
    candidates = union(*branches).subquery("candidates")
    same = and_(User.programme_id == candidates.c.programme_id, User.id == candidates.c.id)
    return statement.select_from(candidates.join(User, same))


def _starts(word: str, typed: str) -> list[ColumnElement[bool]]:
    """Return the conditions that one of a person's keys begins with a word; Membership Nos. in the usual cases."""
    numbers = sorted({typed, typed.upper(), typed.lower()})
    return [
        _prefix(User.first_key, word),
        _prefix(User.last_key, word),
        _prefix(User.email_key, word),
        *(_prefix(User.membership_no, number) for number in numbers),
    ]


def _prefix(column: InstrumentedAttribute[Any], text: str) -> ColumnElement[bool]:
    return and_(column >= text, column < text + LAST_CHARACTER)


def _inside(word: str) -> list[ColumnElement[bool]]:
    """Return the conditions that a later part of a name begins with a word."""
    return [
        column.contains(before + word, autoescape=True) for column in (User.first_key, User.last_key) for before in " -"
    ]
