"""What pages read of the runs of feeds: lists by filter, counts, recent runs of many feeds, leavers and problems."""

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.orm import Session, defer

from rgapp.dashboard.kinds import Day
from rgapp.dashboard.queries import DAYS
from rgapp.models import Integration, Programme, RunState, Staff, SyncLeaver, SyncProblem, SyncRun
from rgapp.paging import Key, Page, fetch

NEWEST_FIRST = (Key(SyncRun.id, descending=True),)
BY_KEY = (Key(SyncLeaver.key),)
OPEN = (RunState.RECEIVED, RunState.RUNNING)
SHOWN: Mapping[str, tuple[RunState, ...]] = {
    "all": (),
    "refused": (),
    "open": OPEN,
    **{state.value: (state,) for state in (RunState.APPLIED, RunState.HELD, RunState.FAILED, RunState.DISCARDED)},
}
PROBLEMS_SHOWN = 50
#: What an overview reads of each run.
BRIEF = (
    SyncRun.id, SyncRun.integration_id, SyncRun.state, SyncRun.received_at, SyncRun.full, SyncRun.row_count,
    SyncRun.created, SyncRun.updated, SyncRun.unchanged, SyncRun.reactivated, SyncRun.refused, SyncRun.leavers,
    SyncRun.reason, SyncRun.facts, SyncRun.file,
)  # fmt: skip
Brief = Row[tuple[object, ...]]


def runs(
    session: Session, integration: Integration, *, show: str, after: str | None, before: str | None
) -> Page[SyncRun]:
    """Return a page of runs, newest first, without previews."""
    query = select(SyncRun).where(*_of(integration), *_shown(show)).options(defer(SyncRun.settings))
    return fetch(session, query, NEWEST_FIRST, after=after, before=before)


def counts(session: Session, integration: Integration) -> dict[str, int]:
    """Return how many runs each filter shows."""
    by_state = {
        state: (count, refused)
        for state, count, refused in session.execute(
            select(SyncRun.state, func.count(), func.count().filter(SyncRun.refused > 0))
            .where(*_of(integration))
            .group_by(SyncRun.state)
        )
    }
    found = {"all": sum(count for count, _ in by_state.values())}
    found["refused"] = sum(refused for _, refused in by_state.values())
    for show, states in SHOWN.items():
        if states:
            found[show] = sum(by_state.get(state, (0, 0))[0] for state in states)
    return found


def run_of(session: Session, integration: Integration, run_id: uuid.UUID) -> SyncRun | None:
    """Return one run of this integration, previews included, else None."""
    found = session.get(SyncRun, (integration.programme_id, run_id))
    return found if found is not None and found.integration_id == integration.id else None


def leavers(session: Session, run: SyncRun, *, after: str | None, before: str | None) -> Page[SyncLeaver]:
    """Return a page of those whom a run would take out or took out."""
    query = select(SyncLeaver).where(SyncLeaver.programme_id == run.programme_id, SyncLeaver.run_id == run.id)
    return fetch(session, query, BY_KEY, after=after, before=before)


@dataclass(frozen=True)
class Problems:
    """Some problems of a run, and behind which number the next ones are; None where these were the last."""

    rows: Sequence[SyncProblem]
    next: int | None


def problems(session: Session, run: SyncRun, *, refused: bool, behind: int = 0) -> Problems:
    """Return refused rows, or warnings, in the order in which they were found."""
    query = select(SyncProblem).where(
        SyncProblem.programme_id == run.programme_id,
        SyncProblem.run_id == run.id,
        SyncProblem.number > behind,
        SyncProblem.refused.is_(refused),
    )
    found = list(session.scalars(query.order_by(SyncProblem.number).limit(PROBLEMS_SHOWN + 1)))
    more = len(found) > PROBLEMS_SHOWN
    return Problems(found[:PROBLEMS_SHOWN], found[PROBLEMS_SHOWN - 1].number if more else None)


def staff_name(session: Session, staff_id: uuid.UUID | None) -> str:
    """Return who somebody of the staff is; "Somebody" where that is not known any more."""
    found = session.get(Staff, staff_id) if staff_id is not None else None
    return found.name if found is not None else "Somebody"


def recent(session: Session, owner: Programme, ids: Iterable[uuid.UUID], now: datetime) -> dict[uuid.UUID, list[Brief]]:
    """Return the runs of the last days of each feed, newest first, and in any case its newest one; two queries."""
    wanted = list(ids)
    found: dict[uuid.UUID, list[Brief]] = {one: [] for one in wanted}
    if not wanted:
        return found
    real = SyncRun.programme_id == owner.id, SyncRun.integration_id.in_(wanted), SyncRun.preview.is_(False)
    since = now - timedelta(days=DAYS + 1)
    lately = select(*BRIEF).where(*real, SyncRun.id >= first_id(since), SyncRun.received_at >= since)
    for run in session.execute(lately.order_by(SyncRun.id.desc())):
        found[run.integration_id].append(run)
    newest = (
        select(SyncRun.id)
        .where(SyncRun.programme_id == owner.id, SyncRun.integration_id == Integration.id, SyncRun.preview.is_(False))
        .order_by(SyncRun.id.desc())
        .limit(1)
        .correlate(Integration)
        .scalar_subquery()
    )
    silent = [one for one, its in found.items() if not its]
    query = select(*BRIEF).join(
        Integration, (Integration.programme_id == SyncRun.programme_id) & (SyncRun.id == newest)
    )
    for run in session.execute(query.where(SyncRun.programme_id == owner.id, Integration.id.in_(silent))):
        found[run.integration_id].append(run)
    return found


def rows_by_day(found: Collection[Brief], owner: Programme, now: datetime) -> list[Day]:
    """Return good and refused rows of the last days, days as the programme's people count them.

    Of a file that was not applied, no row counts as good.
    """
    today = now.astimezone(owner.zone).date()
    days: dict[date, list[int]] = {today - timedelta(days=back): [0, 0] for back in range(DAYS - 1, -1, -1)}
    for run in found:
        day = days.get(run.received_at.astimezone(owner.zone).date())
        if day is not None:
            good = run.row_count - run.refused if run.state == RunState.APPLIED else 0
            day[0] += max(good, 0)
            day[1] += run.refused
    return [(day, good, refused) for day, (good, refused) in days.items()]


def first_id(moment: datetime) -> uuid.UUID:
    """Return the smallest UUIDv7 (RFC 9562 section 5.7) of a moment."""
    return uuid.UUID(int=int(moment.timestamp() * 1000) << 80)


def _of(integration: Integration) -> list[ColumnElement[bool]]:
    return [
        SyncRun.programme_id == integration.programme_id,
        SyncRun.integration_id == integration.id,
        SyncRun.preview.is_(False),
    ]


def _shown(show: str) -> list[ColumnElement[bool]]:
    if show == "refused":
        return [SyncRun.refused > 0]
    states = SHOWN.get(show, ())
    return [SyncRun.state.in_(states)] if states else []
