"""A pull from BambooHR: everybody by the pages of the employee dataset, or only those who changed, one by one.

Where the dataset is not open to us, or lacks a mapped field, everybody is listed and then read one by one. Pages that
moved while they were read are read again from the first; after the last page it is asked who changed meanwhile.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

from rgapp.integrations.bamboohr import ahead
from rgapp.integrations.bamboohr.api import Bamboo
from rgapp.integrations.bamboohr.datasets import PAGE, Page
from rgapp.integrations.bamboohr.errors import BambooError
from rgapp.integrations.bamboohr.fields import ID, STATUS, asked_as, known_as
from rgapp.integrations.bamboohr.rows import INACTIVE, Rows, Standing
from rgapp.integrations.bamboohr.settings import BambooSettings
from rgapp.integrations.pulls.store import PullStore
from rgapp.integrations.pulls.values import text
from rgapp.integrations.sync.feed import Pulled

# A change may be listed some time after it was made; the clock is that of the other side.
OVERLAP: Final = timedelta(minutes=2)
# So many full readings in which people moved between pages are enough.
MOST_READINGS: Final = 3
# Of more changes than this, and than this part of all people, reading everybody is cheaper.
FEW_CHANGES: Final = 50
PART_CHANGED: Final = 50
DELETED: Final = "Deleted"
# A list of changes that reaches further back is not relied on.
LONGEST_GAP: Final = timedelta(days=8)
# Where it is less likely than this that nobody of those who changed has a field, by how many had it before, the field
# may be hidden: then everybody is read, so that the run can be held.
UNLIKELY: Final = 0.05


class _Moved(Exception):
    """People moved between pages while they were read."""


@dataclass
class Reader:
    """Reads one pull.

    `now` is our time, `today` the day in the programme's time zone. `alive` takes the share, and `known` tells who of
    some ids were there after the pull before.
    """

    bamboo: Bamboo
    settings: BambooSettings
    now: datetime
    today: date
    earlier: Pulled | None = None
    alive: Callable[[float | None], None] = lambda share: None
    known: Callable[[Collection[str]], Collection[str]] = lambda keys: ()
    page_size: int = PAGE
    _places: Mapping[str, str] = field(default_factory=dict)
    _wanted: Sequence[str] = ()

    def pull(self, store: PullStore) -> tuple[bool, Pulled]:
        """Read into a store; returns whether everybody was read, and what the pull says of itself.

        Raises `BambooError`.
        """
        self._wanted = Rows(self.settings, self.today).wanted
        self._places = self.bamboo.places(self._wanted)
        began = self.bamboo.calls.answered_at or self.now
        changed = self._changed()
        if changed is not None and self.earlier is not None:
            said = self._only(changed, store, began, self.earlier)
            if said is not None:
                return False, said
            store.begin()
        for reading in range(MOST_READINGS):
            try:
                return True, self._everybody(store, began)
            except _Moved:
                if reading + 1 == MOST_READINGS:
                    raise BambooError("moving") from None
                store.begin()
                began = self.bamboo.calls.answered_at or self.now
        raise AssertionError

    def _changed(self) -> Mapping[str, str] | None:
        """Return who changed since the pull before, with what happened; None where everybody has to be read.

        Who begins, or was there for the last time, on a day that has come meanwhile did not change on it.
        """
        if self.earlier is None or "since" not in self.earlier.marks:
            return None
        next_day = self.earlier.marks.get("next_day")
        if next_day and next_day <= _iso(self.today):
            return None
        since = datetime.fromisoformat(self.earlier.marks["since"])
        if self.now - since > LONGEST_GAP:
            return None
        actions = self._actions(since - OVERLAP)
        if actions is None or len(actions) > max(FEW_CHANGES, self.earlier.people // PART_CHANGED):
            return None
        return actions

    def _actions(self, since: datetime) -> Mapping[str, str] | None:
        """Return who changed since a moment; None where we may not ask for that."""
        try:
            return self.bamboo.changed(since).actions
        except BambooError as error:
            if error.code != "no_permission":
                raise
            return None

    def _only(self, changed: Mapping[str, str], store: PullStore, began: datetime, before: Pulled) -> Pulled | None:
        """Read those who changed.

        Returns None where everybody has to be read to tell: somebody who was there is gone or not shown, or a field
        seems to be hidden that was seen before. Changes of people who are no longer shown, and were not there either,
        mean nothing.
        """
        rows, keyed = Rows(self.settings, self.today), self._has_keys()
        gone: list[str] = []
        for number, (key, action) in enumerate(sorted(changed.items()), 1):
            record = self._record(key) if action != DELETED else None
            if record is not None:
                store.add(rows.row(number, key if keyed else None, record)[0])
            elif keyed:
                gone.append(key)
            elif action != DELETED:
                store.add(rows.unreadable(number, None))
            self.alive(number / len(changed))
        if gone and self.known(gone):
            return None
        if before.looked_at and any(
            not filled and (1 - before.filled.get(name, 0) / before.looked_at) ** rows.looked_at < UNLIKELY
            for name, filled in rows.filled.items()
        ):
            return None
        days = [day for day in (before.marks.get("next_day"), _iso(rows.next_day)) if day]
        marks = {**before.marks, "since": began.isoformat(), "next_day": min(days, default=None)}
        return Pulled(before.people, before.looked_at, before.filled, marks)

    def _everybody(self, store: PullStore, began: datetime) -> Pulled:
        rows = Rows(self.settings, self.today)
        if not self._is_in_dataset() or not self._pages(store, rows, began):
            self._one_by_one(store, rows)
        marks = {"since": began.isoformat(), "full_at": self.now.isoformat(), "next_day": _iso(rows.next_day) or None}
        return Pulled(rows.people, rows.looked_at, dict(rows.filled), marks)

    def _pages(self, store: PullStore, rows: Rows, began: datetime) -> bool:
        """Read the dataset, page by page; returns False where it does not take the question.

        Where somebody who was read goes out while the rest is read, the rest moves forward, and the first of the next
        page is missed. Raises `_Moved` then, and where anything else shows that pages moved.
        """
        seen: set[str] = set()
        names = [self._places.get(name, "") for name in rows.wanted]
        place = self._places.get(ID)
        total: int | None = None
        number = got = 0
        with closing(ahead.pages(self._page, self.page_size, lambda: self.alive(None))) as pages:
            for page in pages:
                number += 1
                if page is None and number == 1:
                    return False
                if page is None:
                    raise BambooError("not_bamboohr", host=self.bamboo.calls.host)
                if number > 1 and page.total != total:
                    raise _Moved
                total = page.total
                for record in page.rows:
                    key = text(record.get(place)) if place is not None else None
                    if key is not None:
                        known_as(key, self.bamboo.calls.host)
                        if key in seen:
                            raise _Moved
                        seen.add(key)
                    got += 1
                    row, standing = rows.row(got, key, record, names)
                    if standing is Standing.HERE:
                        store.add(row)
                self.alive(got / total if total else None)
        if (total is not None and got != total) or (number > 1 and self._went_out(seen, began)):
            raise _Moved
        return True

    def _page(self, number: int) -> Page | None:
        return self.bamboo.page(self._places, number, size=self.page_size)

    def _went_out(self, seen: set[str], began: datetime) -> bool:
        """Tell whether somebody of these may have gone out of the dataset since a moment."""
        changes = {key: action for key, action in (self._actions(began) or {}).items() if key in seen}
        if len(changes) > FEW_CHANGES or DELETED in changes.values():
            return True
        found = [self._record(key) for key in changes]
        return any(record is None or (text(record[STATUS]) or "").casefold() == INACTIVE for record in found)

    def _one_by_one(self, store: PullStore, rows: Rows) -> None:
        listed = list(dict.fromkeys(self.bamboo.listed()))
        for number, key in enumerate(listed, 1):
            record = self._record(key)
            if record is None:
                store.add(rows.unreadable(number, key))
            else:
                row, standing = rows.row(number, key, record)
                if standing is Standing.HERE:
                    store.add(row)
            self.alive(number / len(listed))

    def _record(self, key: str) -> dict[str, Any] | None:
        """Return what is wanted of one person's record, None where it is not shown."""
        fields = self.bamboo.known_fields()
        asked = {name: asked_as(name, fields) for name in self._wanted if name != ID}
        found = self.bamboo.record(key, [each for names in asked.values() for each in names])
        if found is None:
            return None
        return {ID: key} | {
            name: next((found[each] for each in names if text(found.get(each)) is not None), None)
            for name, names in asked.items()
        }

    def _is_in_dataset(self) -> bool:
        """Tell whether the dataset gives every field that is wanted and that there is."""
        known = {each.name for each in self.bamboo.known_fields()}
        if ID in self.settings.mapping.names and ID not in self._places:
            return False
        return bool(self._places) and not any(
            name in known and name not in self._places for name in self._wanted if name != ID
        )

    def _has_keys(self) -> bool:
        """Tell whether people are known by their id in full pulls: the dataset may not have it."""
        return not self._is_in_dataset() or ID in self._places


def _iso(day: date | None) -> str:
    return day.isoformat() if day is not None else ""
