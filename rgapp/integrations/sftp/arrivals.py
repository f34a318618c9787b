"""Handing over: each finished file of the spool becomes a run, once, in order of arrival; or a draft's example."""

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from rgapp.integrations.sftp.spool import HIDDEN, Entry, Folder, room_of
from rgapp.models import FileState, Integration, RunState, SFTPAccount, SFTPFile, SyncRun

# How long a file stays listed after its run, for a sender who looks whether it arrived.
LISTED_FOR: Final = timedelta(hours=1)
# How long an example stays; what it showed is in the mapping by then.
EXAMPLE_KEPT: Final = timedelta(days=30)
# How long a file stays after its run, for those who look into it; what it said is in the run's report.
FILES_KEPT: Final = timedelta(days=30)
OPEN: Final = (RunState.RECEIVED, RunState.RUNNING)
SETTLED: Final = (RunState.APPLIED, RunState.FAILED, RunState.DISCARDED)
IDS_AT_ONCE: Final = 500


class Receive(Protocol):
    """What the engine of sync runs offers: make a run of a file that has arrived, in the caller's transaction."""

    def __call__(
        self, session: Session, integration: Integration, *, path: Path, name: str, digest: bytes, now: datetime
    ) -> uuid.UUID:
        """Return the run's id."""


@dataclass(frozen=True)
class Handed:
    """One file that was taken note of: whose it is, and its run, None for an example."""

    programme_id: uuid.UUID
    integration_id: uuid.UUID
    entry: Entry
    run_id: uuid.UUID | None


def is_account(session: Session, username: str) -> bool:
    """Tell whether there is an account with this user name."""
    return _account(session, username) is not None


def waiting(session: Session, folder: Folder) -> list[Entry]:
    """Return the received files of an account that nobody has taken note of yet, in order; reads only."""
    entries = folder.received_files()
    known = _known(session, folder.username, [entry.id for entry in entries])
    return [entry for entry in entries if entry.id not in known]


def digest_of(entry: Entry) -> bytes:
    """Return what identifies the bytes of a file; takes as long as reading it, so no transaction should be open."""
    with entry.path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").digest()


def hand_over(
    session: Session, folder: Folder, receive: Receive, digests: Mapping[uuid.UUID, bytes], *, now: datetime
) -> list[Handed]:
    """Make a run of each received file that has none; of a draft that was never published, note it as an example.

    `digests` are those of the files that wait; one that arrived since they were made waits for the next time, and so do
    those after it. While an integration is switched off its files wait. The integration's row is held meanwhile, so
    that nobody hands over a later file first. Flushes; the caller commits, and what is not committed is found again.
    """
    account = _account(session, folder.username)
    if account is None or not waiting(session, folder):
        return []
    integration = session.scalar(
        select(Integration)
        .where(Integration.programme_id == account.programme_id, Integration.id == account.integration_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if integration is None or not (integration.is_live or integration.live_version is None):
        return []
    handed = []
    for entry in waiting(session, folder):  # Again: somebody may have been here before the row was ours.
        run_id, digest = None, digests.get(entry.id)
        if digest is None:
            break
        if integration.is_live:
            run_id = receive(session, integration, path=entry.path, name=entry.sent_as, digest=digest, now=now)
        session.add(
            SFTPFile(
                programme_id=integration.programme_id,
                id=entry.id,
                integration_id=integration.id,
                name=entry.sent_as,
                size_bytes=entry.size,
                received_at=now,
                state=FileState.EXAMPLE if run_id is None else FileState.HANDED_OVER,
                run_id=run_id,
            )
        )
        handed.append(Handed(integration.programme_id, integration.id, entry, run_id))
    session.flush()
    return handed


def example(session: Session, folder: Folder) -> Entry | None:
    """Return the newest example file of a draft, None where none has arrived or it was deleted."""
    files = {entry.id: entry for entry in folder.received_files()}
    rows = _rows(session, folder.username, list(files))
    examples = [row.id for row in rows if row.state == FileState.EXAMPLE]
    return files[max(examples)] if examples else None


def tidy(
    session: Session,
    folder: Folder,
    *,
    now: datetime,
    kept: timedelta = FILES_KEPT,
    most_bytes: int | None = None,
) -> int:
    """List no more what was handled a while ago, and delete what nobody needs: old examples, and files of old runs.

    Where files of past runs take more than `most_bytes` in the spool, the oldest that are listed no more go before
    their time. The file of a run that is held stays, for it may be released. Reads the database only; returns how many
    files that concerned.
    """
    entries = {entry.id: entry for entry in folder.received_files()}
    rows = _rows(session, folder.username, list(entries))
    runs = _runs(session, rows)
    count, past = 0, list[Entry]()
    for row in rows:
        entry, run = entries[row.id], runs.get(row.run_id) if row.run_id is not None else None
        if row.state == FileState.EXAMPLE:
            is_over, gone_after, over_since = False, EXAMPLE_KEPT, row.received_at
        elif run is None:
            is_over, gone_after, over_since = True, kept, row.received_at
        else:
            is_over, gone_after, over_since = run.state not in OPEN, kept, run.finished_at or now
        if over_since <= now - gone_after and (run is None or run.state in SETTLED):
            entry.path.unlink(missing_ok=True)
        elif is_over and entry.name != HIDDEN and over_since <= now - LISTED_FOR:
            folder.relist(entry, HIDDEN)
        else:
            if is_over and entry.name == HIDDEN and (run is None or run.state in SETTLED):
                past.append(entry)
            continue
        count += 1
    return count + (_make_room(past, most_bytes) if most_bytes is not None else 0)


def _make_room(past: Sequence[Entry], most_bytes: int) -> int:
    """Delete the oldest of these files until the others take no more than so much."""
    taken, count = sum(room_of(entry.size) for entry in past), 0
    for entry in sorted(past, key=lambda each: each.id):
        if taken <= most_bytes:
            break
        entry.path.unlink(missing_ok=True)
        taken, count = taken - room_of(entry.size), count + 1
    return count


def _runs(session: Session, rows: Sequence[SFTPFile]) -> dict[uuid.UUID, SyncRun]:
    ids = [row.run_id for row in rows if row.run_id is not None]
    found: dict[uuid.UUID, SyncRun] = {}
    for start in range(0, len(ids), IDS_AT_ONCE):
        query = select(SyncRun).where(
            SyncRun.programme_id == rows[0].programme_id, SyncRun.id.in_(ids[start : start + IDS_AT_ONCE])
        )
        found |= {run.id: run for run in session.scalars(query)}
    return found


def _account(session: Session, username: str) -> SFTPAccount | None:
    return session.scalar(select(SFTPAccount).where(SFTPAccount.username == username))


def _rows(session: Session, username: str, ids: Sequence[uuid.UUID]) -> list[SFTPFile]:
    account = _account(session, username)
    rows: list[SFTPFile] = []
    for start in range(0, len(ids) if account is not None else 0, IDS_AT_ONCE):
        assert account is not None  # noqa: S101 - the range is empty without one.
        query = select(SFTPFile).where(
            SFTPFile.programme_id == account.programme_id, SFTPFile.id.in_(ids[start : start + IDS_AT_ONCE])
        )
        rows += session.scalars(query)
    return rows


def _known(session: Session, username: str, ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    return {row.id for row in _rows(session, username, ids)}
