"""Employees become rows: which of them are meant today, and what stands in the mapped fields."""

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from enum import Enum
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

    `today` is the day in the programme's time zone. A `full` pull names only those who are meant.
    """

    def __init__(self, settings: BambooSettings, today: date, *, full: bool = True) -> None:
        self.full = full
        self._names = [source.names for source in settings.mapping.sources.values()]
        self._today = today
        filters = settings.filters.model_dump()
        self._filters = [(FILTERED[name], frozenset(map(_key, values))) for name, values in filters.items() if values]
        mapped = settings.mapping.names
        self.wanted = list(dict.fromkeys([ID, STATUS, HIRED, LEFT, *(place for place, _ in self._filters), *mapped]))
        # Somebody who has not left has no last day: how many have one says nothing.
        self._counted = [name for name in self.wanted if name not in {ID, LEFT}]
        self.filled: Counter[str] = Counter(dict.fromkeys(self._counted, 0))
        self.looked_at = 0
        self.people = 0
        self.next_day: date | None = None

    def row(self, number: int, key: str | None, record: Mapping[str, Any]) -> tuple[FeedRow, Standing]:
        """Return an employee's row, with her standing; the row of somebody who is not meant says that she is gone."""
        values = {name: text(record.get(name)) for name in self.wanted}
        standing = self._standing(values)
        if standing in {Standing.HERE, Standing.NOT_MEANT}:
            self.looked_at += 1
            for name in self._counted:
                if values[name] is not None:
                    self.filled[name] += 1
        here = standing is Standing.HERE
        self.people += here
        cells = tuple(
            next((found for name in names if (found := values[name]) is not None), None) for names in self._names
        )
        return FeedRow(number, cells, here, key), standing

    def unreadable(self, number: int, key: str | None) -> FeedRow:
        """Return the row of somebody who is listed while her own record is not shown: she stays as she is."""
        self.people += 1
        problem = RowProblem(RowFault.UNREADABLE_RECORD, "", f"employee {key}" if key else "", listed=True)
        return FeedRow(number, (None,) * len(self._names), None, key, problem)

    def _standing(self, values: Mapping[str, str | None]) -> Standing:
        hired, left = _day(values[HIRED]), _day(values[LEFT])
        if left is not None and hired is not None and left < hired:
            left = None  # It ended an earlier employment.
        if hired is not None and hired > self._today:
            self._note(hired)
            return Standing.NOT_BEGUN
        if left is not None and left < self._today:
            return Standing.LEFT
        if left is not None:
            self._note(left + timedelta(days=1))
        elif (values[STATUS] or "").casefold() == INACTIVE:
            return Standing.LEFT
        meant = all(_key(values[place] or "") in among for place, among in self._filters)
        return Standing.HERE if meant else Standing.NOT_MEANT

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
