"""Handing over: once, in order, never for what is switched off, and what happens to a file afterwards."""

import uuid
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from rgapp.integrations import service
from rgapp.integrations.sftp import accounts, arrivals
from rgapp.integrations.sftp.arrivals import EXAMPLE_KEPT, LISTED_FOR, Handed
from rgapp.integrations.sftp.receiving import receive
from rgapp.integrations.sftp.spool import BLOCK, Entry, Folder
from rgapp.models import Integration, RunState, SFTPFile, SyncRun
from tests.conftest import NOW
from tests.provisioning.conftest import ACTOR


@pytest.fixture
def folder(session: Session, integration: Integration, tmp_path: Path) -> Folder:
    """Return the folder of the integration's account."""
    account = accounts.ensure(session, integration, actor=ACTOR, now=NOW)
    made = Folder(tmp_path / "spool", account.username)
    made.make()
    return made


@pytest.fixture
def live(session: Session, integration: Integration) -> Integration:
    """Return the integration, published."""
    service.publish(session, integration, actor=ACTOR, now=NOW, without_test=True)
    return integration


def arrive(folder: Folder, name: str = "people.csv", content: bytes = b"rows") -> Entry:
    """Put a finished file into the spool."""
    entry = folder.begin(name)
    entry.path.write_bytes(content)
    return folder.finish(entry)


def hand_over(session: Session, folder: Folder, **changes: Any) -> list[Handed]:
    """Hand over what waits."""
    digests = {entry.id: arrivals.digest_of(entry) for entry in arrivals.waiting(session, folder)}
    return arrivals.hand_over(
        session, folder, changes.get("receive", receive), changes.get("digests", digests), now=NOW
    )


def test_each_file_becomes_a_run_once_and_in_order(session: Session, live: Integration, folder: Folder) -> None:
    files = [arrive(folder, "b.csv"), arrive(folder, "a.csv"), arrive(folder, "b.csv", b"again")]
    handed = hand_over(session, folder)
    assert [each.entry.id for each in handed] == [file.id for file in files]
    assert hand_over(session, folder) == []
    runs = session.query(SyncRun).order_by(SyncRun.id).all()
    assert [(run.file, run.path, run.size_bytes) for run in runs] == [
        (file.sent_as, str(file.path), file.size) for file in files
    ]
    assert [run.content_digest for run in runs[::2]] == [sha256(content).digest() for content in (b"rows", b"again")]
    assert [row.run_id for row in session.query(SFTPFile).order_by(SFTPFile.id)] == [run.id for run in runs]


def test_what_is_not_committed_is_handed_over_again(session: Session, live: Integration, folder: Folder) -> None:
    session.commit()
    arrive(folder)
    assert len(hand_over(session, folder)) == 1
    session.rollback()
    assert len(hand_over(session, folder)) == 1
    assert session.query(SyncRun).count() == 1


def test_a_file_whose_digest_is_not_known_yet_waits_and_those_after_it_too(
    session: Session, live: Integration, folder: Folder
) -> None:
    first, _, third = arrive(folder, "a.csv"), arrive(folder, "b.csv"), arrive(folder, "c.csv")
    digests = {each.id: arrivals.digest_of(each) for each in (first, third)}
    assert [each.entry for each in hand_over(session, folder, digests=digests)] == [first]
    assert len(hand_over(session, folder)) == 2


def test_files_wait_while_their_integration_is_switched_off(
    session: Session, live: Integration, folder: Folder
) -> None:
    service.set_enabled(session, live, False, actor=ACTOR, now=NOW)
    arrive(folder)
    assert hand_over(session, folder) == []
    service.set_enabled(session, live, True, actor=ACTOR, now=NOW)
    assert len(hand_over(session, folder)) == 1


def test_a_drafts_newest_file_is_its_example_and_stays_one(
    session: Session, integration: Integration, folder: Folder
) -> None:
    assert arrivals.example(session, folder) is None
    arrive(folder, "old.csv")
    newest = arrive(folder, "new.csv")
    assert [each.run_id for each in hand_over(session, folder)] == [None, None]
    assert arrivals.example(session, folder) == newest
    service.publish(session, integration, actor=ACTOR, now=NOW, without_test=True)
    assert hand_over(session, folder) == []
    assert session.query(SyncRun).count() == 0


def test_files_of_nobody_are_left_alone(session: Session, tmp_path: Path) -> None:
    folder = Folder(tmp_path, "nobody-123456")
    folder.make()
    arrive(folder)
    assert hand_over(session, folder) == []
    assert len(arrivals.waiting(session, folder)) == 1


def test_a_file_stays_listed_until_a_while_after_its_run(session: Session, live: Integration, folder: Folder) -> None:
    entry = arrive(folder)
    hand_over(session, folder)
    run = session.query(SyncRun).one()
    assert arrivals.tidy(session, folder, now=NOW + timedelta(days=1)) == 0
    run.state, run.finished_at = RunState.APPLIED, NOW
    session.flush()
    assert arrivals.tidy(session, folder, now=NOW + LISTED_FOR - timedelta(seconds=1)) == 0
    assert list(folder.listing()) == ["people.csv"]
    assert arrivals.tidy(session, folder, now=NOW + LISTED_FOR) == 1
    assert folder.listing() == {}
    assert entry.path.exists()


def test_a_file_whose_run_is_gone_is_listed_no_more(session: Session, live: Integration, folder: Folder) -> None:
    arrive(folder)
    hand_over(session, folder, receive=lambda *_, **__: uuid.uuid4())
    assert arrivals.tidy(session, folder, now=NOW + LISTED_FOR) == 1


@pytest.mark.parametrize(
    ("state", "there"), [(RunState.APPLIED, False), (RunState.FAILED, False), (RunState.HELD, True)]
)
def test_a_file_is_deleted_a_set_time_after_its_run_unless_it_is_held(
    session: Session, live: Integration, folder: Folder, state: RunState, there: bool
) -> None:
    entry = arrive(folder)
    hand_over(session, folder)
    run = session.query(SyncRun).one()
    run.state, run.finished_at = state, NOW
    session.flush()
    kept = timedelta(days=7)
    arrivals.tidy(session, folder, now=NOW + kept - timedelta(seconds=1), kept=kept)
    assert entry.path.exists()
    arrivals.tidy(session, folder, now=NOW + kept, kept=kept)
    assert entry.path.exists() is there
    assert folder.listing() == {}
    assert hand_over(session, folder) == []


def test_files_of_past_runs_make_room_the_oldest_first(session: Session, live: Integration, folder: Folder) -> None:
    entries = [arrive(folder, f"{number}.csv") for number in range(4)]
    hand_over(session, folder)
    states = (RunState.APPLIED, RunState.HELD, RunState.APPLIED, RunState.DISCARDED)
    for run, state in zip(session.query(SyncRun).order_by(SyncRun.id), states, strict=True):
        run.state, run.finished_at = state, NOW
    session.flush()
    there = lambda: [entry.path.exists() for entry in entries]  # noqa: E731 - said four times.
    arrivals.tidy(session, folder, now=NOW + LISTED_FOR, most_bytes=BLOCK)
    assert there() == [True] * 4
    arrivals.tidy(session, folder, now=NOW + LISTED_FOR, most_bytes=3 * BLOCK)
    assert there() == [True] * 4
    arrivals.tidy(session, folder, now=NOW + LISTED_FOR, most_bytes=BLOCK)
    assert there() == [False, True, False, True]


def test_old_examples_are_deleted(session: Session, integration: Integration, folder: Folder) -> None:
    entry = arrive(folder)
    hand_over(session, folder)
    assert arrivals.tidy(session, folder, now=NOW + EXAMPLE_KEPT - timedelta(seconds=1)) == 0
    assert arrivals.tidy(session, folder, now=NOW + EXAMPLE_KEPT) == 1
    assert not entry.path.exists()
    assert arrivals.example(session, folder) is None
