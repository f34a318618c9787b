"""`flask sync …`: process a file or pull now, list the runs, and settle what is held."""

import hashlib
import shutil
import sys
import time
import uuid
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Final

import click
from flask.cli import with_appcontext
from sqlalchemy import select

from rgapp.audit.service import COMMAND_LINE
from rgapp.cli.support import (
    CommandError,
    explained_errors,
    group,
    json_option,
    note,
    print_json,
    print_table,
    reads,
    utcnow,
    writes,
)
from rgapp.database import reading
from rgapp.extensions import db
from rgapp.integrations import service
from rgapp.integrations.registry import kind_of
from rgapp.integrations.sync import report, runs, settling
from rgapp.integrations.sync.engine import work_on_next, work_on_preview
from rgapp.integrations.sync.feed import FeedSource
from rgapp.integrations.sync.settling import CannotSettle, Settled
from rgapp.integrations.sync.work import Counts
from rgapp.jobs.sync import kept_files, tools_of
from rgapp.models import Integration, RunState, SyncRun
from rgapp.wording_sync import OBSTACLES, problem_words, reason_words

EXIT: Final = {RunState.APPLIED: 0, RunState.HELD: 3, RunState.FAILED: 1}
LOOKS_EVERY_SECONDS: Final = 0.5
SHOWN: Final = 20

sync = group("sync", "Process files and pulls of directory feeds, list the runs, settle what is held.")
integration_option = click.option("--integration", "integration_id", required=True, metavar="ID", help="Its id.")


def _with_context(function: Callable[..., Any]) -> Callable[..., Any]:
    """Run a command that begins and ends its own transactions."""

    @with_appcontext
    @wraps(function)
    def command(*args: Any, **kwargs: Any) -> Any:
        with explained_errors():
            try:
                return function(*args, **kwargs)
            finally:
                db.session.rollback()

    return command


@sync.command("run")
@click.argument("file", required=False, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@integration_option
@click.option("--dry-run", is_flag=True, help="Say what would come of it, and write nothing.")
@click.option("--full", is_flag=True, help="Pull everything, not only what has changed.")
@_with_context
def run_now(file: Path | None, integration_id: str, dry_run: bool, full: bool) -> None:
    """Process FILE, or pull, and wait for the end: exit code 0 applied, 3 held, 1 failed."""
    integration, source = _feed_called(integration_id)
    if file is None and not source.pulls:
        raise CommandError("Give a file: this integration waits for files.")
    if file is not None and source.pulls:
        raise CommandError("Give no file: this integration pulls by itself.")
    settings = service.live_settings(db.session(), integration)
    if settings is None and not dry_run:
        raise CommandError("This integration is not published yet. --dry-run tells what its draft would make of it.")
    if not dry_run and not integration.is_live:
        raise CommandError("This integration is switched off.")
    path, digest = _kept(file, integration) if file else (None, None)
    run = runs.receive(
        db.session(),
        integration,
        now=utcnow(),
        path=path,
        name=file.name if file else "",
        content_digest=digest,
        wants_full=full,
        preview_of=(settings or dict(integration.draft)) if dry_run else None,
    )
    db.session.commit()
    ended = _brought_to_its_end(run)
    _print_run(ended)
    if dry_run and path is not None:
        path.unlink(missing_ok=True)
    raise SystemExit(EXIT.get(RunState(ended.state), 1))


@sync.command("list")
@integration_option
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many at most.")
@json_option
@reads
def list_runs(integration_id: str, limit: int, as_json: bool) -> None:
    """List the runs of an integration, newest first."""
    integration, _ = _feed_called(integration_id)
    found = [
        report.as_data(run) for run in runs.history(db.session(), integration.programme_id, integration.id, limit=limit)
    ]
    if as_json:
        print_json(found)
        return
    heads = ("id", "state", "file", "received", "created", "updated", "deactivated", "refused", "reason")
    rows = [[str(each[head]) if each[head] is not None else "" for head in heads] for each in found]
    print_table(heads, rows, empty="There has been no run yet.")


@sync.command("release")
@click.argument("run_id", metavar="RUN")
@writes
def release(run_id: str) -> None:
    """Let a held RUN be applied as it is."""
    run = _run_called(run_id)
    try:
        settled = settling.release(db.session(), run, COMMAND_LINE, now=utcnow())
    except CannotSettle as error:
        raise CommandError(OBSTACLES[error.obstacle]) from error
    if settled is Settled.NEEDS_SECOND_PERSON:
        click.echo(f"Release of run {run.id} asked for: a second person has to confirm.")
    else:
        click.echo(f"Released run {run.id}: it is applied at its turn.")


@sync.command("discard")
@click.argument("run_id", metavar="RUN")
@writes
def discard(run_id: str) -> None:
    """Put a held RUN away."""
    run = _run_called(run_id)
    try:
        settling.discard(db.session(), run, COMMAND_LINE, now=utcnow())
    except CannotSettle as error:
        raise CommandError(OBSTACLES[error.obstacle]) from error
    click.echo(f"Discarded run {run.id}.")


def _brought_to_its_end(run: SyncRun) -> SyncRun:
    """Work on what is open until this run has ended; where others are at it, wait for them."""
    session, place = db.session(), (run.programme_id, run.integration_id)
    with click.progressbar(length=100, label=run.file or "Pull", file=sys.stderr) as bar:

        def show(counts: Counts) -> None:
            bar.label = f"{counts.phase or 'done'}: {counts.row_count:,} rows"
            bar.update(counts.share - bar.pos)

        tools = tools_of(session, show)
        while True:
            if run.preview:
                done = work_on_preview(session, run.programme_id, run.id, tools)
            else:
                done = work_on_next(session, *place, tools)
            with reading():
                found = runs.get(session, run.programme_id, run.id)
                session.rollback()
            if found is None or found.state not in runs.OPEN:
                break
            if done is None:
                time.sleep(LOOKS_EVERY_SECONDS)
        bar.update(100 - bar.pos)
    if found is None:
        raise CommandError("The run has been deleted.")
    return found


def _print_run(run: SyncRun) -> None:
    verb = {RunState.APPLIED: "would be applied", RunState.HELD: "would be held"} if run.preview else {}
    state = RunState(run.state)
    click.echo(f"Run {run.id}: {verb.get(state, state.value)}")
    if run.reason:
        click.echo(f"  {reason_words(run.reason, run.facts)}")
    counted = {name: getattr(run, name) for name in report.COUNTERS}
    click.echo("  " + ", ".join(f"{name} {value:,}" for name, value in counted.items()))
    with reading():
        for each in report.leavers(db.session(), run.programme_id, run.id, limit=SHOWN):
            if run.preview or state is RunState.HELD:
                click.echo(f"  would leave: {each.person}")
        for problem in report.problems(db.session(), run.programme_id, run.id, limit=SHOWN):
            at = f", {problem.column_name}" if problem.column_name else ""
            words = problem_words(problem.code, problem.facts, problem.column_name)
            where = f"row {problem.row_number}{at}" if problem.row_number else problem.cell
            click.echo(f"  {where}: {words}")
        db.session.rollback()
    if run.problems > SHOWN:
        note(f"Of {run.problems:,} problems the first {SHOWN} are shown.")


def _kept(file: Path, integration: Integration) -> tuple[Path, bytes]:
    """Copy a file to where it stays as it is until its run has ended; returns the place and the digest of its bytes."""
    folder = kept_files(integration.id)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    place = folder / f"{uuid.uuid4().hex}-{file.name}"
    shutil.copyfile(file, place)
    with place.open("rb") as opened:
        return place, hashlib.file_digest(opened, "sha256").digest()


def _feed_called(integration_id: str) -> tuple[Integration, FeedSource]:
    """Return an integration that is a feed, by its id.

    Raises `CommandError`.
    """
    found = db.session.scalar(select(Integration).where(Integration.id == _id_of(integration_id, "an integration")))
    if found is None:
        raise CommandError(f"There is no integration {integration_id}. `flask integration list` shows the IDs.")
    source = kind_of(found.kind).feeds
    if source is None:
        raise CommandError(f"{found.live_name or found.name} takes no files and pulls nothing.")
    return found, source


def _run_called(run_id: str) -> SyncRun:
    found = db.session.scalar(select(SyncRun).where(SyncRun.id == _id_of(run_id, "a run")))
    if found is None:
        raise CommandError(f"There is no run {run_id}. `flask sync list` shows the IDs.")
    return found


def _id_of(text: str, what: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise CommandError(f"{text!r} is not the ID of {what}.") from error
