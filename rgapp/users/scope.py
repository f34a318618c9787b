"""What a reader of the list asks for: in which programmes, and whom."""

import unicodedata
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, select

from rgapp.models import Programme, User, UserStatus
from rgapp.provisioning import Source
from rgapp.provisioning.validation import name_key

LONGEST_SEARCH = 200
MOST_WORDS = 6
# Without a search, listing across more programmes than this would read all of them for one page.
MOST_PROGRAMMES = 20


@dataclass(frozen=True)
class Scope:
    """Which programmes a list covers: these, or all of them where `programme_ids` is None."""

    programme_ids: tuple[uuid.UUID, ...] | None
    wide: bool = False

    @property
    def is_single(self) -> bool:
        """Tell whether this is one programme."""
        return self.programme_ids is not None and len(self.programme_ids) == 1

    def condition(self) -> ColumnElement[bool]:
        """Return the condition on users; always one that starts an index, as each begins with the programme."""
        if self.programme_ids is None:
            return User.programme_id.in_(select(Programme.id))
        if self.is_single:
            return User.programme_id == self.programme_ids[0]
        return User.programme_id.in_(self.programme_ids)

    def programmes(self, statement: Select[Any]) -> Select[Any]:
        """Narrow a selection of programmes to these."""
        return statement if self.programme_ids is None else statement.where(Programme.id.in_(self.programme_ids))


@dataclass(frozen=True)
class UserFilter:
    """What a reader asked for; a `group` belongs to the one programme of the list."""

    search: str = ""
    status: UserStatus | None = None
    source: Source | None = None
    incomplete: bool = False
    group: uuid.UUID | None = None

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
    def has_filters(self) -> bool:
        """Tell whether the list is narrowed to some kinds of people."""
        return bool(self.status or self.source or self.incomplete)

    @property
    def is_empty(self) -> bool:
        """Tell whether everybody is asked for."""
        return not (self.words or self.has_filters or self.group)


def scope_of(programmes: Sequence[Programme], *, sees_all: bool) -> Scope:
    """Return the scope of somebody who chose no programme, from the first programmes that they may see."""
    wide = len(programmes) > MOST_PROGRAMMES
    if sees_all:
        return Scope(None, wide)
    return Scope(tuple(programme.id for programme in programmes), wide)
