"""Identifier check: whether what a directory calls the Membership No. is what the people already here are called."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from rgapp.models import Integration, User

MOST_LOOKED_AT: Final = 200
MOST_EXAMPLES: Final = 5
_SHAPES: Final = (
    ("object ids", re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)),
    ("e-mail addresses", re.compile(r"[^@\s]+@[^@\s]+")),
    ("Okta’s user ids", re.compile(r"00u[0-9A-Za-z]{17}")),
    ("numbers", re.compile(r"[0-9]+")),
    ("numbers with letters", re.compile(r"(?=.*[0-9])[A-Za-z0-9./_-]+")),
    ("names", re.compile(r"[A-Za-z.\s'_-]+")),
)


@dataclass(frozen=True)
class Claimed:
    """What the client calls one person: the Membership No., and the address to tell whom it means."""

    number: str
    email_key: str | None
    person: str


@dataclass(frozen=True)
class Known:
    """One person who is here: the Membership No., and who gave it."""

    number: str
    person: str
    source: str


@dataclass(frozen=True)
class IdentifierCheck:
    """How many of the people a client named are here under the same Membership No.

    `claimed` begins with those who are not. `by_address` are here under another number: they have the same e-mail
    address. `known` are a few people whom others brought, `stale` is how many requests came under another mapping.
    """

    attribute: str
    claimed: Sequence[Claimed]
    matching: int
    by_address: Sequence[tuple[Claimed, Known]]
    known: Sequence[Known]
    stale: int = 0

    @property
    def total(self) -> int:
        """Return how many people the client named."""
        return len(self.claimed)

    @property
    def verdict(self) -> str:
        """Return `nothing` to compare, `nobody` here yet, `ok`, `some` or `none`."""
        if not self.claimed:
            return "nothing"
        if not self.matching:
            return "none" if self.known or self.by_address else "nobody"
        return "some" if self.by_address else "ok"

    @property
    def their_shape(self) -> str:
        """Return what the client's Membership Nos. look like: "object ids"."""
        return shape_of(one.number for one in self.claimed)

    @property
    def our_shape(self) -> str:
        """Return what the Membership Nos. of the people here look like."""
        return shape_of(one.number for one in self.known)

    @property
    def examples(self) -> Sequence[Claimed]:
        """Return a few of what the client sent, those that are not here first."""
        return self.claimed[:MOST_EXAMPLES]


def shape_of(numbers: Iterable[str]) -> str:
    """Return what most of these identifiers look like, empty where there are none."""
    shapes = Counter(next((words for words, form in _SHAPES if form.fullmatch(one)), "other text") for one in numbers)
    return shapes.most_common(1)[0][0] if shapes else ""


def compare(
    session: Session, integration: Integration, claimed: Sequence[Claimed], *, attribute: str, stale: int = 0
) -> IdentifierCheck:
    """Compare what a directory calls people, each once, with the people of the programme."""
    wanted = list(claimed)[:MOST_LOOKED_AT]
    here = _people(session, integration, wanted)
    numbers = {known.number for known, _ in here}
    by_address = {key: known for known, key in here if key}
    others = [one for one in wanted if one.number not in numbers]
    moved = [(one, by_address[one.email_key]) for one in others if one.email_key and one.email_key in by_address]
    return IdentifierCheck(
        attribute=attribute,
        claimed=[*others, *(one for one in wanted if one.number in numbers)],
        matching=len(wanted) - len(others),
        by_address=moved,
        known=_others_brought(session, integration),
        stale=stale,
    )


def _people(session: Session, integration: Integration, wanted: Sequence[Claimed]) -> list[tuple[Known, str | None]]:
    """Return who is here under one of these numbers or addresses, each by its own index."""
    if not wanted:
        return []
    columns = User.membership_no, User.email_key, User.first_name, User.last_name, User.source
    mine = User.programme_id == integration.programme_id
    addresses = [one.email_key for one in wanted if one.email_key]
    rows = [
        *session.execute(select(*columns).where(mine, User.membership_no.in_([one.number for one in wanted]))),
        *(session.execute(select(*columns).where(mine, User.email_key.in_(addresses))) if addresses else ()),
    ]
    return [(_known(row), row.email_key) for row in rows]


def _others_brought(session: Session, integration: Integration) -> list[Known]:
    """Return a few people whom this integration did not create."""
    found = session.execute(
        select(User.membership_no, User.first_name, User.last_name, User.source, User.source_integration_id)
        .where(User.programme_id == integration.programme_id)
        .order_by(User.membership_no)
        .limit(MOST_LOOKED_AT)
    )
    return [_known(row) for row in found if row.source_integration_id != integration.id][:MOST_EXAMPLES]


def _known(row: Any) -> Known:
    name = " ".join(part for part in (row.first_name, row.last_name) if part)
    return Known(row.membership_no, name or row.membership_no, row.source)
