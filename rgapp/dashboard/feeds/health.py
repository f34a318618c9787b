"""How feeds are doing: the line on their card, days of the chart, and what needs somebody."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from rgapp.dashboard.feeds import queries
from rgapp.dashboard.feeds.queries import Brief
from rgapp.dashboard.health import SILENT_AFTER
from rgapp.dashboard.kinds import Concern, Usage
from rgapp.integrations.sync.silence import silence
from rgapp.models import Programme, RunState
from rgapp.templating import counted, relative_time
from rgapp.wording_sync import reason_words

RUN = "dashboard.run"


def usage(
    session: Session, owner: Programme, ids: Iterable[uuid.UUID], now: datetime, *, thing: str = "file"
) -> dict[uuid.UUID, Usage]:
    """Return rows by day, when the last file (or pull) came, and the line of each feed."""
    found = queries.recent(session, owner, ids, now)
    return {
        one: Usage(
            queries.rows_by_day(its, owner, now),
            its[0].received_at if its else None,
            line_of(its, owner, now, thing=thing),
        )
        for one, its in found.items()
    }


def line_of(found: Sequence[Brief], owner: Programme, now: datetime, *, thing: str = "file") -> str:
    """Return the health line: "18,204 people, last file 3 hours ago, 2 rows refused"; empty without a file."""
    if not found:
        return ""
    came = f"last {thing} {relative_time(found[0].received_at, now, owner.zone)}"
    applied = next((run for run in found if run.state == RunState.APPLIED), None)
    if applied is None:
        return f"{came[0].upper()}{came[1:]}"
    people = applied.row_count - applied.refused
    held = counted(people, "person", "people") if applied.full else counted(people, "change")
    parts = [held, came]
    if applied.refused:
        parts.append(f"{counted(applied.refused, 'row')} refused")
    return ", ".join(parts)


def concerns(
    session: Session, owner: Programme, ids: Iterable[uuid.UUID], now: datetime
) -> Mapping[uuid.UUID, list[Concern]]:
    """Return held and failed runs that no newer one has settled, and feeds that are silent for longer than usual."""
    found = queries.recent(session, owner, ids, now)
    return {one: concerns_of(its, now) for one, its in found.items()}


def concerns_of(found: Sequence[Brief], now: datetime) -> list[Concern]:
    """Return what about the runs of one feed, newest first, needs somebody."""
    said = unsettled(found)
    if days := silent_days(found, now):
        words = f"Silent for {counted(days, 'day')}: a file was expected by now."
        said.append(Concern(words, "See the last files", "dashboard.integration"))
    return said


def unsettled(found: Sequence[Brief], *, thing: str = "file") -> list[Concern]:
    """Return held and failed runs that no newer one has settled; of pulls only the newest one that failed."""
    said, failed = [], False
    for run in found:
        if run.state == RunState.APPLIED:
            break
        if run.state == RunState.HELD:
            sentence = f"A {thing} is held. {reason_words(run.reason, run.facts)}"
            said.append(Concern(sentence, "Look at it", RUN, {"run_id": run.id}))
        elif run.state == RunState.FAILED and not failed:
            sentence = f"A {thing} could not be read. {reason_words(run.reason, run.facts)}"
            said.append(Concern(sentence, "See what to do", RUN, {"run_id": run.id}))
            failed = run.file == ""
    return said


def silent_days(found: Sequence[Brief], now: datetime) -> int:
    """Return for how many days a file is overdue, by how often they came; 0 where all is well, or a week has passed.

    After a week the dashboard says so of every kind.
    """
    since = silence([run.received_at for run in found], now)
    return since.days if since is not None and since < SILENT_AFTER else 0
