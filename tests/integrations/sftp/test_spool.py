"""The spool on disk: what is listed, when a file counts, and that nothing of a received file changes."""

import os
from pathlib import Path

import pytest

from rgapp.integrations.sftp.spool import Entry, Folder, usernames


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Return the empty folder of an account."""
    made = Folder(tmp_path, "acme-7k2m9q")
    made.make()
    return made


def put(folder: Folder, name: str, content: bytes = b"rows") -> Entry:
    """Upload a file that is not finished."""
    entry = folder.begin(name)
    entry.path.write_bytes(content)
    return entry


@pytest.mark.parametrize("username", ["", "..", "a/b", "a\0b", "é", ".rgapp", "a b"])
def test_only_user_names_of_ours_become_paths(tmp_path: Path, username: str) -> None:
    with pytest.raises(ValueError, match="not a user name"):
        Folder(tmp_path, username)


def test_nobody_else_may_look_into_it(folder: Folder) -> None:
    assert {path.stat().st_mode & 0o077 for path in (folder.base, folder.unfinished, folder.received)} == {0}
    assert put(folder, "people.csv").path.stat().st_mode & 0o777 == 0o600


def test_an_account_without_a_folder_has_no_files(tmp_path: Path) -> None:
    assert Folder(tmp_path, "acme-7k2m9q").listing() == {}
    assert usernames(tmp_path) == []


def test_a_finished_file_is_listed_and_cannot_be_reached_by_its_sender(folder: Folder) -> None:
    entry = put(folder, "people.csv")
    assert not folder.listing()["people.csv"].received
    done = folder.finish(entry)
    assert folder.listing() == {"people.csv": done}
    assert (done.size, done.received, done.path.read_bytes()) == (4, True, b"rows")
    assert not entry.path.exists()
    assert usernames(folder.base.parent.parent) == ["acme-7k2m9q"]


def test_two_files_of_one_name_are_both_kept_in_order(folder: Folder) -> None:
    first, second = folder.finish(put(folder, "people.csv", b"first")), folder.finish(put(folder, "people.csv", b"2nd"))
    assert [entry.id for entry in folder.received_files()] == [first.id, second.id]
    assert folder.listing()["people.csv"] == second
    assert first.path.read_bytes() == b"first"


def test_what_was_left_of_an_earlier_try_goes_with_the_whole_file(folder: Folder) -> None:
    put(folder, "people.csv", b"ha")
    busy = put(folder, "people.csv", b"by another connection")
    folder.finish(put(folder, "people.csv", b"whole"), busy={busy.id})
    assert [entry.id for entry in folder.unfinished_files()] == [busy.id]


def test_a_newer_try_is_listed_before_what_was_received(folder: Folder) -> None:
    folder.finish(put(folder, "people.csv", b"whole"))
    half = put(folder, "people.csv", b"ha")
    assert folder.listing()["people.csv"].id == half.id


def test_a_file_may_be_finished_under_another_name(folder: Folder) -> None:
    done = folder.finish(put(folder, "people.csv.part"), name="people.csv")
    assert done.path.name.endswith("-people.csv")
    assert list(folder.listing()) == ["people.csv"]


def test_a_received_file_keeps_its_path_whatever_it_is_called(folder: Folder) -> None:
    done = folder.finish(put(folder, "people.csv"))
    folder.relist(done, "people.old")
    folder.relist(done, "people.older")
    (found,) = folder.received_files()
    assert (found.name, found.sent_as, found.path) == ("people.older", "people.csv", done.path)
    folder.remove("people.older")
    assert folder.listing() == {}
    assert done.path.read_bytes() == b"rows"


def test_removing_leaves_nothing_under_a_name(folder: Folder) -> None:
    folder.finish(put(folder, "people.csv"))
    folder.finish(put(folder, "people.csv"))
    put(folder, "people.csv")
    folder.remove("people.csv")
    assert folder.listing() == {}
    assert len(folder.received_files()) == 2
    assert folder.unfinished_files() == []


def test_an_unfinished_file_can_be_renamed_and_stays_so(folder: Folder) -> None:
    renamed = folder.rename_unfinished(put(folder, "a.part"), "b.part")
    assert folder.listing()["b.part"].path == renamed.path


def test_old_tries_are_swept_and_nothing_else(folder: Folder) -> None:
    old, busy, new = put(folder, "old.csv"), put(folder, "busy.csv"), put(folder, "new.csv")
    for entry in (old, busy):
        os.utime(entry.path, (1000, 1000))
    gone = folder.finish(put(folder, "gone.csv"))
    folder.relist(gone, "other.csv")
    gone.path.unlink()
    assert folder.sweep(before=2000, busy={busy.id}) == 1
    assert list(folder.listing()) == ["busy.csv", "new.csv"]
    assert list((folder.base / "relisted").iterdir()) == []
    assert new.path.exists()


def test_what_is_none_of_ours_is_left_alone(folder: Folder, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    (folder.received / f"{'0' * 32}-link.csv").symlink_to(secret)
    (folder.received / "people.csv").write_text("without an id")
    (folder.received / f"{'0' * 32}-sub").mkdir()
    (folder.received / f"{'z' * 32}-people.csv").write_text("no id")
    assert folder.listing() == {}
