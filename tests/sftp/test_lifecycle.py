"""What may happen to the server: quotas, restarts, a database or a disk that is away, and integrations switched off."""

import os
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import paramiko
import pytest

from rgapp.audit.service import COMMAND_LINE
from rgapp.clock import utcnow
from rgapp.extensions import db
from rgapp.integrations import service
from tests.sftp.server import Account, Server, wait_until
from tests.sftp.test_clients import ROWS, half, put

MakeServer = Callable[..., Server]


def names(server: Server, account: Account) -> list[str]:
    """Return what is listed."""
    with server.session_of(account, key=True) as sftp:
        return sorted(sftp.listdir())


def switch(server: Server, account: Account, on: bool) -> None:
    """Switch an integration on or off."""
    with server.app.app_context():
        session = db.session()
        found = server.integration(account, session)
        service.set_enabled(session, found, on, actor=COMMAND_LINE, now=utcnow())
        session.commit()


def test_a_file_that_is_too_large_is_refused_and_leaves_nothing(own_server: MakeServer) -> None:
    server = own_server(RGAPP_SFTP_MAX_BYTES="100000").start()
    account = server.account()
    with pytest.raises(OSError, match="larger than this account may send"):
        put(server, account, "people.csv", b"x" * 100_001)
    wait_until("the upload ended", lambda: names(server, account) == [])
    put(server, account, "people.csv", b"x" * 100_000)
    assert [run.size_bytes for run in server.runs(account)] == [100_000]


def test_openssh_says_that_a_file_is_too_large(own_server: MakeServer, tmp_path: Path) -> None:
    server = own_server(RGAPP_SFTP_MAX_BYTES="1000").start()
    account = server.account()
    (tmp_path / "people.csv").write_bytes(b"x" * 100_000)
    done = server.openssh(account, f"put {tmp_path / 'people.csv'}")
    assert done.returncode == 1
    assert server.runs(account) == []


def test_an_account_has_not_more_files_than_it_may(own_server: MakeServer) -> None:
    server = own_server(RGAPP_SFTP_MAX_FILES="2").start()
    account = server.account()
    for name in ("a.csv", "b.csv", "a.csv"):
        put(server, account, name)
    with pytest.raises(OSError, match="as many files as it may have"):
        put(server, account, "c.csv")
    with server.session_of(account) as sftp:
        sftp.remove("a.csv")
    put(server, account, "c.csv")
    assert [run.file for run in server.runs(account)] == ["a.csv", "b.csv", "a.csv", "c.csv"]


def test_the_files_of_an_account_take_no_more_room_than_they_may(own_server: MakeServer) -> None:
    server = own_server(RGAPP_SFTP_MAX_TOTAL_BYTES="100000").start()
    account = server.account()
    put(server, account, "a.csv", b"x" * 60_000)
    with pytest.raises(OSError, match="Quota exceeded"):
        put(server, account, "b.csv", b"x" * 60_000)
    wait_until("the upload ended", lambda: names(server, account) == ["a.csv"])
    put(server, account, "c.csv", b"x" * 30_000)
    assert [(run.file, run.size_bytes) for run in server.runs(account)] == [("a.csv", 60_000), ("c.csv", 30_000)]


def test_a_restart_keeps_the_host_keys_and_what_is_there(own_server: MakeServer) -> None:
    server = own_server().start()
    account = server.account()
    put(server, account, "people.csv")
    half(server, account, "half.csv", b"E1,ann")
    before = server.flask("sftp", "fingerprints")
    keys = server.folder / "instance" / "sftp"
    assert {path.stat().st_mode & 0o777 for path in keys.glob("host_*") if path.suffix != ".pub"} == {0o600}
    assert server.signal(signal.SIGTERM) == 0
    server.start()
    assert server.flask("sftp", "fingerprints") == before
    assert names(server, account) == ["half.csv", "people.csv"]
    assert len(server.runs(account)) == 1


def test_sigterm_lets_an_upload_finish(own_server: MakeServer) -> None:
    server = own_server().start()
    account = server.account()
    with server.session_of(account) as sftp:
        file = sftp.open("people.csv", "wb")
        file.write(ROWS)
        file.flush()
        server.ask_to_stop()
        wait_until("no one else comes in", lambda: not server.answers())
        file.write(ROWS)
        file.close()
    assert server.wait() == 0
    assert server.contents(account) == [("people.csv", ROWS * 2)]


def test_a_file_whose_server_was_killed_is_continued_with_the_next(own_server: MakeServer) -> None:
    server = own_server().start()
    account = server.account()
    client = server.connect(account)
    file = client.open_sftp().open("people.csv", "wb")
    file.write(ROWS)
    file.flush()
    server.signal(signal.SIGKILL)
    server.start()
    client.close()
    assert server.runs(account) == []
    with server.session_of(account) as sftp, sftp.open("people.csv", "ab") as rest:
        rest.write(ROWS)
    assert server.contents(account) == [("people.csv", ROWS * 2)]


def test_half_files_go_after_a_day(own_server: MakeServer) -> None:
    server = own_server().start()
    account = server.account()
    half(server, account, "old.csv", b"E1")
    half(server, account, "new.csv", b"E1")
    server.signal()
    old = next(entry for entry in account.folder.unfinished_files() if entry.name == "old.csv")
    os.utime(old.path, (time.time() - 25 * 3600, time.time() - 25 * 3600))
    server.flask("sftp", "scan")
    assert list(account.folder.listing()) == ["new.csv"]


def test_a_file_that_came_while_the_database_was_away_is_handed_over_later_and_once(own_server: MakeServer) -> None:
    server = own_server().start(RGAPP_LOG_LEVEL="info")
    account = server.account()
    with server.session_of(account) as sftp:
        database = server.folder / "instance" / "rgapp.db"
        with sqlite3.connect(database, isolation_level=None) as other:
            other.execute("BEGIN EXCLUSIVE")  # A database that does not answer.
            with sftp.open("people.csv", "wb") as file:
                file.write(ROWS)
            assert sftp.listdir() == ["people.csv"]
            other.execute("ROLLBACK")
        other.close()
    wait_until("it is handed over", lambda: len(server.runs(account)) == 1)
    server.flask("sftp", "scan")
    assert server.contents(account) == [("people.csv", ROWS)]


def test_what_nobody_handed_over_is_found_at_the_start(own_server: MakeServer) -> None:
    server = own_server()
    account = server.account()
    account.folder.make()
    for content in (b"first", b"second"):
        entry = account.folder.begin("people.csv")
        entry.path.write_bytes(content)
        account.folder.finish(entry)
    server.start()
    wait_until("they are handed over", lambda: len(server.runs(account)) == 2)
    assert server.contents(account) == [("people.csv", b"first"), ("people.csv", b"second")]


def test_nobody_can_sign_in_while_the_database_is_away_and_is_told_so(own_server: MakeServer) -> None:
    server = own_server().start()
    account = server.account()
    hidden = server.folder / "hidden.db"
    for suffix in ("", "-wal", "-shm"):
        Path(f"{server.folder}/instance/rgapp.db{suffix}").exists() and shutil.move(
            f"{server.folder}/instance/rgapp.db{suffix}", f"{hidden}{suffix}"
        )
    server.signal()
    server.start()
    done = server.openssh(account, "ls", options=("-o", "LogLevel=INFO"))
    assert done.returncode == 255
    assert "try again later" in done.stderr


# Python runs this before the server: the spool lies on a disk of one mebibyte, which fills up as disks do. Nothing has
# to be mounted for it.
SMALL_DISK = """
import errno, os
from pathlib import Path

pwrite = os.pwrite

def small(descriptor, data, offset):
    used = sum(path.stat().st_size for path in Path(os.environ["RGAPP_SFTP_SPOOL"]).rglob("*") if path.is_file())
    room = (1 << 20) - used - max(0, offset - os.fstat(descriptor).st_size)
    if room <= 0:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return pwrite(descriptor, data[:room], offset)

os.pwrite = small
"""


def test_a_full_disk_is_said_and_what_was_sent_does_not_count(own_server: MakeServer, tmp_path: Path) -> None:
    before = tmp_path / "before"
    before.mkdir()
    (before / "sitecustomize.py").write_text(SMALL_DISK)
    server = own_server().start(PYTHONPATH=str(before))
    account = server.account()
    with pytest.raises(OSError, match=r"disk is full|does not count"):
        put(server, account, "people.csv", b"x" * 2_000_000)
    assert server.runs(account) == []
    assert "the spool's disk is full" in server.log
    with server.session_of(account) as sftp:
        assert sftp.stat("people.csv").st_size == 1 << 20
        sftp.remove("people.csv")
    put(server, account, "people.csv")
    assert len(server.runs(account)) == 1


def test_an_integration_that_is_switched_off_shuts_its_account(own_server: MakeServer) -> None:
    server = own_server().start()
    account = server.account()
    switch(server, account, on=False)
    with pytest.raises(paramiko.AuthenticationException):
        server.connect(account)
    assert server.openssh(account, "ls").returncode == 255
    switch(server, account, on=True)
    assert names(server, account) == []


def test_wrong_passwords_take_longer_and_longer(own_server: MakeServer) -> None:
    server = own_server().start()
    account = server.account()
    took = []
    for _ in range(6):
        began = time.monotonic()
        with pytest.raises(paramiko.AuthenticationException):
            server.connect(account, "a wrong password")
        took.append(time.monotonic() - began)
    assert took[-1] > took[0] + 1.5
    with server.session_of(account, key=True) as sftp:
        assert sftp.listdir() == []


def test_a_busy_port_is_said_in_a_sentence(own_server: MakeServer) -> None:
    first, second = own_server().start(), own_server()
    refused = second.run("sftp", "serve", RGAPP_SFTP_PORT=str(first.port))
    assert refused.returncode == 1
    assert f"Port {first.port}" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_another_port_is_taken_where_that_is_asked_for(own_server: MakeServer) -> None:
    first = own_server().start()
    second = own_server().start(RGAPP_SFTP_PORT=str(first.port), RGAPP_SFTP_OTHER_PORT="1")
    assert second.port not in {0, first.port}
