"""The second pass: what the check staged is written in short transactions, each with the run's checkpoint.

Leavers come late. A process may die at any line: what was committed stands in the run, and the next process goes on
behind it.
"""

import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any, Final

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from rgapp.integrations.sync import stage
from rgapp.integrations.sync.ahead import Ahead, Beside, Unit
from rgapp.integrations.sync.known import KnownPeople
from rgapp.integrations.sync.problems import Problems
from rgapp.integrations.sync.stage import without
from rgapp.integrations.sync.stride import Stride
from rgapp.integrations.sync.tuning import Statistics, commit_lazily
from rgapp.integrations.sync.work import Work
from rgapp.models import RunPhase, SyncLeaver
from rgapp.models.bulk import Form
from rgapp.provisioning.batch import Batches, Done
from rgapp.provisioning.cells import Line
from rgapp.provisioning.record import OutcomeKind, Refusal

PHASES: Final = {
    RunPhase.APPLY: stage.ROWS,
    RunPhase.LEAVERS: stage.LEAVING,
    RunPhase.ABSENT: stage.ABSENT,
    RunPhase.LISTED: stage.LISTED,
    RunPhase.LAST: stage.TANGLED,
}
# What takes nobody out, for a run whose leavers are held.
WITHOUT_LEAVERS: Final = (RunPhase.APPLY, RunPhase.LAST)


class Applier:
    """Writes the staged rows of one run."""

    def __init__(self, work: Work, batches: Batches, known: KnownPeople, problems: Problems) -> None:
        self._work = work
        self._batches = batches
        self._known = known
        self._problems = problems
        self._left_out = work.stage.left_out()
        self._stride = Stride(work.bell)
        self._statistics = Statistics(work.session)
        # There a savepoint copies every page that is touched, and each row is a call of its own, between which the
        # other thread would keep us waiting; on PostgreSQL the server works, whole batches long.
        self._on_sqlite = work.session.get_bind().dialect.name == "sqlite"
        self._form = Form(work.session)

    def go(self, phase: RunPhase, offset: int, *, leavers: bool) -> None:
        """Write from a phase and an offset on to the end; commits as it goes.

        Raises `LeaseLost`.
        """
        with Beside() as beside:
            for each in list(PHASES)[list(PHASES).index(phase) :]:
                if each is RunPhase.LAST:
                    self._together(offset)
                elif leavers or each in WITHOUT_LEAVERS:
                    self._phase(each, offset, beside)
                offset = 0

    def _phase(self, phase: RunPhase, offset: int, beside: Beside) -> None:
        work, name = self._work, PHASES[phase]
        work.counts.phase = phase
        size = max(work.stage.size(name), 1)
        units = Ahead(work.stage.batches(name, offset), partial(self._prepare, phase), lambda: self._stride.together)
        todo = list[Unit]()
        for unit in units:
            if not todo:
                work.hold()
                commit_lazily(work.session)
                before = work.mark()
            todo.append(unit)
            write = partial(self._take, phase, unit, bold=True)
            if not (write() if self._on_sqlite else beside.do(write, units.more)):
                self._one_by_one(phase, todo, before, beside)
                todo = []
                continue
            unit.made, unit.kept = None, ()
            work.counts.share = unit.behind * 100 // size
            if unit.behind >= size or self._stride.is_over(sum(each.batches for each in todo)):
                self._commit(phase, unit, beside, units.more)
                todo = []

    def _commit(self, phase: RunPhase, unit: Unit, beside: Beside, meanwhile: Callable[[], bool]) -> None:
        """Commit what was written up to this unit, with the checkpoint behind it."""
        work = self._work
        work.keep(phase=phase, stage_offset=unit.behind, tries=0)

        def commit() -> float:
            started = time.monotonic()
            work.session.commit()
            return time.monotonic() - started

        self._stride.ended(beside.do(commit, meanwhile))
        self._statistics.written(work.counts.created)
        work.said()

    def _one_by_one(self, phase: RunPhase, todo: Sequence[Unit], before: Any, beside: Beside) -> None:
        """Take the units of this transaction once more, each in one of its own, for somebody came in between."""
        work = self._work
        work.session.rollback()
        work.back_to(before)
        for unit in todo:
            work.hold()
            self._take(phase, unit, bold=False)
            self._commit(phase, unit, beside, lambda: False)

    def _prepare(self, phase: RunPhase, unit: Unit) -> None:
        """Make what can be made of a unit without asking the database."""
        if phase in (RunPhase.ABSENT, RunPhase.LISTED):
            return
        unit.lines = without([Line(*entry) for entry in unit.entries], self._left_out)
        if unit.lines and all(line.fresh for line in unit.lines):
            unit.made = self._batches.make(self._form, unit.lines, now=self._work.clock())
            unit.kept = list(map(self._known.row_of, unit.lines, unit.made.user_ids))

    def _take(self, phase: RunPhase, unit: Unit, *, bold: bool) -> bool:
        """Write one unit; False where a `bold` one met somebody, and the transaction is good for nothing."""
        if phase is RunPhase.ABSENT:
            self._take_out(unit.entries)
            return True
        if phase is RunPhase.LISTED:
            self._leave_alone(unit.entries)
            return True
        if not bold or unit.made is None:
            self._write(unit.lines)
            return True
        try:
            with nullcontext() if self._on_sqlite else self._work.session.begin_nested():
                unit.made.write(self._work.session)
                self._known.remember(unit.kept, ())
        except IntegrityError:
            if not self._on_sqlite:
                self._write(unit.lines)
            return not self._on_sqlite
        self._work.counts.created += len(unit.lines)
        return True

    def _write(self, lines: Sequence[Line], free: frozenset[str] = frozenset()) -> None:
        work = self._work
        done = self._batches.write(work.session, lines, now=work.clock(), free=free)
        self._known.remember(
            [self._known.row_of(each.line, each.user_id) for each in done if each.user_id and not each.line.known],
            [self._known.row_of(each.line, each.user_id) for each in done if each.user_id and each.line.known],
        )
        for each in done:
            self._count(each)
        gone = [each.line.key for each in done if each.kind is OutcomeKind.DEACTIVATED]
        self._note_gone(gone)

    def _count(self, each: Done) -> None:
        counts = self._work.counts
        match each.kind:
            case OutcomeKind.CREATED:
                counts.created += 1
            case OutcomeKind.UPDATED:
                counts.updated += 1
            case OutcomeKind.REACTIVATED:
                counts.reactivated += 1
            case OutcomeKind.DEACTIVATED:
                counts.deactivated += 1
            case OutcomeKind.UNCHANGED:
                counts.unchanged += 1
            case _:  # Something changed since the check.
                counts.refused += 1
                self._problems.conflict(each.line, each.refusal or Refusal.FIELDS, None)

    def _take_out(self, batch: Sequence[Any]) -> None:
        work = self._work
        keys = [key for key, _ in batch]
        users = [uuid.UUID(hex=user_id) for _, user_id in batch]
        work.counts.deactivated += self._batches.take_out(work.session, users, now=work.clock(), facts={"absent": True})
        self._known.forget(keys)
        self._note_gone(keys)

    def _leave_alone(self, batch: Sequence[Any]) -> None:
        """Leave people to the feeds that name them; who was dropped there since the check is absent again next time.

        Nobody goes here: the guard has not weighed them.
        """
        self._work.hold()
        users = [user_id for _, user_id, *_ in batch]
        self._known.lock(users)
        listed = self._known.listed_elsewhere(users)
        self._known.forget([key for key, user_id, *_ in batch if user_id in listed])

    def _together(self, offset: int) -> None:
        """Write those whose addresses change hands in one transaction: in between, somebody would be without one."""
        self._work.counts.phase = RunPhase.LAST
        staged = self._work.stage.lines(stage.TANGLED, offset)
        lines = without([line for batch, _ in staged for line in batch], self._left_out)
        if lines:
            moving = frozenset(str(line.user_id) for line in lines if line.user_id)
            self._work.hold()
            self._write(lines, moving)
        self._work.counts.share = 100
        self._work.keep(phase=RunPhase.LAST, stage_offset=self._work.stage.size(stage.TANGLED), tries=0)
        self._work.session.commit()
        self._work.said()

    def _note_gone(self, keys: Sequence[str]) -> None:
        if not keys:
            return
        work = self._work
        work.session.execute(
            update(SyncLeaver)
            .where(
                SyncLeaver.programme_id == work.programme_id,
                SyncLeaver.run_id == work.lease.run_id,
                SyncLeaver.key.in_(keys),
            )
            .values(gone=True)
            .execution_options(synchronize_session=False)
        )
