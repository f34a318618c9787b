"""What the steps of one run share: its lease, its clock, its staged files, and how its progress is written."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete
from sqlalchemy.orm import Session

from rgapp.audit import Actor
from rgapp.integrations.sync.lease import Lease
from rgapp.integrations.sync.stage import Stage
from rgapp.models import SyncLeaver, SyncProblem
from rgapp.models.bulk import Form, insert_many
from rgapp.provisioning import Policy
from rgapp.turnstile import Bell

PROBLEM: Final = (
    "programme_id", "run_id", "number", "row_number", "refused", "code", "column_name", "cell", "membership_no",
    "facts",
)  # fmt: skip
LEAVER: Final = ("programme_id", "run_id", "key", "user_id", "person", "row_number", "gone")
CELL_LENGTH: Final = 200
PROGRESS_SECONDS: Final = 1.0

Progress = Callable[["Counts"], None]


@dataclass
class Counts:
    """The counters of a run as they stand, for whoever watches."""

    phase: str = ""
    share: int = 0
    row_count: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    reactivated: int = 0
    deactivated: int = 0
    refused: int = 0
    warnings: int = 0
    leavers: int = 0
    problems: int = 0


@dataclass
class Work:
    """One process's work on one run."""

    session: Session
    lease: Lease
    integration_id: uuid.UUID
    clock: Callable[[], datetime]
    stage: Stage
    policy: Policy
    actor: Actor
    counts: Counts = field(default_factory=Counts)
    progress: Progress | None = None
    bell: Bell | None = None
    preview: bool = False
    _problems: list[tuple[Any, ...]] = field(default_factory=list)
    _said: datetime | None = None

    @property
    def programme_id(self) -> uuid.UUID:
        """Return the programme."""
        return self.lease.programme_id

    def keep(self, **values: Any) -> None:
        """Write the counters, what was found, and `values` in the caller's transaction; the lease lasts longer.

        Raises `LeaseLost`.
        """
        counts = {name: value for name, value in vars(self.counts).items() if name != "phase"}
        self.lease.keep(self.session, self.clock(), **(counts | values))
        insert_many(self.session, SyncProblem, PROBLEM, self._problems)
        self._problems = []

    def hold(self) -> None:
        """Make sure, first thing in a transaction, that nobody else works on the run by now.

        Raises `LeaseLost`.
        """
        self.lease.keep(self.session, self.clock())

    def mark(self) -> Any:
        """Return what `back_to` needs after a transaction that is rolled back and done again."""
        return replace(self.counts), len(self._problems)

    def back_to(self, mark: Any) -> None:
        """Count and note as if nothing had happened since."""
        counts, problems = mark
        vars(self.counts).update(vars(counts))
        del self._problems[problems:]

    def said(self) -> None:
        """Tell whoever watches."""
        if self.progress is not None:
            self.progress(self.counts)

    def alive(self, share: float | None) -> None:
        """Hold the run for longer while its pull is under way, and tell how much of it is there. Commits.

        Raises `LeaseLost`.
        """
        if share is not None:
            self.counts.share = int(share * 100)
        if self.is_time():
            self.keep()
            self.session.commit()
            self.said()

    def is_time(self) -> bool:
        """Tell whether progress should be written again."""
        now = self.clock()
        if self._said is not None and abs((now - self._said).total_seconds()) < PROGRESS_SECONDS:
            return False
        self._said = now
        return True

    def note(
        self,
        row_number: int,
        code: str,
        *,
        refused: bool,
        column: str = "",
        cell: str = "",
        membership_no: str | None = None,
        facts: dict[str, Any] | None = None,
    ) -> None:
        """Note a problem of a row; it is written with the next `keep`."""
        self.counts.problems += 1
        if not refused:
            self.counts.warnings += 1
        said = {name: shown(value) if isinstance(value, str) else value for name, value in (facts or {}).items()}
        self._problems.append(
            (
                self.programme_id.hex, self.lease.run_id.hex, self.counts.problems, row_number, refused, code,
                shown(column), shown(cell), shown(membership_no)[:64] if membership_no else None, Form.json(said),
            )
        )  # fmt: skip

    def forget(self) -> None:
        """Forget what an earlier check of the same run found, in the caller's transaction."""
        of_run = {"programme_id": self.programme_id, "run_id": self.lease.run_id}
        self.session.execute(delete(SyncProblem).filter_by(**of_run))
        self.session.execute(delete(SyncLeaver).filter_by(**of_run, gone=False))
        self._problems = []
        earlier = self.counts
        self.counts = Counts(
            created=earlier.created,
            updated=earlier.updated,
            reactivated=earlier.reactivated,
            deactivated=earlier.deactivated,
        )


def shown(text: str) -> str:
    """Return text as it can be kept and shown: what no database takes is replaced."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")[:CELL_LENGTH]
