"""What people's clients do: OpenSSH's sftp and paramiko against a real server process."""

import socket
import stat
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import paramiko
import pytest
from paramiko.sftp import CMD_READ, int64

from tests.sftp.server import Account, Server, wait_until

ROWS = b"Employee ID,Mail\nE1,ann@acme.example\n"
MEGABYTE = 1024 * 1024


@pytest.fixture
def local(tmp_path: Path) -> Callable[..., Path]:
    """Return a way to make a local file."""

    def make(name: str = "people.csv", content: bytes = ROWS) -> Path:
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    return make


def put(server: Server, account: Account, name: str, content: bytes = ROWS) -> None:
    """Upload with paramiko."""
    with server.session_of(account) as sftp, sftp.open(name, "wb") as file:
        file.write(content)


def cut(client: paramiko.SSHClient) -> None:
    """Break a connection without a word of SSH, as a network does."""
    transport = client.get_transport()
    assert transport is not None
    transport.sock.shutdown(socket.SHUT_RDWR)


def half(server: Server, account: Account, name: str, content: bytes) -> None:
    """Upload the beginning of a file, and break the connection."""
    client = server.connect(account)
    file = client.open_sftp().open(name, "wb")
    file.write(content)
    file.flush()
    wait_until("it is written", lambda: (found := account.folder.listing().get(name)) and found.size == len(content))
    cut(client)


def test_openssh_uploads_with_a_key(server: Server, account: Account, local: Callable[..., Path]) -> None:
    done = server.openssh(account, f"put {local()}", "ls -l")
    assert done.returncode == 0, done.stderr
    assert f" {len(ROWS)} " in done.stdout
    assert server.contents(account) == [("people.csv", ROWS)]
    (file,) = server.files(account)
    assert (file.name, file.size_bytes, file.state) == ("people.csv", len(ROWS), "handed-over")


def test_paramiko_uploads_with_a_password_and_reads_its_file_back(server: Server, account: Account) -> None:
    with server.session_of(account) as sftp:
        with sftp.open("people.csv", "wb") as file:
            file.write(ROWS)
        assert sftp.listdir() == ["people.csv"]
        assert sftp.stat("/people.csv").st_size == len(ROWS)
        with sftp.open("people.csv") as file:
            assert file.read() == ROWS
        assert sftp.normalize(".") == "/"
    assert server.contents(account) == [("people.csv", ROWS)]


def test_paramiko_uploads_with_a_key_and_its_use_is_noted(server: Server, account: Account) -> None:
    with server.session_of(account, key=True) as sftp:
        assert sftp.listdir() == []

    def is_noted() -> bool:
        with server.session() as session:
            return server.key(account, session).last_used_at is not None

    wait_until("the key's use is noted", is_noted)  # It is once the client was told that it is in.


def test_a_large_file_arrives_byte_for_byte(server: Server, account: Account, local: Callable[..., Path]) -> None:
    content = b"0123456789abcdef" * (2 * MEGABYTE)
    assert server.openssh(account, f"put {local(content=content)}").returncode == 0
    assert server.contents(account) == [("people.csv", content)]


def test_times_and_permissions_may_be_set_and_mean_nothing(
    server: Server, account: Account, local: Callable[..., Path]
) -> None:
    done = server.openssh(account, f"put -p {local()}", "chmod 777 people.csv", "ls -l")
    assert done.returncode == 0, done.stderr
    assert "-rw-------" in done.stdout
    with server.session_of(account) as sftp:
        sftp.utime("people.csv", (1, 1))
        sftp.chmod("people.csv", 0o4777)
        mode = sftp.stat("people.csv").st_mode
        assert stat.S_IMODE(mode or 0) == 0o600
    assert len(server.runs(account)) == 1


@pytest.mark.parametrize("waiting", [".people.csv", "people.csv.part", "people.csv.filepart", "people.TMP"])
def test_a_file_that_waits_counts_with_its_rename(server: Server, account: Account, waiting: str) -> None:
    with server.session_of(account) as sftp:
        with sftp.open(waiting, "wb") as file:
            file.write(ROWS)
        assert server.runs(account) == []
        sftp.rename(waiting, "people.csv")
        assert sftp.listdir() == ["people.csv"]
    assert server.contents(account) == [("people.csv", ROWS)]


def test_openssh_renames_into_place(server: Server, account: Account, local: Callable[..., Path]) -> None:
    done = server.openssh(account, f"put {local()} people.csv.tmp", "rename people.csv.tmp people.csv", "ls")
    assert done.returncode == 0, done.stderr
    assert server.contents(account) == [("people.csv", ROWS)]


def test_the_same_name_again_is_kept_beside_the_first_and_in_order(server: Server, account: Account) -> None:
    put(server, account, "people.csv", b"first")
    put(server, account, "people.csv", b"second")
    with server.session_of(account) as sftp:
        with sftp.open("people.csv.part", "wb") as file:
            file.write(b"third")
        sftp.posix_rename("people.csv.part", "people.csv")
        assert sftp.stat("people.csv").st_size == 5
        assert sftp.listdir() == ["people.csv"]
    assert server.contents(account) == [("people.csv", each) for each in (b"first", b"second", b"third")]


def test_two_connections_that_send_one_name_at_once_do_not_mix(server: Server, account: Account) -> None:
    with server.session_of(account) as one, server.session_of(account) as other:
        first, second = one.open("people.csv", "wb"), other.open("people.csv", "wb")
        for _ in range(50):
            first.write(b"a" * 1000)
            second.write(b"b" * 1000)
        second.close()
        first.close()
    assert server.contents(account) == [("people.csv", b"b" * 50_000), ("people.csv", b"a" * 50_000)]


def test_a_cut_connection_leaves_half_a_file_that_is_not_handled(server: Server, account: Account) -> None:
    half(server, account, "people.csv", b"E1,ann@ac")
    wait_until("the cut was noticed", lambda: not server.is_busy(account))
    assert server.runs(account) == []
    with server.session_of(account) as sftp:
        assert sftp.stat("people.csv").st_size == 9
    assert server.runs(account) == []


def test_openssh_resumes_what_was_cut(server: Server, account: Account, local: Callable[..., Path]) -> None:
    content = ROWS * 10_000
    half(server, account, "people.csv", content[:100_000])
    done = server.openssh(account, f"reput {local(content=content)}")
    assert done.returncode == 0, done.stderr
    assert server.contents(account) == [("people.csv", content)]
    assert len(account.folder.unfinished_files()) == 0


def test_paramiko_resumes_under_a_name_that_waits(server: Server, account: Account) -> None:
    """As WinSCP does it: `.filepart`, then the rest from where it broke, then the rename."""
    content = ROWS * 1000
    half(server, account, "people.csv.filepart", content[:5000])
    with server.session_of(account) as sftp:
        size = sftp.stat("people.csv.filepart").st_size
        with sftp.open("people.csv.filepart", "r+b") as file:
            file.seek(size)
            file.write(content[size:])
        assert server.runs(account) == []
        sftp.rename("people.csv.filepart", "people.csv")
    assert server.contents(account) == [("people.csv", content)]


def test_whoever_resumes_takes_the_upload_over_from_a_connection_that_hangs(server: Server, account: Account) -> None:
    with server.session_of(account) as hanging, server.session_of(account) as sftp:
        old = hanging.open("people.csv", "wb")
        old.write(b"first half, ")
        old.flush()
        with sftp.open("people.csv", "ab") as file:
            file.write(b"second half")
        with pytest.raises(OSError, match="taken this upload over"):
            old.write(b"late")
    assert server.contents(account) == [("people.csv", b"first half, second half")]


def test_what_was_received_can_be_continued_and_is_another_file_then(server: Server, account: Account) -> None:
    put(server, account, "people.csv", b"E1\n")
    with server.session_of(account) as sftp, sftp.open("people.csv", "ab") as file:
        file.write(b"E2\n")
    assert server.contents(account) == [("people.csv", b"E1\n"), ("people.csv", b"E1\nE2\n")]


def test_opening_what_was_received_without_writing_is_no_new_file(server: Server, account: Account) -> None:
    put(server, account, "people.csv")
    with server.session_of(account) as sftp:
        sftp.open("people.csv", "r+b").close()
    assert len(server.runs(account)) == 1


def test_half_a_file_that_was_properly_closed_is_a_file(server: Server, account: Account) -> None:
    put(server, account, "people.csv", b"E1,ann@ac")
    assert server.contents(account) == [("people.csv", b"E1,ann@ac")]


def test_an_empty_file_is_a_file(server: Server, account: Account) -> None:
    put(server, account, "people.csv", b"")
    assert server.contents(account) == [("people.csv", b"")]


def test_deleting_lists_a_file_no_more_and_its_run_goes_on(server: Server, account: Account) -> None:
    put(server, account, "people.csv")
    with server.session_of(account) as sftp:
        sftp.remove("people.csv")
        assert sftp.listdir() == []
        with pytest.raises(FileNotFoundError):
            sftp.remove("people.csv")
    assert server.contents(account) == [("people.csv", ROWS)]


def test_renaming_what_was_received_makes_no_other_run(server: Server, account: Account) -> None:
    put(server, account, "people.csv")
    with server.session_of(account) as sftp:
        sftp.rename("people.csv", "people-done.csv")
        assert sftp.listdir() == ["people-done.csv"]
    assert server.contents(account) == [("people.csv", ROWS)]


def test_a_draft_keeps_its_file_as_the_example(server: Server) -> None:
    account = server.account(published=False)
    put(server, account, "people.csv")
    assert server.runs(account) == []
    assert [file.state for file in server.files(account)] == ["example"]


@pytest.mark.parametrize(
    "path",
    ["/../../../etc/passwd", "../secret", "/etc/passwd", "..\\..\\secret", "a/b/c.csv", "\u202egnp.csv", "a\nb.csv"],
)
def test_nothing_outside_the_root_can_be_read_or_written(server: Server, account: Account, path: str) -> None:
    (server.spool / "secret").write_text("secret")
    with server.session_of(account) as sftp:
        with pytest.raises(OSError, match=r"."):
            sftp.open(path).read()
        if path != "../secret":  # That one is `/secret` of the root, where a file may be.
            with pytest.raises(OSError, match=r"."):
                sftp.open(path, "wb")
    assert (server.spool / "secret").read_text() == "secret"


def test_names_of_every_script_are_kept_and_long_ones_refused(server: Server, account: Account) -> None:
    names = ["Löhne März 2026.csv", "员工.csv", "e\u0301.csv", "'; rm -rf ~.csv", "-rf", "x" * 196 + ".csv"]
    with server.session_of(account) as sftp:
        for name in names:
            sftp.open(name, "wb").close()
        assert sorted(sftp.listdir()) == sorted(names)
        for name in ("x" * 201, "x" * 5000):
            with pytest.raises(OSError, match="too long"):
                sftp.open(name, "wb")
    assert [run.file for run in server.runs(account)] == names


def test_a_name_with_a_nul_is_refused(server: Server, account: Account) -> None:
    with server.session_of(account) as sftp, pytest.raises(OSError, match="characters"):
        sftp.open("people.csv\0.part", "wb")


@pytest.mark.parametrize(
    "command",
    [
        "ln -s /etc/passwd people.csv",
        "ln people.csv other.csv",
        "mkdir inbox",
        "rmdir inbox",
        "cd inbox",
        "get nothing.csv",
    ],
)
def test_openssh_is_refused_what_there_is_not(
    server: Server, account: Account, local: Callable[..., Path], command: str
) -> None:
    done = server.openssh(account, f"put {local()}", command)
    assert done.returncode == 1, done.stdout
    with server.session_of(account) as sftp:
        assert sftp.listdir() == ["people.csv"]


def test_an_account_sees_nothing_of_others(server: Server, account: Account) -> None:
    other = server.account()
    put(server, other, "theirs.csv")
    with server.session_of(account) as sftp:
        assert sftp.listdir("/") == sftp.listdir("..") == []
        for path in ("theirs.csv", f"../{other.username}/theirs.csv"):
            with pytest.raises(FileNotFoundError):
                sftp.stat(path)


@pytest.mark.parametrize(("offset", "size", "length"), [(0, 2**32 - 1, 37), (2**64 - 1, 100, 0), (30, 2**31, 7)])
def test_whatever_is_asked_for_costs_no_more_than_there_is(
    server: Server, account: Account, offset: int, size: int, length: int
) -> None:
    put(server, account, "people.csv")
    assert len(ROWS) == 37
    with server.session_of(account) as sftp:
        file = sftp.open("people.csv")  # It closes its handle when it is forgotten.
        try:
            _, answer = sftp._request(CMD_READ, file.handle, int64(offset), size)
            assert len(answer.get_string()) == length
        except EOFError:
            assert length == 0


@pytest.mark.parametrize("command", ["", "id", "scp -t /", "/usr/lib/openssh/sftp-server"])
def test_there_is_no_shell_and_no_command(server: Server, account: Account, command: str) -> None:
    done = server.ssh(account, *filter(None, [command]))
    assert done.returncode != 0
    assert "uid=" not in done.stdout


@pytest.mark.parametrize("option", ["-L", "-R"])
def test_nothing_is_forwarded(server: Server, account: Account, option: str) -> None:
    client = server.connect(account)
    transport = client.get_transport()
    assert transport is not None
    ask: dict[str, Callable[[], object]] = {
        "-L": lambda: transport.open_channel("direct-tcpip", ("127.0.0.1", 1), ("127.0.0.1", 1), timeout=10),
        "-R": lambda: transport.request_port_forward("127.0.0.1", 0),
    }
    with pytest.raises(paramiko.SSHException):
        ask[option]()
    client.close()


def test_a_wrong_key_does_not_get_in(server: Server, account: Account) -> None:
    done = server.openssh(account, "ls", key=server.account().key)
    assert done.returncode == 255
    assert "Permission denied" in done.stderr


def test_a_right_key_gets_in_while_its_account_is_being_guessed(
    server: Server, account: Account, local: Callable[..., Path]
) -> None:
    stop = threading.Event()

    def guess() -> None:
        while not stop.is_set():
            with pytest.raises((paramiko.SSHException, EOFError)):
                server.connect(account, "a wrong password")

    with ThreadPoolExecutor(3) as pool:
        guessing = [pool.submit(guess) for _ in range(3)]
        wait_until("guesses are slowed", lambda: server.log.count("a password was refused") >= 4)
        began = time.monotonic()
        done = server.openssh(account, f"put {local()}")
        took = time.monotonic() - began
        stop.set()
        for each in guessing:
            each.exception()
    assert done.returncode == 0, done.stderr
    assert took < 5


def test_fifty_connections_at_once_get_in(server: Server, account: Account) -> None:
    def upload(number: int) -> None:
        with server.session_of(account, key=number % 2 == 0) as sftp, sftp.open(f"part-{number}.csv", "wb") as file:
            file.write(ROWS * 100)

    with ThreadPoolExecutor(50) as pool:
        for done in [pool.submit(upload, number) for number in range(50)]:
            done.result()
    assert sorted(run.file for run in server.runs(account)) == sorted(f"part-{number}.csv" for number in range(50))


def test_the_server_says_which_key_it_has(server: Server) -> None:
    scanned = subprocess.run(
        ["ssh-keyscan", "-p", str(server.port), "127.0.0.1"], capture_output=True, text=True, check=True
    ).stdout
    shown = server.flask("sftp", "fingerprints")
    kinds = {line.split()[1] for line in scanned.splitlines() if not line.startswith("#")}
    assert kinds == {"ssh-ed25519", "ssh-rsa"}
    for line in scanned.splitlines():
        if not line.startswith("#"):
            printed = subprocess.run(["ssh-keygen", "-lf", "-"], input=line, capture_output=True, text=True, check=True)
            assert printed.stdout.split()[1] in shown
