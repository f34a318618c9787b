"""Read the cells of many rows as `mapping.read_record` reads a record, without its cost where a value is plainly right.

A pattern accepts what the rules would accept for sure; everything else goes through the rules themselves. Names and
dates of birth come again and again, so what became of them is remembered.
"""

import re
from collections.abc import Sequence
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
# Membership No., e-mail, first and last name, date of birth in ISO form.
Values = tuple[str | None, str | None, str | None, str | None, str | None]

VALUES_REMEMBERED = 30_000
ISO_DATE = "%Y-%m-%d"
PLAIN_IDENTIFIER = re.compile(r"[!-~](?:[ -~]{0,62}[!-~])?").fullmatch
PLAIN_NAME = re.compile(r"[A-Za-z](?:[A-Za-z .'-]{0,48}[A-Za-z.'-])?").fullmatch
PLAIN_ADDRESS = re.compile(r"(?=[^@]{1,64}@)[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@[A-Za-z0-9.-]+").fullmatch


class Flaw(NamedTuple):
    """A mapped field that gave no value: why, and what stood there."""

    field: Field
    problem: Problem
    raw: str


class Line(NamedTuple):
    """One person as a row of a feed gives her, read: every value good, or None where the row says nothing.

    `key` is what the feed calls her; `user_id` whom it has meant by that so far. `born` is in ISO form. `gaps` are the
    fields without a value that are mapped, with the code of the reason. A `changed` row says something else than it did
    before: only then does it bring back somebody who was taken out by hand. A `fresh` line names nobody that we knew
    when we looked, and takes nobody's address.
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
    fresh: bool = False

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


Found = tuple[str | None, tuple[Flaw, ...]]


class CellReader:
    """Reads rows whose cells stand in the order of `rules`; `today` bounds dates of birth."""

    def __init__(self, rules: Rules, today: date) -> None:
        self._rules = rules
        self._today = today
        places = {field: place for place, field in enumerate(rules)}
        self.membership_no_at = places[Field.MEMBERSHIP_NO]
        self.email_at = places[Field.EMAIL]
        self._first_at = places.get(Field.FIRST_NAME, -1)
        self._last_at = places.get(Field.LAST_NAME, -1)
        self._born_at = places.get(Field.DATE_OF_BIRTH, -1)
        self._firsts: dict[Cell, Found] = {}
        self._lasts: dict[Cell, Found] = {}
        self._births: dict[Cell, Found] = {}

    def read(self, cells: Sequence[Cell]) -> tuple[Values, tuple[Flaw, ...]]:
        """Return the five values, in our order of fields and dates in ISO form, and why one of them is None."""
        flaws: tuple[Flaw, ...] = ()
        number: Any = cells[self.membership_no_at]
        if number.__class__ is not str or not PLAIN_IDENTIFIER(number):
            number, flaws = self._by_the_rules(Field.MEMBERSHIP_NO, number)
        email: Any = cells[self.email_at]
        if email.__class__ is not str or not _is_plain_address(email):
            email, flaw = self._by_the_rules(Field.EMAIL, email)
            flaws += flaw
        first = last = born = None
        if self._first_at >= 0:
            cell = cells[self._first_at]
            first, flaw = self._firsts.get(cell) or self._remember(Field.FIRST_NAME, cell, self._firsts)
            flaws += flaw
        if self._last_at >= 0:
            cell = cells[self._last_at]
            last, flaw = self._lasts.get(cell) or self._remember(Field.LAST_NAME, cell, self._lasts)
            flaws += flaw
        if self._born_at >= 0:
            cell = cells[self._born_at]
            born, flaw = self._births.get(cell) or self._remember(Field.DATE_OF_BIRTH, cell, self._births)
            flaws += flaw
        return (number, email, first, last, born), flaws

    def _remember(self, field: Field, cell: Cell, found: dict[Cell, Found]) -> Found:
        if len(found) >= VALUES_REMEMBERED:
            found.clear()
        made: Found
        if field is Field.DATE_OF_BIRTH:
            made = self._birth(cell)
        elif isinstance(cell, str) and PLAIN_NAME(cell):
            made = cell, ()
        else:
            made = self._by_the_rules(field, cell)
        found[cell] = made
        return made

    def membership_no(self, raw: Cell) -> str | None:
        """Return the Membership No. in a cell, None where it cannot be read."""
        return self._by_the_rules(Field.MEMBERSHIP_NO, raw)[0]

    def _birth(self, raw: Cell) -> Found:
        """Read a date of birth; one that came as a date needs no format."""
        if not isinstance(raw, date):
            return self._by_the_rules(Field.DATE_OF_BIRTH, raw)
        try:
            return check_date_of_birth(raw, ISO_DATE, self._today).isoformat(), ()
        except InvalidValue as verdict:
            flaw = Flaw(Field.DATE_OF_BIRTH, Problem(verdict.code, verdict.data), raw.isoformat())
            return None, (flaw,)

    def _by_the_rules(self, field: Field, raw: Cell) -> Found:
        rule = self._rules[field]
        text = raw.isoformat() if isinstance(raw, date) else raw
        record = SourceRecord("", {} if text is None else {rule.name: [text]})
        found = read_field(field, record, rule, self._today)
        if found.problem is not None:
            return None, (Flaw(field, found.problem, found.raw[0] if found.raw else ""),)
        value: Any = found.value
        return value.isoformat() if isinstance(value, date) else value, ()


def _is_plain_address(raw: str) -> bool:
    return PLAIN_ADDRESS(raw) is not None and len(raw) <= EMAIL_LENGTH and _is_domain(raw[raw.index("@") + 1 :])


@lru_cache(maxsize=10_000)
def _is_domain(name: str) -> bool:
    """Tell whether there can be addresses at this domain: a company has a few of them and thousands of people."""
    try:
        read_email(f"a@{name}")
    except InvalidValue:
        return False
    return True
