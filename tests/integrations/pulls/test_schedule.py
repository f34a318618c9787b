"""When a pull is due, and when it reads everybody."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rgapp.integrations.pulls.schedule import Schedule, due, wants_full

LONDON = ZoneInfo("Europe/London")
ZONES = ("Europe/London", "America/New_York", "Asia/Kathmandu", "Pacific/Kiritimati", "UTC")


MOMENTS = st.datetimes(datetime.fromisoformat("2020-01-01"), datetime.fromisoformat("2030-01-01"))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "last", "now", "is_due"),
    [
        (Schedule.HOURLY, "2026-05-04T09:00", "2026-05-04T09:59", False),
        (Schedule.HOURLY, "2026-05-04T09:00", "2026-05-04T10:00", True),
        # A day begins at 23:00 UTC while London is an hour ahead.
        (Schedule.DAILY, "2026-05-04T09:00", "2026-05-04T22:59", False),
        (Schedule.DAILY, "2026-05-04T09:00", "2026-05-04T23:00", True),
        (Schedule.DAILY, "2026-01-04T09:00", "2026-01-04T23:00", False),
        (Schedule.WEEKLY, "2026-05-04T09:00", "2026-05-10T12:00", False),
        (Schedule.WEEKLY, "2026-05-04T09:00", "2026-05-10T23:00", True),
        (Schedule.MONTHLY, "2026-01-31T09:00", "2026-02-27T12:00", False),
        (Schedule.MONTHLY, "2026-01-31T09:00", "2026-02-28T00:00", True),
        (Schedule.MONTHLY, "2026-01-15T09:00", "2026-02-14T23:59", False),
        (Schedule.MONTHLY, "2026-01-15T09:00", "2026-02-15T00:00", True),
        (Schedule.MONTHLY, "2025-12-15T09:00", "2026-03-01T00:00", True),
    ],
)
def test_a_pull_is_due_by_the_days_of_the_programme(schedule: Schedule, last: str, now: str, is_due: bool) -> None:
    assert due(schedule, at(last), at(now), LONDON) is is_due


@pytest.mark.parametrize("schedule", Schedule)
def test_the_first_pull_is_due_at_once_and_reads_everybody(schedule: Schedule) -> None:
    assert due(schedule, None, at("2026-05-04T09:00"), LONDON)
    assert wants_full(schedule, None, at("2026-05-04T09:00"), LONDON)


@given(
    st.sampled_from(list(Schedule)),
    st.sampled_from(ZONES),
    MOMENTS,
    st.timedeltas(timedelta(0), timedelta(days=62)),
)
def test_what_is_due_stays_due_and_comes_within_its_time(
    schedule: Schedule, zone: str, last: datetime, later: timedelta
) -> None:
    """Once due a pull stays so; none waits for longer than its schedule, and a day that clocks change has 25 hours."""
    before, longest = last.replace(tzinfo=UTC), {"hourly": 1 / 24, "daily": 1.1, "weekly": 7.1, "monthly": 31.1}
    where = ZoneInfo(zone)
    if due(schedule, before, before + later, where):
        assert due(schedule, before, before + later + timedelta(hours=1), where)
    if later >= timedelta(days=longest[schedule.value]):
        assert due(schedule, before, before + later, where)


@given(st.sampled_from(ZONES), MOMENTS)
def test_of_hourly_pulls_one_a_day_reads_everybody(zone: str, start: datetime) -> None:
    where, now, fulls = ZoneInfo(zone), start.replace(tzinfo=UTC), []
    for hour in range(72):
        moment = now + timedelta(hours=hour)
        if wants_full(Schedule.HOURLY, fulls[-1] if fulls else None, moment, where):
            fulls.append(moment)
    assert 3 <= len(fulls) <= 4
    days = {moment.astimezone(where).date() for moment in fulls}
    assert len(days) == len(fulls)
