"""Integrations that pull as the dashboard's frame asks for them; a kind adds its first steps and its words."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from rgapp.clock import utcnow
from rgapp.dashboard.feeds import health as feeds_health
from rgapp.dashboard.feeds.activity import activity_part
from rgapp.dashboard.feeds.sheet import sheet_of
from rgapp.dashboard.kinds import Concern, Part, Review, Step, Usage, Words
from rgapp.dashboard.pulls import health, queries
from rgapp.dashboard.pulls.review import review_of
from rgapp.dashboard.pulls.sources import PullSource
from rgapp.dashboard.pulls.state import state_of
from rgapp.extensions import db
from rgapp.integrations import service
from rgapp.integrations.mapped import missing_of_mapping
from rgapp.models import Integration, Programme


def words_for(other: str) -> Words:
    """Return how an integration is spoken of that pulls from there."""
    return Words(
        use="person",
        chart="People from {name}",
        never_used="No pull yet.",
        draft_lead="Changes are saved in a draft. What is live goes on as it is until you publish.",
        off="Switched off: nothing is pulled.",
        turn_off=f"From now on, nothing is read from {other} for {{name}}: nobody is created, updated or taken out by "
        "it. {used}People and their details stay as they are, and leavers keep their access here. You can switch it on "
        "again at any time.",
        turn_on="The next pull begins within a minute if one is due, with version {version} of the settings.",
        turned_off="Nothing is pulled until it is on again.",
        off_means="While it is off, nothing is pulled and people stay as they are. Settings and history stay.",
        discard=f"Its settings and what opens {other} for us are deleted for good. Nobody is concerned, because it was "
        "never published.",
    )


class PullPages:
    """The pages of one kind that pulls."""

    def __init__(self, source: PullSource) -> None:
        self.source = source
        self.key = source.key
        self.words = words_for(source.other)
        self.first_endpoint = f"dashboard.{source.connect}"

    def steps(self, integration: Integration) -> Sequence[Step]:
        """Return Connect, Mapping, what the kind has of its own, Schedule, Preview and Identifier check."""
        state = state_of(integration, self.source)
        tested = service.is_tested(integration)
        mapped = not missing_of_mapping(integration.draft) and state.works
        return (
            Step("connect", "Connect", self.first_endpoint, state.works, problem=bool(state.problem)),
            Step("mapping", "Mapping", "dashboard.pull_mapping", mapped),
            *self.own_steps(integration, ready=mapped),
            Step("schedule", "Schedule", "dashboard.pull_schedule", mapped),
            Step("preview", "Preview", "dashboard.pull_preview", tested),
            Step("identifiers", "Identifiers", "dashboard.pull_identifiers", tested),
        )

    def own_steps(self, integration: Integration, *, ready: bool) -> Sequence[Step]:
        """Return the steps that only this kind has."""
        return ()

    def usage(
        self, session: Session, owner: Programme, ids: Iterable[uuid.UUID], now: datetime
    ) -> Mapping[uuid.UUID, Usage]:
        """Return people by day, and the last pull."""
        found = feeds_health.usage(session, owner, ids, now, thing=health.PULL)
        return {one: replace(its, tells_silence=True) for one, its in found.items()}

    def concerns(
        self, session: Session, owner: Programme, live: Mapping[uuid.UUID, Mapping[str, Any]], now: datetime
    ) -> Mapping[uuid.UUID, Sequence[Concern]]:
        """Return held and failed pulls, a way in that is closed, and silence."""
        return health.concerns(session, owner, live, now, source=self.source)

    def activity(self, integration: Integration) -> Part:
        """Return the runs, and "sync now"."""
        part = activity_part(integration)
        newest = queries.newest_run(db.session(), integration.programme_id, integration.id)
        latest = sheet_of(newest, utcnow()) if newest is not None else None
        return Part("pulls/activity.html", {**part.values, "source": self.source, "latest": latest})

    def tools(self, integration: Integration) -> Part:
        """Return the way in, and what to do when somebody was not updated."""
        state = state_of(integration, self.source)
        return Part("pulls/tools.html", {"source": self.source, "state": state})

    def review(self, integration: Integration, live: Mapping[str, Any] | None, now: datetime) -> Review:
        """Return gaps, what changes for people, and what to think of first."""
        return review_of(integration, live, self.source)
