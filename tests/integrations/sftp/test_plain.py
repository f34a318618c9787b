"""Files that another SFTP server left: which are whole, taking them once, and what their sender still sees."""

import os
import time
from pathlib import Path

import pytest

from rgapp.integrations.sftp import spool
from rgapp.integrations.sftp.plain import PlainFolder, is_finished, plain_usernames
from rgapp.integrations.sftp.spool import HIDDEN

NAME = "acme-7k2m9q"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return the folder into which the other server writes."""
    folder = tmp_path / NAME / "files"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def plain(root: Path) -> PlainFolder:
    """Return the folders of the account."""
    return PlainFolder(root.parent.parent, NAME)


def rename_into_place(folder: Path, name: str = "people.csv", content: bytes = b"rows") -> Path:
    """Upload a file as a careful client does."""
    part = folder / f"{name}.part"
    part.write_bytes(content)
    time.sleep(0.02)  # The clock of the file system ticks in steps.
    return part.rename(folder / name)


def take(plain: PlainFolder, now: float | None = None) -> list[tuple[str, bytes]]:
    """Take what is finished."""
    return [(each.sent_as, each.path.read_bytes()) for each in plain.take(now=time.time() if now is None else now)]


def test_a_file_that_was_renamed_into_place_is_taken_once(plain: PlainFolder, root: Path) -> None:
    rename_into_place(root)
    assert take(plain) == [("people.csv", b"rows")]
    assert take(plain) == []
    assert (root / "people.csv").read_bytes() == b"rows"


def test_the_account_s_own_folder_is_looked_at_too(plain: PlainFolder, root: Path) -> None:
    rename_into_place(root.parent)
    assert take(plain) == [("people.csv", b"rows")]


def test_the_same_name_again_is_taken_again(plain: PlainFolder, root: Path) -> None:
    rename_into_place(root)
    take(plain)
    rename_into_place(root, content=b"more")
    assert take(plain) == [("people.csv", b"more")]
    assert len(plain.folder.received_files()) == 2


def test_writing_over_a_copy_is_a_new_file_and_leaves_the_first_alone(plain: PlainFolder, root: Path) -> None:
    rename_into_place(root)
    take(plain)
    (root / "people.csv").write_bytes(b"over it")
    assert take(plain) == []
    os.utime(root / "people.csv")
    time.sleep(0.02)
    os.utime(root / "people.csv", (5, 5))
    assert take(plain) == [("people.csv", b"over it")]
    assert plain.folder.received_files()[0].path.read_bytes() == b"rows"


def test_a_plain_upload_counts_once_it_was_left_alone(plain: PlainFolder, root: Path) -> None:
    (root / "people.csv").write_bytes(b"rows")
    assert take(plain) == []
    assert take(plain, now=time.time() + 601) == [("people.csv", b"rows")]


def test_what_is_open_for_writing_is_not_taken(plain: PlainFolder, root: Path) -> None:
    path = rename_into_place(root)
    with path.open("ab"):
        assert not is_finished(path, now=time.time() + 10_000)
        assert take(plain) == []
    assert is_finished(path, now=time.time())
    assert not is_finished(root / "nothing.csv", now=time.time())


@pytest.mark.parametrize("name", [".people.csv", "people.csv.filepart", "people\n.csv"])
def test_names_that_wait_or_cannot_be_are_left(plain: PlainFolder, root: Path, name: str) -> None:
    (root / name).write_bytes(b"rows")
    assert take(plain, now=time.time() + 10_000) == []


def test_links_and_folders_are_left(plain: PlainFolder, root: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    (root / "link.csv").symlink_to(secret)
    (root / "folder.csv").mkdir()
    os.mkfifo(root / "pipe.csv")
    assert take(plain, now=time.time() + 10_000) == []
    (tmp_path / "other").symlink_to(root.parent)
    assert not PlainFolder(tmp_path, "other").exists()
    assert plain_usernames(tmp_path) == [NAME]


def test_copies_go_with_the_listing(plain: PlainFolder, root: Path) -> None:
    rename_into_place(root)
    rename_into_place(root, "changed.csv")
    take(plain)
    for entry in plain.folder.received_files():
        plain.folder.relist(entry, HIDDEN)
    (root / "changed.csv").write_bytes(b"a new one")
    assert take(plain) == []
    assert [each.name for each in root.iterdir()] == ["changed.csv"]


def test_a_lost_memory_only_takes_a_copy_again(plain: PlainFolder, root: Path) -> None:
    rename_into_place(root)
    take(plain)
    (plain.folder.base / "copies.json").write_text("{")
    assert take(plain) == [("people.csv", b"rows")]


def test_a_spool_that_is_not_there_has_no_accounts(tmp_path: Path) -> None:
    assert plain_usernames(tmp_path / "nothing") == []


@pytest.mark.parametrize("moment", ["before it is brought to the disk", "before it is moved"])
def test_a_link_that_takes_the_place_of_a_file_shows_nothing_of_others(
    plain: PlainFolder, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    secret = tmp_path / "of-somebody-else"
    secret.write_bytes(b"secret")
    path = rename_into_place(root)
    sync = spool._sync

    def swap(of: Path) -> None:
        if of == path and moment.endswith("disk"):
            path.unlink()
            path.symlink_to(secret)
        sync(of)
        if of == path:
            path.unlink()
            path.symlink_to(secret)

    monkeypatch.setattr(spool, "_sync", swap)
    assert take(plain) == []
    assert plain.folder.received_files() == []
    assert [each for each in root.iterdir() if not each.is_symlink()] == []
    assert list(plain.folder.received.iterdir()) == []
