"""The search for people: ranges of indexes give candidates, so many at most, and every word is checked on them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVarTuple

from sqlalchemy import ColumnElement, FromClause, Select, Subquery, and_, func, or_, select, true, union, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session

from rgapp.models import Programme, User
from rgapp.paging import Key
from rgapp.users.kinds import Kind
from rgapp.users.scope import Scope, UserFilter

Columns = TypeVarTuple("Columns")
Column = InstrumentedAttribute[Any] | ColumnElement[Any]

# Greater than every character that a name or an address can have; prefixes become ranges that an index answers.
LAST_CHARACTER = "\U0010ffff"
# So many people of one range are looked at; the page says so where there are more.
MOST_FOUND = 300
# So many entries of an index with both names are read for those whom the other words fit too.
MOST_READ = 1_500
NAMES: tuple[InstrumentedAttribute[Any], ...] = (User.last_key, User.first_key)
BY_NAME = ((User.last_key, NAMES), (User.first_key, NAMES[::-1]))


@dataclass(frozen=True)
class Range:
    """One range of one index, in that index's order; `others` are words to check on the names in the same index."""

    condition: ColumnElement[bool]
    order: tuple[InstrumentedAttribute[Any], ...]
    others: tuple[str, ...] = ()

    @property
    def most(self) -> int:
        """Return how many entries are read at most."""
        return MOST_READ if self.others else MOST_FOUND

    def entries(self, scope: Scope, *, most: int | None, lateral: bool = False) -> Select[Any]:
        """Select people of the range, in the index's order where the scope is one programme.

        Across programmes the order would make the database read and sort all of the range, so there is none. `lateral`
        looks into one programme after the other: PostgreSQL would read the table where it expects to be done soon.
        """
        columns = (User.programme_id, User.id, *(NAMES if self.others else ()))
        statement: Select[Any] = select(*columns).where(self.condition)
        if most is None or scope.is_single:
            statement = statement.where(scope.condition())
            return statement if most is None else statement.order_by(*self.order, User.id).limit(most)
        if not lateral:
            return statement.where(scope.condition()).limit(most)
        programmes = scope.programmes(select(Programme.id)).subquery()
        each = (
            statement.where(User.programme_id == programmes.c.id).order_by(*self.order, User.id).limit(most).lateral()
        )
        return select(each).select_from(programmes.join(each, true())).limit(most)

    def candidates(self, scope: Scope, *, bounded: bool, lateral: bool = False) -> Select[Any]:
        """Select the keys of the people whom the other words may fit too, and whether the range has yet more."""
        read = self.entries(scope, most=self.most if bounded else None, lateral=lateral).subquery()
        found: Select[Any] = select(read.c.programme_id, read.c.id)
        if bounded:
            found = found.add_columns((func.count().over() >= self.most).label("full"))
        if not self.others:
            return found
        if bounded:
            # What is counted is what was read, not what fits.
            read = found.add_columns(read.c.last_key, read.c.first_key).subquery()
            found = select(read.c.programme_id, read.c.id, read.c.full).limit(MOST_FOUND)
        for word in self.others:
            columns = (read.c.last_key, read.c.first_key)
            found = found.where(or_(*(_prefix(column, word) for column in columns), *_inside(word, columns)))
        return found


@dataclass(frozen=True)
class Found:
    """Whom a search found; `partial` where it did not look at everybody."""

    people: list[Any]
    partial: bool


def everybody(statement: Select[*Columns], scope: Scope, wanted: UserFilter) -> Select[*Columns]:
    """Narrow a selection of users to all whom every word of the search fits, however many are looked at."""
    candidates = union(*(found.candidates(scope, bounded=False) for found in ranges_of(wanted))).subquery("candidates")
    narrowed = statement.select_from(candidates.join(User, _same(User, candidates)))
    return narrowed.where(*_every_word(wanted, User))


def look_up(session: Session, scope: Scope, wanted: UserFilter, keys: Sequence[Key]) -> Found:
    """Return whom the search fits, in no order, with the values of these keys.

    Only among the candidates the words are looked at one by one, there also inside a name ("berg" in "van der berg").
    No more than `MOST_FOUND` people of each range are looked at, so that one letter costs no more than a name.
    """
    ranges = ranges_of(wanted)
    lateral = session.get_bind().dialect.name == "postgresql"
    branches = (found.candidates(scope, bounded=True, lateral=lateral) for found in ranges)
    candidates = union_all(*(select(branch.subquery()) for branch in branches)).subquery()
    people = _rows_of(candidates, lateral=lateral)
    names = ("programme_id", "id", "status", "source", "incomplete", *(key.column.key for key in keys))
    columns = [people.c[name] for name in dict.fromkeys(names)]
    found = select(candidates.c.full, *columns).select_from(candidates.join(people, _same(people.c, candidates)))
    rows = session.execute(found.where(*_every_word(wanted, people.c))).all()
    # Somebody may stand in several ranges.
    found_people = list({(row.programme_id, row.id): row for row in rows}.values())
    partial = any(row.full for row in rows) or (not rows and _read_in_part(session, scope, ranges, lateral))
    return Found(found_people, partial)


def kinds_of(people: Sequence[Any]) -> list[Kind]:
    """Count people by kind."""
    counts = Counter((row.programme_id, row.status, row.source, row.incomplete) for row in people)
    return [Kind(*kind, count) for kind, count in counts.items()]


def _rows_of(candidates: Subquery, *, lateral: bool) -> FromClause:
    """Return the users to join candidates with; `lateral` has each looked up by its key, as SQLite does by itself."""
    users = User.__table__.alias()
    if not lateral:
        return users
    return select(users).where(_same(users.c, candidates)).limit(1).lateral()


def _same(users: Any, candidates: Subquery) -> ColumnElement[bool]:
    return and_(users.programme_id == candidates.c.programme_id, users.id == candidates.c.id)


def _every_word(wanted: UserFilter, users: Any) -> list[ColumnElement[bool]]:
    """Return the condition of each word where there are several; one alone has its ranges and nothing else."""
    words = list(zip(wanted.words, wanted.typed_words, strict=True))
    names = (users.last_key, users.first_key)
    return [or_(*_starts(word, raw, users), *_inside(word, names)) for word, raw in words if len(words) > 1]


def _read_in_part(session: Session, scope: Scope, ranges: Sequence[Range], lateral: bool) -> bool:
    """Tell whether any range has more entries than are read; asked only where those gave nobody."""
    counts = [
        select((func.count() >= found.most).label("full")).select_from(
            found.entries(scope, most=found.most, lateral=lateral).subquery()
        )
        for found in ranges
        if found.others
    ]
    return bool(counts) and any(session.scalars(union_all(*counts)))


def ranges_of(wanted: UserFilter) -> list[Range]:
    """Return the ranges in which everybody is whom the search may mean."""
    words, typed = wanted.words, wanted.typed_words
    ranges = []
    for at, (word, raw) in enumerate(zip(words, typed, strict=True)):
        others = tuple(words[:at] + words[at + 1 :])
        ranges += [Range(_prefix(column, word), order, others) for column, order in BY_NAME]
        ranges.append(Range(_prefix(User.email_key, word), (User.email_key,)))
        ranges += [Range(_prefix(User.membership_no, number), (User.membership_no,)) for number in _numbers(raw)]
    return ranges + list(_whole_names(words))


def _whole_names(words: Sequence[str]) -> Iterator[Range]:
    """Yield exact places in the indexes of names: a name of several words, and one whole name with a part of the other.

    They find whom the bound on common names would cut off: "smith jane" among ten thousand Smiths.
    """
    if len(words) < 2:
        return
    phrase = " ".join(words)
    for order in (NAMES, NAMES[::-1]):
        yield Range(_prefix(order[0], phrase), order)
        for cut in range(1, len(words)):
            one, other = " ".join(words[:cut]), " ".join(words[cut:])
            yield Range(and_(order[0] == one, _prefix(order[1], other)), order)
            yield Range(and_(order[0] == other, _prefix(order[1], one)), order)


def _starts(word: str, typed: str, users: Any) -> list[ColumnElement[bool]]:
    """Return the conditions that one of a person's keys begins with a word."""
    return [
        *(_prefix(column, word) for column in (users.first_key, users.last_key, users.email_key)),
        *(_prefix(users.membership_no, number) for number in _numbers(typed)),
    ]


def _numbers(typed: str) -> list[str]:
    """Return a Membership No. in the usual cases; they are compared exactly."""
    return sorted({typed, typed.upper(), typed.lower()})


def _prefix(column: Column, text: str) -> ColumnElement[bool]:
    return and_(column >= text, column < text + LAST_CHARACTER)


def _inside(word: str, columns: Sequence[Column]) -> list[ColumnElement[bool]]:
    """Return the conditions that a later part of a name begins with a word."""
    return [column.contains(before + word, autoescape=True) for column in columns for before in " -"]
