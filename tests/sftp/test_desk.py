"""The desk of an account, without SSH: what completes a file, and what two connections do to each other."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rgapp.integrations.sftp.spool import BLOCK, Folder
from rgapp.sftp.desk import Desk
from rgapp.sftp.limits import Quota
from rgapp.sftp.upload import Reason, Refused, Upload

QUOTA = Quota(file_bytes=100, files=3, total_bytes=100 * BLOCK)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Return the desk of an account without files."""
    return Desk(Folder(tmp_path, "acme-7k2m9q"), QUOTA)


def begin(desk: Desk, name: str = "people.csv", content: bytes = b"rows") -> Upload:
    """Begin a new upload."""
    upload = desk.open_to_write(name, create=True, truncate=True)
    desk.write(upload, 0, content)
    return upload


def refusal(function: Callable[[], object]) -> Reason:
    """Return why something is refused."""
    with pytest.raises(Refused) as refused:
        function()
    return refused.value.reason


def received(desk: Desk) -> list[tuple[str, bytes]]:
    """Return what counts, in order."""
    return [(entry.sent_as, entry.path.read_bytes()) for entry in desk.folder.received_files()]


def test_a_file_counts_when_its_client_closes_it(desk: Desk) -> None:
    upload = begin(desk)
    assert (desk.is_busy, received(desk)) == (True, [])
    assert desk.close(upload) is not None
    assert (desk.is_busy, received(desk)) == (False, [("people.csv", b"rows")])


def test_a_cut_one_does_not(desk: Desk) -> None:
    desk.cut(begin(desk))
    assert (desk.is_busy, received(desk)) == (False, [])
    assert desk.find("people.csv").size == 4


def test_a_write_that_failed_is_never_whole(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = begin(desk)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        with pytest.raises(OSError, match="No space"):
            desk.write(upload, 4, b"more")
    desk.write(upload, 4, b"more")
    assert refusal(lambda: desk.close(upload)) is Reason.INCOMPLETE
    assert received(desk) == []
    assert desk.find("people.csv").size == 8


def test_a_disk_that_fails_at_the_end_is_noticed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = begin(desk)

    def broken(_: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    assert refusal(lambda: desk.close(upload)) is Reason.INCOMPLETE


def test_what_is_too_large_is_not_kept(desk: Desk) -> None:
    upload = begin(desk)
    assert refusal(lambda: desk.write(upload, 97, b"rows")) is Reason.TOO_LARGE
    assert refusal(lambda: desk.truncate(upload, 101)) is Reason.TOO_LARGE
    assert refusal(lambda: desk.close(upload)) is Reason.INCOMPLETE
    assert desk.listing() == {}
    desk.cut(begin(desk))
    assert refusal(lambda: desk.set_size("people.csv", 101)) is Reason.TOO_LARGE


def test_a_size_can_be_set_while_a_file_is_not_received(desk: Desk) -> None:
    upload = begin(desk)
    desk.truncate(upload, 2)
    desk.cut(upload)
    assert desk.find("people.csv").size == 2
    desk.set_size("people.csv", 1)
    assert desk.find("people.csv").size == 1
    desk.close(begin(desk))
    assert refusal(lambda: desk.set_size("people.csv", 0)) is Reason.RECEIVED


def test_what_a_client_may_ask_when_it_opens(desk: Desk) -> None:
    assert refusal(lambda: desk.open_to_write("people.csv", create=False)) is Reason.NOT_FOUND
    assert refusal(lambda: desk.open_to_read("people.csv")) is Reason.NOT_FOUND
    desk.close(begin(desk))
    exclusive = lambda: desk.open_to_write("people.csv", create=True, exclusive=True)  # noqa: E731
    assert refusal(exclusive) is Reason.EXISTS
    os.close(desk.open_to_read("people.csv"))


def test_what_was_received_is_copied_before_it_is_continued_and_counts_against_the_quota(desk: Desk) -> None:
    desk.close(begin(desk))
    upload = desk.open_to_write("people.csv", create=True, append=True)
    assert desk.close(upload) is None
    upload = desk.open_to_write("people.csv", create=True, append=True)
    desk.write(upload, 0, b" and more")
    desk.close(upload)
    assert received(desk) == [("people.csv", b"rows"), ("people.csv", b"rows and more")]


def test_a_file_that_is_renamed_while_it_is_open_counts_when_it_is_closed(desk: Desk) -> None:
    upload = begin(desk, "people.part")
    assert desk.rename("people.part", "people.csv") is None
    assert received(desk) == []
    desk.write(upload, 4, b" more")
    desk.close(upload)
    assert received(desk) == [("people.csv", b"rows more")]


def test_a_file_that_is_deleted_while_it_is_open_is_gone(desk: Desk) -> None:
    upload = begin(desk)
    desk.remove("people.csv")
    assert desk.close(upload) is None
    assert (desk.listing(), received(desk)) == ({}, [])


def test_renaming_to_its_own_name_changes_nothing(desk: Desk) -> None:
    desk.close(begin(desk, ".people.csv"))
    assert desk.rename(".people.csv", ".people.csv") is None
    assert list(desk.listing()) == [".people.csv"]


def test_renaming_from_one_waiting_name_to_another_waits_on(desk: Desk) -> None:
    desk.close(begin(desk, "a.tmp"))
    assert desk.rename("a.tmp", "b.tmp") is None
    assert list(desk.listing()) == ["b.tmp"]
    assert desk.rename("b.tmp", "people.csv") is not None


def test_sweeping_leaves_what_is_open(desk: Desk) -> None:
    upload, _ = begin(desk, "open.csv"), desk.cut(begin(desk, "old.csv"))
    assert desk.sweep(before=2**40) == 1
    assert list(desk.listing()) == ["open.csv"]
    desk.close(upload)


@pytest.fixture
def small(tmp_path: Path) -> Desk:
    """Return the desk of an account whose files may take four blocks."""
    return Desk(Folder(tmp_path, "acme-7k2m9q"), Quota(file_bytes=10 * BLOCK, files=100, total_bytes=4 * BLOCK))


def send(desk: Desk, name: str, size: int) -> None:
    """Send a file."""
    desk.close(begin(desk, name, b"x" * size))


def test_all_files_together_take_no_more_than_they_may(small: Desk) -> None:
    send(small, "a.csv", 3 * BLOCK)
    assert refusal(lambda: begin(small, "b.csv", b"x" * (BLOCK + 1))) is Reason.NO_ROOM
    assert [name for name, _ in received(small)] == ["a.csv"]


def test_what_grew_over_it_goes_when_its_client_closes_it_and_the_others_stay(small: Desk) -> None:
    send(small, "a.csv", 2 * BLOCK)
    upload = begin(small, "b.csv", b"x" * BLOCK)
    assert refusal(lambda: small.write(upload, BLOCK, b"x" * (BLOCK + 1))) is Reason.NO_ROOM
    assert refusal(lambda: small.close(upload)) is Reason.INCOMPLETE
    assert list(small.listing()) == ["a.csv"]
    send(small, "c.csv", 2 * BLOCK)


def test_half_a_file_that_was_there_before_is_kept(small: Desk) -> None:
    small.cut(begin(small, "a.csv", b"x" * 3 * BLOCK))
    again = small.open_to_write("a.csv", create=True)
    assert refusal(lambda: small.write(again, 3 * BLOCK, b"x" * (BLOCK + 1))) is Reason.NO_ROOM
    assert refusal(lambda: small.close(again)) is Reason.INCOMPLETE
    assert small.find("a.csv").size == 3 * BLOCK


def test_half_files_and_what_is_listed_no_more_count(small: Desk) -> None:
    send(small, "a.csv", BLOCK)
    small.remove("a.csv")
    small.cut(begin(small, "b.csv", b"x" * 2 * BLOCK))
    send(small, "c.csv", BLOCK)
    assert refusal(lambda: small.open_to_write("d.csv", create=True)) is Reason.NO_ROOM


def test_empty_files_take_room_too(small: Desk) -> None:
    for number in range(4):
        send(small, f"{number}.csv", 0)
    assert refusal(lambda: small.open_to_write("4.csv", create=True)) is Reason.NO_ROOM


def test_uploads_at_once_share_the_room(small: Desk) -> None:
    first, second = begin(small, "a.csv"), begin(small, "b.csv")
    small.write(first, 0, b"x" * 3 * BLOCK)
    assert refusal(lambda: small.write(second, 0, b"x" * 2 * BLOCK)) is Reason.NO_ROOM


def test_room_that_was_made_meanwhile_is_found(small: Desk) -> None:
    send(small, "a.csv", 3 * BLOCK)
    upload = begin(small, "b.csv")
    small.folder.received_files()[0].path.unlink()
    small.write(upload, 0, b"x" * 4 * BLOCK)


def test_a_file_that_is_lengthened_or_continued_takes_room(small: Desk) -> None:
    send(small, "a.csv", 2 * BLOCK)
    upload = begin(small, "b.csv")
    assert refusal(lambda: small.truncate(upload, 3 * BLOCK)) is Reason.NO_ROOM
    small.cut(upload)
    assert refusal(lambda: small.set_size("b.csv", 3 * BLOCK)) is Reason.NO_ROOM
    again = small.open_to_write("a.csv", create=True)
    assert refusal(lambda: small.write(again, 0, b"x")) is Reason.NO_ROOM
    assert small.find("a.csv").size == 2 * BLOCK


def test_what_is_being_copied_takes_room_from_others(small: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    send(small, "a.csv", BLOCK)
    upload, copy, seen = small.open_to_write("a.csv", create=True), shutil.copyfile, list[Reason]()

    def while_another_one_begins(source: Path, target: Path) -> None:
        other = begin(small, "b.csv")
        seen.append(refusal(lambda: small.write(other, 0, b"x" * 2 * BLOCK)))
        copy(source, target)

    monkeypatch.setattr("rgapp.sftp.desk.shutil.copyfile", while_another_one_begins)
    small.write(upload, 0, b"x")
    assert seen == [Reason.NO_ROOM]


def test_tries_that_nobody_can_reach_any_more_make_room(small: Desk) -> None:
    for _ in range(10):
        small.cut(begin(small, "a.csv", b"x" * 2 * BLOCK))
    assert len(small.folder.unfinished_files()) == 2


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["open", "write", "close", "cut", "rename", "remove", "resume"]),
        st.sampled_from(["a.csv", "b.csv", "a.part"]),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(STEPS)
def test_whatever_clients_do_received_files_never_change_and_nothing_is_lost(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str]]
) -> None:
    desk = Desk(Folder(tmp_path_factory.mktemp("spool"), "acme-7k2m9q"), Quota(10_000, 100, 1_000_000))
    uploads: list[Upload] = []
    seen: dict[Path, bytes] = {}
    for number, (step, name) in enumerate(steps):
        try:
            if step in {"open", "resume"}:
                uploads.append(desk.open_to_write(name, create=True, truncate=step == "open", append=step == "resume"))
            elif step == "rename":
                desk.rename(name, "b.csv" if name != "b.csv" else "a.csv")
            elif step == "remove":
                desk.remove(name)
            elif uploads:
                upload = uploads[number % len(uploads)]
                if step == "write":
                    desk.write(upload, 0, b"%d," % number)
                else:
                    uploads.remove(upload)
                    (desk.close if step == "close" else desk.cut)(upload)
        except Refused:
            pass
        now = {entry.path: entry.path.read_bytes() for entry in desk.folder.received_files()}
        assert now.items() >= seen.items()
        seen = now
    for upload in uploads:
        desk.cut(upload)
    assert not desk.is_busy
