"""How an integration is doing, in HR's words: its state, one line, and what needs somebody."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from rgapp.dashboard.kinds import Concern, Usage, Words
from rgapp.dashboard.queries import WEEK
from rgapp.integrations import service
from rgapp.integrations.registry import kind_of
from rgapp.models import Integration
from rgapp.templating import counted

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
    usage: Usage,
    words: Words,
    known: Sequence[Concern],
    now: datetime,
) -> Health:
    """Judge one integration by its settings, its use, and what its kind is concerned about."""
    if integration.live_version is None or live is None:
        return _draft_health(integration)
    waiting = integration.draft != live or integration.name != integration.live_name
    if not integration.enabled:
        return Health(State.PAUSED, words.off, (), waiting)
    good = sum(day[1] for day in usage.days[-WEEK:])
    refused = sum(day[2] for day in usage.days[-WEEK:])
    concerns = [*known]
    if refused >= MOSTLY_REFUSED and refused > good:
        sentence = f"{refused:,} of {good + refused:,} {words.use}s this week were refused."
        concerns.append(Concern(sentence, "See why", "dashboard.integration", {"show": "refused"}))
    silent = _silence(usage, now)
    if silent and not good + refused:
        sentence = f"Silent for {silent} days."
        concerns.append(Concern(sentence, f"See the last {words.use}s", "dashboard.integration"))
    state = State.ATTENTION if concerns else State.LIVE
    return Health(state, _line(good, refused, silent, usage, words), tuple(concerns), waiting)


def _draft_health(integration: Integration) -> Health:
    missing = kind_of(integration.kind).missing(integration.draft)
    if missing:
        return Health(State.DRAFT, f"Not live yet. Still needed: {missing[0]}.")
    if service.is_tested(integration):
        return Health(State.TESTED, "Tested and ready to be published.")
    return Health(State.DRAFT, "Not live yet. Next: test it.")


def _line(good: int, refused: int, silent: int, usage: Usage, words: Words) -> str:
    if usage.line:
        return usage.line
    if good or refused:
        uses = f"{counted(good, words.use)} this week"
        return f"{uses}, {refused:,} refused" if refused else uses
    if usage.last is None:
        return words.never_used
    return f"Silent for {silent} days" if silent else f"No {words.use}s this week."


def _silence(usage: Usage, now: datetime) -> int:
    """Return for how many days it was not used, 0 while that is nothing unusual."""
    if usage.tells_silence or usage.last is None or now - usage.last < SILENT_AFTER:
        return 0
    return (now - usage.last).days
