"""Read the cells of many rows as `mapping.read_record` reads a record, without its cost where a value is plainly right.

A pattern accepts what the rules would accept for sure; everything else goes through the rules themselves. Names and
dates of birth come again and again, so what became of them is remembered.
"""

import re
from collections.abc import Callable, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from rgapp.provisioning.mapping import FieldRule, Rules, read_field
from rgapp.provisioning.record import (
    UNSET,
    Field,
    FieldReading,
    InvalidValue,
    PersonRecord,
    Problem,
    ProblemCode,
    Reading,
    SourceRecord,
)
from rgapp.provisioning.validation import EMAIL_LENGTH, check_date_of_birth, email_key, read_email

Cell = str | date | None

VALUES_REMEMBERED = 30_000
LOCAL_PART_LENGTH = 64
ISO_DATE = "%Y-%m-%d"
PLAIN_IDENTIFIER = re.compile(r"[!-~](?:[ -~]{0,62}[!-~])?").fullmatch
PLAIN_ADDRESS = re.compile(r"([A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*)@([A-Za-z0-9.-]+)").fullmatch


class Flaw(NamedTuple):
    """A mapped field that gave no value: why, and what stood there."""

    field: Field
    problem: Problem
    raw: str


class Line(NamedTuple):
    """One person as a row of a feed gives her, read: every value good, or None where the row says nothing.

    `key` is what the feed calls her; `user_id` whom it has meant by that so far. `born` is in ISO form. `gaps` are the
    fields without a value that are mapped, with the code of the reason. A `changed` row says something else than it did
    before: only then does it bring back somebody who was taken out by hand.
    """

    number: int
    key: str
    membership_no: str | None
    email: str | None
    first_name: str | None
    last_name: str | None
    born: str | None
    active: bool | None
    changed: bool
    user_id: str | None
    gaps: Sequence[Sequence[str]] = ()
    digest: str = ""
    row_digest: str | None = None
    known: bool = False

    @property
    def address_key(self) -> str | None:
        """Return the address as it is compared."""
        return email_key(self.email) if self.email else None

    def reading(self, rules: Rules) -> Reading:
        """Return the reading that one-by-one provisioning would have of it."""
        gaps: dict[str, str] = dict(self.gaps)  # type: ignore[arg-type]  # They are pairs, as lists from JSON.
        values: dict[Field, Any] = {
            Field.MEMBERSHIP_NO: self.membership_no,
            Field.EMAIL: self.email,
            Field.FIRST_NAME: self.first_name,
            Field.LAST_NAME: self.last_name,
            Field.DATE_OF_BIRTH: date.fromisoformat(self.born) if self.born else None,
        }
        fields = tuple(_as_read(field, values[field], rules.get(field), gaps.get(field)) for field in Field)
        said: dict[str, Any] = {field.value: UNSET if value is None else value for field, value in values.items()}
        active = UNSET if self.active is None else self.active
        return Reading(f"row {self.number}", PersonRecord(**said, active=active), fields)


def _as_read(field: Field, value: Any, rule: FieldRule | None, code: str | None) -> FieldReading:
    name = rule.name if rule else None
    if value is not None:
        return FieldReading(field, name, value=value)
    if rule is None and not field.mandatory:
        return FieldReading(field, None)
    return FieldReading(field, name, problem=Problem(ProblemCode(code or ProblemCode.MISSING)))


class CellReader:
    """Reads rows whose cells stand in the order of `rules`; `today` bounds dates of birth."""

    def __init__(self, rules: Rules, today: date) -> None:
        self._rules = rules
        self._today = today
        places = {field: place for place, field in enumerate(rules)}
        self.membership_no_at = places[Field.MEMBERSHIP_NO]
        self.email_at = places[Field.EMAIL]
        self._others = [places.get(field) for field in (Field.FIRST_NAME, Field.LAST_NAME, Field.DATE_OF_BIRTH)]
        remembered = lru_cache(maxsize=VALUES_REMEMBERED)
        self._first: Callable[[Cell], Any] = remembered(lambda raw: self._by_the_rules(Field.FIRST_NAME, raw))
        self._last: Callable[[Cell], Any] = remembered(lambda raw: self._by_the_rules(Field.LAST_NAME, raw))
        self._born: Callable[[Cell], Any] = remembered(self._birth)

    def read(self, cells: Sequence[Cell]) -> tuple[tuple[str | None, ...], tuple[Flaw, ...]]:
        """Return the five values, in our order of fields and dates in ISO form, and why one of them is None."""
        flaws: list[Flaw] = []
        raw = cells[self.membership_no_at]
        number = raw if raw.__class__ is str and PLAIN_IDENTIFIER(raw) else None
        if number is None:
            number, flaw = self._by_the_rules(Field.MEMBERSHIP_NO, raw)
            flaws += flaw
        raw = cells[self.email_at]
        email = raw if raw.__class__ is str and _is_plain_address(raw) else None
        if email is None:
            email, flaw = self._by_the_rules(Field.EMAIL, raw)
            flaws += flaw
        others: list[str | None] = []
        for place, read in zip(self._others, (self._first, self._last, self._born), strict=True):
            if place is None:
                others.append(None)
                continue
            value, flaw = read(cells[place])
            others.append(value)
            if flaw:
                flaws += flaw
        return (number, email, *others), tuple(flaws)

    def _birth(self, raw: Cell) -> tuple[str | None, tuple[Flaw, ...]]:
        """Read a date of birth; one that came as a date needs no format."""
        if not isinstance(raw, date):
            return self._by_the_rules(Field.DATE_OF_BIRTH, raw)
        try:
            return check_date_of_birth(raw, ISO_DATE, self._today).isoformat(), ()
        except InvalidValue as verdict:
            flaw = Flaw(Field.DATE_OF_BIRTH, Problem(verdict.code, verdict.data), raw.isoformat())
            return None, (flaw,)

    def _by_the_rules(self, field: Field, raw: Cell) -> tuple[str | None, tuple[Flaw, ...]]:
        rule = self._rules[field]
        text = raw.isoformat() if isinstance(raw, date) else raw
        record = SourceRecord("", {} if text is None else {rule.name: [text]})
        found = read_field(field, record, rule, self._today)
        if found.problem is not None:
            return None, (Flaw(field, found.problem, found.raw[0] if found.raw else ""),)
        value: Any = found.value
        return value.isoformat() if isinstance(value, date) else value, ()


def _is_plain_address(raw: str) -> bool:
    found = PLAIN_ADDRESS(raw)
    return (
        found is not None and len(raw) <= EMAIL_LENGTH and len(found[1]) <= LOCAL_PART_LENGTH and _is_domain(found[2])
    )


@lru_cache(maxsize=10_000)
def _is_domain(name: str) -> bool:
    """Tell whether there can be addresses at this domain: a company has a few of them and thousands of people."""
    try:
        read_email(f"a@{name}")
    except InvalidValue:
        return False
    return True
