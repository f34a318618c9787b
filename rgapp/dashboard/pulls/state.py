"""How the way in stands: whether one is kept, whether it works, and since when it does not."""

from dataclasses import dataclass
from datetime import datetime

from rgapp.clock import utcnow
from rgapp.dashboard.pulls.sources import PullSource
from rgapp.extensions import db
from rgapp.integrations.pulls import access
from rgapp.models import Integration
from rgapp.templating import relative_time


@dataclass(frozen=True)
class State:
    """How the way in stands, in words; `works_since` is when we were let in last."""

    title: str = ""
    works_since: datetime | None = None
    problem: str = ""
    kept: bool = False
    method: str = ""
    set_at: datetime | None = None
    set_by: str = ""

    @property
    def works(self) -> bool:
        """Tell whether we were let in, and nothing has changed that since."""
        return self.works_since is not None and not self.problem


def state_of(integration: Integration, source: PullSource) -> State:
    """Return how the way in stands."""
    row = access.of_integration(db.session(), integration)
    if row is None:
        return State()
    if row.problem:
        title = f"{source.other[0].upper()}{source.other[1:]} does not let us in"
        return State(title, row.checked_at, row.sentence, True, row.method, row.set_at, row.set_by)
    title = f"{source.other[0].upper()}{source.other[1:]} lets us in"
    return State(title, row.checked_at, "", True, row.method, row.set_at, row.set_by)


def kept_words(state: State) -> dict[str, str]:
    """Say for the method that is chosen that something is kept for it, and what happens when the field stays empty."""
    if not state.kept or state.set_at is None:
        return {}
    when = f"set {relative_time(state.set_at, utcnow())} by {state.set_by}"
    return {state.method: f"One is kept, {when}. Leave this empty to keep it; a new one counts at once."}
