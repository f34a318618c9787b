"""One run in words: its state, how far it is, what came of it, how fast it went, and who it would take out."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rgapp.models import RunPhase, RunState, SyncRun
from rgapp.templating import counted
from rgapp.wording_sync import reason_words

CHIPS = {
    RunState.RECEIVED: ("waiting", "Waiting"),
    RunState.RUNNING: ("sending", "At work"),
    RunState.APPLIED: ("ok", "Applied"),
    RunState.HELD: ("held", "Held"),
    RunState.FAILED: ("failed", "Failed"),
    RunState.DISCARDED: ("cancelled", "Discarded"),
}
PREVIEWED = {RunState.APPLIED: ("ok", "Would be applied"), RunState.HELD: ("held", "Would be held")}
DOING = {
    RunPhase.CHECK: "Reading and checking every row",
    RunPhase.APPLY: "Creating and updating people",
    RunPhase.LEAVERS: "Taking out those marked as leavers",
    RunPhase.ABSENT: "Taking out those who are not in it",
    RunPhase.LISTED: "Leaving those alone whom another feed names",
    RunPhase.LAST: "Passing on addresses that change hands",
}
COUNTS = (
    ("created", "Created", "Would be created"),
    ("updated", "Updated", "Would be updated"),
    ("unchanged", "Unchanged", "Unchanged"),
    ("reactivated", "Reactivated", "Would come back"),
    ("deactivated", "Deactivated", "Would leave"),
    ("refused", "Rows refused", "Rows refused"),
    ("warnings", "Warnings", "Warnings"),
)
OF_ONE = {"Rows": "Row", "Rows refused": "Row refused", "Warnings": "Warning"}
OF_PULL = {"Rows": "People", "Rows refused": "Refused"}


@dataclass(frozen=True)
class Sheet:
    """One run as pages show it."""

    run: SyncRun
    chip: tuple[str, str]
    reason: str
    counts: list[tuple[str, int]]
    rate: str
    doing: str

    @property
    def is_open(self) -> bool:
        """Tell whether it has not come to its end."""
        return self.run.state in {RunState.RECEIVED, RunState.RUNNING}

    @property
    def is_pull(self) -> bool:
        """Tell whether we asked for it, rather than were sent a file."""
        return is_pull(self.run)

    @property
    def thing(self) -> str:
        """Return what it is called in a sentence."""
        return "pull" if self.is_pull else "file"

    @property
    def read(self) -> str:
        """Say what a pull has read; empty while that is not known."""
        if self.run.full is None:
            return "" if self.is_open else "Nothing"
        return "Everybody" if self.run.full else "Only those who have changed"

    @property
    def is_held(self) -> bool:
        """Tell whether somebody has to decide."""
        return self.run.state == RunState.HELD and not self.run.preview

    @property
    def mark(self) -> str:
        """Return what changes whenever there is something new to see."""
        run = self.run
        done = run.created + run.updated + run.reactivated + run.deactivated
        return f"{run.state}-{run.phase}-{run.share}-{run.row_count}-{done}"

    @property
    def summary(self) -> str:
        """Return what came of it in a few words, for a list."""
        run = self.run
        if run.state in {RunState.HELD, RunState.FAILED}:
            return self.reason
        if run.reason == "same_file":
            return "The same file as before: nothing to do"
        words = [
            f"{getattr(run, name):,} {name}"
            for name in ("created", "updated", "reactivated", "deactivated")
            if getattr(run, name)
        ]
        if run.state == RunState.APPLIED and not words:
            words = ["Nothing changed"]
        return ", ".join(words)


def sheet_of(run: SyncRun, now: datetime) -> Sheet:
    """Put one run into words."""
    state = RunState(run.state)
    chip = PREVIEWED.get(state, CHIPS[state]) if run.preview else CHIPS[state]
    return Sheet(
        run=run,
        chip=chip,
        reason=reason_words(run.reason, run.facts) if run.reason else "",
        counts=counts_of(run, state),
        rate=rate_of(run, now),
        doing=doing(run, state),
    )


def is_pull(run: SyncRun) -> bool:
    """Tell whether we asked for a run, rather than were sent its file."""
    return run.path is None and not run.file


def counts_of(run: SyncRun, state: RunState) -> list[tuple[str, int]]:
    """Return the figures of a run; of one of which nothing was applied, only what was seen."""
    if not run.preview and run.checked_at is None and state in {RunState.HELD, RunState.DISCARDED}:
        seen = (("Rows", run.row_count), ("Would leave", run.leavers), ("Rows refused", run.refused))
        figures = [*seen, ("Warnings", run.warnings)]
    else:
        figures = [(would if run.preview else did, getattr(run, name)) for name, did, would in COUNTS]
    if is_pull(run):
        return [(OF_PULL.get(label, label), count) for label, count in figures]
    return [(OF_ONE.get(label, label) if count == 1 else label, count) for label, count in figures]


def doing(run: SyncRun, state: RunState) -> str:
    """Say what is done with an open run now."""
    if state is RunState.RECEIVED:
        return "Waiting for its turn"
    if is_pull(run) and run.full is None:  # What it has read is known once all of it is there.
        return "Reading people from the other side"
    return DOING.get(RunPhase(run.phase), "At work") if run.phase else "At work"


def rate_of(run: SyncRun, now: datetime) -> str:
    """Say how fast it went: "2.4 seconds, 8,100 rows a second"; empty before it began."""
    if run.started_at is None:
        return ""
    # A released one begins anew; how long somebody thought about it says nothing.
    began = max(run.started_at, run.released_at) if run.released_at else run.started_at
    seconds = ((run.finished_at or now) - began).total_seconds()
    took = f"{max(seconds, 0.1):.1f} seconds" if seconds < 10 else took_long(int(seconds))
    if not run.row_count or seconds <= 0:
        return took
    each = ("person", "people") if is_pull(run) else ("row", "rows")
    return f"{took}, {counted(max(1, round(run.row_count / seconds)), *each)} a second"


def took_long(seconds: int) -> str:
    """Say how long something took."""
    minutes, rest = divmod(seconds, 60)
    if minutes < 1:
        return counted(seconds, "second")
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{counted(hours, 'hour')} {counted(minutes, 'minute')}"
    return f"{counted(minutes, 'minute')} {counted(rest, 'second')}"


def facts_of(sheet: Sheet, exact: Any) -> list[dict[str, Any]]:
    """Return when a run came and how it went; `exact` puts a time into words."""
    run = sheet.run
    size = f"{run.size_bytes:,} bytes" if run.size_bytes is not None else None
    rows: list[dict[str, Any]] = [
        {"label": "Read", "value": sheet.read or "…"}
        if sheet.is_pull
        else {"label": "File", "value": run.file or None, "note": size},
        {"label": "Begun" if sheet.is_pull else "Received", "value": exact(run.received_at)},
    ]
    if run.finished_at:
        rows.append({"label": "Finished", "value": exact(run.finished_at), "note": sheet.rate})
    if run.row_count:
        rows.append({"label": "People" if sheet.is_pull else "Rows", "value": f"{run.row_count:,}"})
    if run.version:
        rows.append({"label": "Read with", "value": f"Version {run.version} of the settings"})
    if run.released_at:
        rows.append({"label": "Released", "value": exact(run.released_at), "note": f"by {run.settled_by}"})
    elif run.settled_by and run.state == RunState.DISCARDED:
        rows.append({"label": "Discarded by", "value": run.settled_by})
    return rows
