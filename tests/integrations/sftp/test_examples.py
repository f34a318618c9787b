"""The example file of a set-up: kept whole in a private place, read once, replaced by the next, and deleted in time."""

import errno
import os
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from rgapp.integrations.files.errors import UnreadableFile
from rgapp.integrations.files.table import Layout, Unreadable
from rgapp.integrations.sftp import columns, examples
from rgapp.integrations.sftp.columns import Sample
from rgapp.integrations.sftp.examples import Example
from rgapp.integrations.sftp.spool import Folder

NOW = datetime(2026, 11, 25, 1, 30, tzinfo=UTC)
CSV = "Employee ID,Birthday\nE1,03/04/1990\nE2,\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return where the example of an account is kept."""
    return examples.folder_of(tmp_path, "acme-7k2m9q")


def writes(text: str) -> Callable[[Path], None]:
    """Return what brings a file with this text."""

    def bring(path: Path) -> None:
        path.write_text(text)

    return bring


def keep(folder: Path, name: str = "people.csv", text: str = CSV) -> Example:
    return examples.keep(folder, name, writes(text), key=None, uploaded=True, now=NOW)


def test_what_is_kept_is_found_again(folder: Path) -> None:
    kept = keep(folder, "C:\\Exports\\people.csv")
    assert examples.current(folder) == kept
    assert (kept.name, kept.size_bytes, kept.taken_at) == ("people.csv", len(CSV), NOW)
    assert kept.sample == Sample(Layout(("Employee ID", "Birthday"), 1, 2, False, kept.sample.layout.details), 2, [
        ["E1", "E2"], ["03/04/1990"],
    ])  # fmt: skip
    assert folder.stat().st_mode & 0o777 == 0o700


def test_the_next_one_takes_its_place(folder: Path) -> None:
    first = keep(folder)
    second = keep(folder, text=CSV + "E3,\n")
    assert examples.current(folder) == second
    assert not first.path.exists()
    assert len(list(folder.iterdir())) == 2


def test_one_that_cannot_be_read_leaves_the_one_before(folder: Path) -> None:
    first = keep(folder)
    with pytest.raises(UnreadableFile):
        keep(folder, "people.pdf")
    assert examples.current(folder) == first
    assert len(list(folder.iterdir())) == 2


def test_dates_and_cells_without_a_value_stay_what_they_are(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sample = Sample(Layout(("A", "B"), 1, 2, True), 2, [[date(1990, 4, 3)], [Unreadable("#N/A"), "x" * 600]])
    monkeypatch.setattr(examples, "take_sample", lambda table: sample)
    keep(folder)
    found = examples.current(folder)
    assert found is not None
    assert found.sample.columns[0] == [date(1990, 4, 3)]
    assert isinstance(found.sample.columns[1][0], Unreadable)
    assert found.sample.columns[1][1] == "x" * examples.CELL_LENGTH
    assert columns.dates_of(found.sample, "A", today=NOW.date()).kept_as_dates


@pytest.mark.parametrize("text", ["", "{", "{}", '{"name": "x", "taken_at": "never", "uploaded": true, "sample": {}}'])
def test_what_was_cut_off_is_no_example(folder: Path, text: str) -> None:
    kept = keep(folder)
    kept.path.with_suffix(examples.SHOWN).write_text(text)
    assert examples.current(folder) is None


def test_an_old_example_is_deleted(folder: Path) -> None:
    assert not examples.forget_old(folder, before=NOW)
    kept = keep(folder)
    old = (NOW - timedelta(days=31)).timestamp()
    os.utime(kept.path.with_suffix(examples.SHOWN), (old, old))
    assert not examples.forget_old(folder, before=NOW - timedelta(days=32))
    assert examples.forget_old(folder, before=NOW - timedelta(days=30))
    assert not folder.exists()


def test_the_last_upload_is_linked_or_copied(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    account = Folder(tmp_path, "acme-7k2m9q")
    account.make()
    assert examples.last_upload(tmp_path, "acme-7k2m9q") is None
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(CSV)
        account.adopt(tmp_path / name, name)
    entry = examples.last_upload(tmp_path, "acme-7k2m9q")
    assert entry is not None
    assert entry.sent_as == "b.csv"
    bring = examples.link_or_copy(entry.path)
    kept = examples.keep(folder, entry.sent_as, bring, key=None, uploaded=False, now=NOW)
    assert kept.path.samefile(entry.path)

    def refuse(*_: object) -> None:
        raise OSError(errno.EXDEV, "another file system")

    monkeypatch.setattr(os, "link", refuse)
    kept = examples.keep(folder, entry.sent_as, bring, key=None, uploaded=False, now=NOW)
    assert not kept.path.samefile(entry.path)
    assert kept.path.read_text() == CSV
    monkeypatch.undo()
    entry.path.unlink()
    with pytest.raises(FileNotFoundError):
        examples.keep(folder, entry.sent_as, bring, key=None, uploaded=False, now=NOW)
