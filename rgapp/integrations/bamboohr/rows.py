"""Employees become rows: which of them are meant today, and what stands in the mapped fields."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from enum import Enum
from operator import itemgetter
from typing import Any, Final

from rgapp.integrations.bamboohr.fields import COUNTRY, DEPARTMENT, EMPLOYMENT_TYPE, HIRED, ID, LEFT, STATUS
from rgapp.integrations.bamboohr.settings import BambooSettings
from rgapp.integrations.pulls.values import text
from rgapp.integrations.sync.feed import FeedRow, RowFault, RowProblem

INACTIVE: Final = "inactive"
FILTERED: Final = {
    "status": STATUS,
    "employment_type": EMPLOYMENT_TYPE,
    "country": COUNTRY,
    "department": DEPARTMENT,
}


class Standing(Enum):
    """Where somebody stands today."""

    HERE = "here"
    NOT_MEANT = "not_meant"
    NOT_BEGUN = "not_begun"
    LEFT = "left"


class Rows:
    """Makes rows for one pull, counts what is filled, and notes the next day on which somebody begins or has left.

    `today` is the day in the programme's time zone.
    """

    def __init__(self, settings: BambooSettings, today: date) -> None:
        self._today, self._today_text = today, today.isoformat()
        filters = settings.filters.model_dump()
        chosen = [(FILTERED[name], frozenset(map(_key, values))) for name, values in filters.items() if values]
        mapped = settings.mapping.names
        self.wanted = list(dict.fromkeys([ID, STATUS, HIRED, LEFT, *(place for place, _ in chosen), *mapped]))
        at = {name: index for index, name in enumerate(self.wanted)}
        self._status, self._hired, self._left = at[STATUS], at[HIRED], at[LEFT]
        self._filters = [(at[place], among) for place, among in chosen]
        sources = list(settings.mapping.sources.values())
        # The Membership No. and the e-mail address are always mapped, so this returns a tuple.
        self._take = itemgetter(*(at[source.field] for source in sources))
        self._otherwise = [
            (index, at[source.otherwise]) for index, source in enumerate(sources) if source.otherwise is not None
        ]
        self._width = len(sources)
        # Somebody who has not left has no last day: how many have one says nothing.
        self._counted = [(at[name], name) for name in self.wanted if name not in {ID, LEFT}]
        self._missing = [0] * len(self.wanted)
        self.looked_at = 0
        self.people = 0
        self.next_day: date | None = None

    @property
    def filled(self) -> dict[str, int]:
        """Return how many of those who were looked at have each field."""
        return {name: self.looked_at - self._missing[at] for at, name in self._counted}

    def row(
        self, number: int, key: str | None, record: Mapping[str, Any], names: Sequence[str] | None = None
    ) -> tuple[FeedRow, Standing]:
        """Return an employee's row, with her standing; the row of somebody who is not meant says that she is gone.

        `names` are those of the wanted fields in this record, in their order, where they have others there.
        """
        values = list(map(text, map(record.get, self.wanted if names is None else names)))
        standing = self._standing(values)
        if standing is Standing.HERE or standing is Standing.NOT_MEANT:
            self.looked_at += 1
            if values.count(None) > (values[self._left] is None):
                for at, value in enumerate(values):
                    self._missing[at] += value is None
        here = standing is Standing.HERE
        self.people += here
        cells = self._take(values)
        for index, other in self._otherwise:
            if cells[index] is None and values[other] is not None:
                cells = (*cells[:index], values[other], *cells[index + 1 :])
        return FeedRow(number, cells, here, key), standing

    def unreadable(self, number: int, key: str | None) -> FeedRow:
        """Return the row of somebody who is listed while her own record is not shown: she stays as she is."""
        self.people += 1
        problem = RowProblem(RowFault.UNREADABLE_RECORD, "", f"employee {key}" if key else "", listed=True)
        return FeedRow(number, (None,) * self._width, None, key, problem)

    def _standing(self, values: Sequence[str | None]) -> Standing:
        first, last = values[self._hired], values[self._left]
        hired = None
        # Days are written so that text compares as they do; they are read only where that says something.
        if first is not None and (last is not None or first > self._today_text):
            hired = _day(first)
        left = _day(last)
        if left is not None and hired is not None and left < hired:
            left = None  # It ended an earlier employment.
        if hired is not None and hired > self._today:
            self._note(hired)
            return Standing.NOT_BEGUN
        if left is not None and left < self._today:
            return Standing.LEFT
        if left is not None:
            self._note(left + timedelta(days=1))
        elif (status := values[self._status]) is not None and status.casefold() == INACTIVE:
            return Standing.LEFT
        for at, among in self._filters:
            if _key(values[at] or "") not in among:
                return Standing.NOT_MEANT
        return Standing.HERE

    def _note(self, day: date) -> None:
        self.next_day = day if self.next_day is None else min(self.next_day, day)


def _key(value: str) -> str:
    return " ".join(value.casefold().split())


def _day(value: str | None) -> date | None:
    """Return a day as BambooHR writes it; None for what is no day."""
    try:
        return date.fromisoformat(value[:10]) if value else None
    except ValueError:
        return None
