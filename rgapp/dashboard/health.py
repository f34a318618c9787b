"""How an integration is doing, in HR's words: its state, one line, and what needs somebody."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from rgapp.dashboard.queries import WEEK, Day
from rgapp.integrations import service
from rgapp.integrations.registry import kind_of
from rgapp.models import Integration

SILENT_AFTER = timedelta(days=7)
MOSTLY_REFUSED = 3


class State(StrEnum):
    """What the chip of an integration says."""

    DRAFT = "draft"
    TESTED = "tested"
    LIVE = "live"
    PAUSED = "paused"
    ATTENTION = "attention"


@dataclass(frozen=True)
class Concern:
    """One thing that needs somebody, and what to do about it: `part` is where that is done."""

    part: str
    sentence: str
    action: str


@dataclass(frozen=True)
class Health:
    """State and health line of one integration."""

    state: State
    line: str
    concerns: tuple[Concern, ...] = ()
    changes_waiting: bool = False

    @property
    def kind(self) -> str:
        """Return the colour of the line."""
        if self.concerns:
            return "attention"
        return "ok" if self.state is State.LIVE else "off"


def health_of(
    integration: Integration,
    live: dict[str, Any] | None,
    days: Sequence[Day],
    activity: tuple[datetime, datetime | None] | None,
    now: datetime,
) -> Health:
    """Judge one integration by its settings and its sign-ins."""
    if integration.live_version is None or live is None:
        return _draft_health(integration)
    waiting = integration.draft != live or integration.name != integration.live_name
    if not integration.enabled:
        return Health(State.PAUSED, "Switched off: nobody can sign in with it.", (), waiting)
    good = sum(day[1] for day in days[-WEEK:])
    refused = sum(day[2] for day in days[-WEEK:])
    concerns = [Concern(one.part, one.sentence, one.action) for one in kind_of(integration.kind).notices(live, now)]
    if refused >= MOSTLY_REFUSED and refused > good:
        concerns.append(
            Concern("refused", f"{refused:,} of {good + refused:,} sign-ins this week were refused.", "See why")
        )
    silent = _silence(activity, now)
    if silent and not good + refused:
        concerns.append(Concern("silent", f"Silent for {silent} days.", "See the last sign-ins"))
    return Health(
        State.ATTENTION if concerns else State.LIVE, _line(good, refused, silent, activity), tuple(concerns), waiting
    )


def _draft_health(integration: Integration) -> Health:
    missing = kind_of(integration.kind).missing(integration.draft)
    if missing:
        return Health(State.DRAFT, f"Not live yet. Still needed: {missing[0]}.")
    if service.is_tested(integration):
        return Health(State.TESTED, "Tested and ready to be published.")
    return Health(State.DRAFT, "Not live yet. Next: test it.")


def _line(good: int, refused: int, silent: int, activity: tuple[datetime, datetime | None] | None) -> str:
    if good or refused:
        sign_ins = f"{good:,} sign-in{'' if good == 1 else 's'} this week"
        return f"{sign_ins}, {refused:,} refused" if refused else sign_ins
    if activity is None:
        return "No sign-ins yet."
    return f"Silent for {silent} days" if silent else "No sign-ins this week."


def _silence(activity: tuple[datetime, datetime | None] | None, now: datetime) -> int:
    """Return for how many days nobody signed in, 0 while that is nothing unusual."""
    if activity is None or now - activity[0] < SILENT_AFTER:
        return 0
    return (now - activity[0]).days
