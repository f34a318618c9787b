"""What about pulls needs somebody: held and failed ones, a way in that is closed, and silence."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from rgapp.dashboard.feeds import health
from rgapp.dashboard.feeds import queries as feeds
from rgapp.dashboard.kinds import Concern
from rgapp.dashboard.pulls import queries
from rgapp.dashboard.pulls.sources import PullSource
from rgapp.integrations.pulls.silence import silent_days
from rgapp.models import Programme
from rgapp.templating import counted

PULL = "pull"


def concerns(
    session: Session,
    owner: Programme,
    live: Mapping[uuid.UUID, Mapping[str, Any]],
    now: datetime,
    *,
    source: PullSource,
) -> Mapping[uuid.UUID, Sequence[Concern]]:
    """Return what needs somebody."""
    recent, ways = feeds.recent(session, owner, live, now), queries.ways_in(session, owner, live)
    good = queries.last_good(session, owner, live)
    found: dict[uuid.UUID, Sequence[Concern]] = {}
    for one, settings in live.items():
        runs, way = recent[one], ways.get(one)
        said = health.unsettled(runs, thing=PULL)
        if way.problem if way is not None else source.needs_access:
            sentence = way.sentence if way is not None else f"Nothing opens {source.other} for us."
            # The run that failed for it says the same.
            said = [each for each in said if sentence not in each.sentence]
            said.insert(0, Concern(sentence, "Connect again", f"dashboard.{source.connect}"))
        days = silent_days(settings.get("schedule"), good[one], now) if one in good else 0
        if days:
            words = f"Silent for {counted(days, 'day')}: no pull could be applied since."
            said.append(Concern(words, "See the last pulls", "dashboard.integration"))
        found[one] = said
    return found
