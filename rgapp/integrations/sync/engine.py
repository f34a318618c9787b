"""Work on runs: take the next one up, check it, hold it or write it, and bring it to its end."""

import logging
import shutil
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from sqlalchemy.orm import Session

from rgapp.audit import Actor, ActorKind
from rgapp.integrations.registry import kind_of
from rgapp.integrations.sync import ending, runs, stage
from rgapp.integrations.sync.apply import Applier
from rgapp.integrations.sync.check import Checker
from rgapp.integrations.sync.conclusion import Conclusion
from rgapp.integrations.sync.feed import Feed, FeedContext, FeedFailure, FeedSource, Pulled
from rgapp.integrations.sync.holds import Seen, reason_to_hold
from rgapp.integrations.sync.known import KnownPeople
from rgapp.integrations.sync.lease import Lease, put_down
from rgapp.integrations.sync.problems import Problems
from rgapp.integrations.sync.reading import RowReader
from rgapp.integrations.sync.stage import Stage
from rgapp.integrations.sync.tools import Tools, is_outage, kept_folder, run_folder
from rgapp.integrations.sync.tuning import few_collections, write_much
from rgapp.integrations.sync.work import Counts, Work
from rgapp.models import Integration, IntegrationVersion, Programme, RunPhase, RunState, SyncRun
from rgapp.provisioning import guard
from rgapp.provisioning.batch import Batches
from rgapp.provisioning.cells import CellReader
from rgapp.turnstile import patiently

logger = logging.getLogger(__name__)
# A run that ends every process that takes it up is given up, so that the next one gets its turn.
MOST_TRIES: Final = 10
# What a run is said to do while its pull comes in.
PULLING: Final = "pull"


def work_on_next(session: Session, programme_id: uuid.UUID, integration_id: uuid.UUID, tools: Tools) -> SyncRun | None:
    """Work on the oldest open run of an integration, to its end; None where there is none to be worked on now.

    While the integration is switched off its runs wait. Commits. Whatever is raised leaves the run to the next one who
    looks.
    """
    integration = session.get_one(Integration, (programme_id, integration_id), populate_existing=True)
    if not integration.is_live:
        session.commit()
        return None
    claimed = runs.claim(session, programme_id, integration_id, now=tools.clock())
    return _work(session, *claimed, tools) if claimed else None


def work_on_preview(session: Session, programme_id: uuid.UUID, run_id: uuid.UUID, tools: Tools) -> SyncRun | None:
    """Look what a preview would do; None where it is done, or somebody is at it. Commits."""
    claimed = runs.claim_preview(session, programme_id, run_id, now=tools.clock())
    return _work(session, *claimed, tools) if claimed else None


def _work(session: Session, run: SyncRun, lease: Lease, tools: Tools) -> SyncRun:
    try:
        return _work_under(session, run, lease, tools)
    finally:
        put_down(lease.token)


def _work_under(session: Session, run: SyncRun, lease: Lease, tools: Tools) -> SyncRun:
    folder = run_folder(tools.folder, run.id)
    try:
        if run.tries > MOST_TRIES:
            ending.fail(session, lease, "given_up", {}, now=tools.clock())
        elif run.released_at is not None and runs.is_superseded(session, run):
            ending.hold_again(session, lease, now=tools.clock())
        else:
            with few_collections(), patiently():
                _Run(session, run, lease, tools, folder).go()
    except FeedFailure as failure:
        session.rollback()
        facts = {"sentence": failure.sentence, "cause": failure.reason, **failure.data}
        ending.fail(session, lease, "unreadable", facts, now=tools.clock())
    except BaseException as error:
        if runs.let_go(session, lease, counts=not is_outage(error)):
            shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)
    ended = runs.get(session, lease.programme_id, lease.run_id)
    session.commit()
    assert ended is not None  # noqa: S101 - runs are not deleted while they are worked on.
    if ended.state != RunState.HELD or ended.preview:
        shutil.rmtree(kept_folder(tools.folder, ended.id), ignore_errors=True)
    return ended


class _Run:
    """One process's work on one run."""

    def __init__(self, session: Session, run: SyncRun, lease: Lease, tools: Tools, folder: Path) -> None:
        self._session = session
        self._run = run
        self._lease = lease
        self._tools = tools
        self._folder = folder
        self._programme = session.get_one(Programme, run.programme_id)
        self._integration = session.get_one(Integration, (run.programme_id, run.integration_id))
        source = kind_of(self._integration.kind).feeds
        if source is None:
            raise FeedFailure("no_feed", "This kind of integration takes no files and pulls nothing.")
        self._source: FeedSource = source
        self._goes_on = run.phase != RunPhase.CHECK
        self._settings, self._version = self._settings_of(run)
        self._fingerprint = source.fingerprint(self._settings)
        policy = source.policy(self._integration, self._settings)
        self._released = run.released_at is not None
        name = self._integration.live_name or self._integration.name
        on_sqlite = session.get_bind().dialect.name == "sqlite"
        self._work = Work(
            session,
            lease,
            run.integration_id,
            tools.clock,
            Stage(folder, stage.BATCH if on_sqlite else stage.BATCH * stage.TIMES_WITHOUT_LOCK),
            replace(policy, counted=not self._released),
            Actor(ActorKind.INTEGRATION, name, run.integration_id),
            counts=_counts_of(run),
            progress=tools.progress,
            bell=tools.bell,
            preview=run.preview,
        )
        self._known = KnownPeople(session, run.programme_id, run.integration_id)
        session.commit()

    def go(self) -> None:
        """Bring the run to its end. A run that was cut off while it wrote goes on where it was."""
        if self._goes_on and self._work.stage.is_there():
            feed = self._open()
            try:
                self._apply(feed, self._run.phase, self._run.stage_offset, self._run.reason, self._run.facts)
            finally:
                feed.close()
            return
        feed = self._open()
        try:
            if not self._is_repeated(feed):
                self._check(feed)
        finally:
            feed.close()
            self._work.stage.close()

    def _settings_of(self, run: SyncRun) -> tuple[dict[str, Any], int | None]:
        """Return what counts for this run: what is live when it is checked, and that to its end."""
        if run.settings is not None:
            return run.settings, None
        version = run.version if self._goes_on and run.version else self._integration.live_version
        kept = self._session.get(IntegrationVersion, (run.programme_id, run.integration_id, version))
        if kept is None:
            raise FeedFailure("not_published", "The integration is not published, so nothing says how to read this.")
        return kept.settings, version

    def _open(self) -> Feed:
        run = self._run
        path = Path(run.path) if run.path else None
        if path is not None and not path.is_file():
            raise FeedFailure("file_gone", "The file is no longer there.")
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        earlier = runs.latest_pull(self._session, run) if self._source.pulls else None
        self._before = Pulled.of(earlier.pulled) if earlier is not None and earlier.pulled else None
        self._alike = earlier is not None and earlier.fingerprint == self._fingerprint
        self._session.commit()
        context = FeedContext(
            self._programme,
            self._integration,
            self._settings,
            path,
            run.file,
            self._folder,
            self._tools.sealer,
            self._tools.clock(),
            run.wants_full or run.preview,
            kept=kept_folder(self._tools.folder, run.id),
            released=self._released,
            earlier=self._before if self._alike else None,
            alive=self._work.alive,
            known=self._known.present,
            outbound_allow=self._tools.outbound_allow,
            session=self._session,
        )
        return self._source.open(context)

    def _is_repeated(self, feed: Feed) -> bool:
        """Settle a run whose file is that of the latest applied one, read the same way; tells whether it is settled."""
        run, work = self._run, self._work
        if run.content_digest is None or run.preview or self._released:
            return False
        earlier = runs.latest_written(self._session, run)
        if earlier is None or earlier.state != RunState.APPLIED or earlier.content_digest != run.content_digest:
            return False
        if earlier.fingerprint != self._fingerprint or earlier.full != feed.full:
            return False
        facts = {"run": str(earlier.facts.get("run", earlier.id)) if earlier.reason == "same_file" else str(earlier.id)}
        if earlier.refused:
            # What was refused then may be taken now, so the file is gone through once more.
            self._note = ("same_file", facts)
            return False
        work.counts.row_count = work.counts.unchanged = earlier.row_count
        self._work.keep(full=feed.full, fingerprint=self._fingerprint, version=self._version)
        ending.finish(work, RunState.APPLIED, reason="same_file", facts=facts)
        return True

    _note: tuple[str, dict[str, Any]] = ("", {})
    _before: Pulled | None = None
    _alike = True

    def _check(self, feed: Feed) -> None:
        work, session, run = self._work, self._session, self._run
        work.counts.phase = PULLING if self._source.pulls else RunPhase.CHECK
        feed.fetch()
        work.forget()
        pulled = feed.pulled
        kept = {"fingerprint": self._fingerprint, "version": self._version, "pulled": pulled and pulled.as_data()}
        work.keep(phase=RunPhase.CHECK, full=feed.full, **kept)
        session.commit()
        work.stage.begin()
        today = self._tools.clock().astimezone(self._programme.zone).date()
        rows = RowReader(CellReader(feed.rules, today), self._fingerprint)
        batches = Batches(run.programme_id, work.policy, feed.rules, work.actor)
        problems = Problems(work, feed.rules)
        seen = Seen(feed.full, run.path is not None, run.size_bytes, pulled, self._before, self._alike)
        work.counts.phase = RunPhase.CHECK
        earlier = runs.latest_written(session, run)
        remapped = earlier is not None and earlier.fingerprint != self._fingerprint
        found = Checker(work, feed, rows, batches, self._known, seen, remapped=remapped).go()
        conclusion = Conclusion(work, feed, rows, batches, self._known, problems, found)
        conclusion.draw()
        work.stage.end()
        reason, facts = self._note
        if conclusion.absence_ignored:
            facts = {"why": conclusion.absence_ignored, "row": found.nameless, **facts}
            reason = reason or "absence_ignored"
        pending = runs.pending_removals(session, run)
        weighed = guard.weigh(session, run.programme_id, work.counts.leavers, pending=pending, now=self._tools.clock())
        hold = None if self._released else reason_to_hold(seen, weighed)
        work.said()
        if run.preview:
            state = RunState.HELD if hold else RunState.APPLIED
            ending.finish(work, state, reason=hold[0] if hold else reason, facts=hold[1] if hold else facts)
            return
        if hold and self._source.holds_all(self._settings):
            work.counts.unchanged = 0
            ending.hold(work, *hold)
            return
        if hold:
            reason, facts = hold
        work.keep(phase=RunPhase.APPLY, stage_offset=0, checked_at=self._tools.clock(), reason=reason, facts=facts)
        session.commit()
        self._apply(feed, RunPhase.APPLY, 0, reason, facts)

    def _apply(self, feed: Feed, phase: RunPhase, offset: int, reason: str, facts: dict[str, Any]) -> None:
        work = self._work
        held = ending.is_hold(reason)
        write_much(self._session)
        batches = Batches(self._run.programme_id, work.policy, feed.rules, work.actor)
        applier = Applier(work, batches, self._known, Problems(work, feed.rules))
        applier.go(RunPhase(phase), offset, leavers=not held)
        if held:
            ending.hold(work, reason, facts)
        else:
            ending.finish(work, RunState.APPLIED, reason=reason, facts=facts)


def _counts_of(run: SyncRun) -> Counts:
    return Counts(phase=run.phase, **{name: getattr(run, name) for name in vars(Counts()) if name != "phase"})


__all__ = ["MOST_TRIES", "Tools", "kept_folder", "run_folder", "work_on_next", "work_on_preview"]
