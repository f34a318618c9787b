"""For how long nothing was applied of a pull that should have come by now."""

from datetime import datetime, timedelta
from typing import Any, Final

from rgapp.integrations.pulls.schedule import Schedule

#: How long a pull of each schedule may be away before that is silence: its time, and a day to be put right in.
PATIENCE: Final = {
    Schedule.HOURLY: timedelta(days=1),
    Schedule.DAILY: timedelta(days=2),
    Schedule.WEEKLY: timedelta(days=8),
    Schedule.MONTHLY: timedelta(days=32),
}


def silent_days(schedule: Any, since: datetime, now: datetime) -> int:
    """Return for how many days nothing was applied, 0 while that is nothing unusual."""
    patience = PATIENCE[Schedule(schedule)] if schedule in set(Schedule) else PATIENCE[Schedule.DAILY]
    silence = now - since
    return silence.days if silence > patience else 0
