"""When a pull is due, and whether it reads everybody: days are those of the programme's time zone."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

HOUR: Final = timedelta(hours=1)
WEEK: Final = timedelta(days=7)


class Schedule(StrEnum):
    """How often an integration pulls by itself."""

    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


def due(schedule: Schedule, last: datetime | None, now: datetime, zone: ZoneInfo) -> bool:
    """Tell whether the next pull should begin, after one at `last`; all but hourly ones come with the new day.

    A monthly one comes on the same day of the next month, or on its last day where that month is shorter.
    """
    if last is None:
        return True
    if schedule is Schedule.HOURLY:
        return now - last >= HOUR
    before, today = last.astimezone(zone).date(), now.astimezone(zone).date()
    if schedule is Schedule.DAILY:
        return today > before
    if schedule is Schedule.WEEKLY:
        return today - before >= WEEK
    months = (today.year - before.year) * 12 + today.month - before.month
    is_last_day = (today + timedelta(days=1)).month != today.month
    return months > 1 or (months == 1 and (today.day >= before.day or is_last_day))


def wants_full(schedule: Schedule, last_full: datetime | None, now: datetime, zone: ZoneInfo) -> bool:
    """Tell whether a scheduled pull has to read everybody: the first one of each day does, and all but hourly ones."""
    if schedule is not Schedule.HOURLY or last_full is None:
        return True
    return now.astimezone(zone).date() > last_full.astimezone(zone).date()
