"""OpenSSH's own server over the same spool: what its clients leave is taken by `flask sftp scan`."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.sftp.server import Account, Server, wait_until
from tests.sftp.test_clients import ROWS
from tests.tools import require

SETTINGS = """
Port {port}
ListenAddress 127.0.0.1
HostKey {host_key}
AuthorizedKeysFile {key}.pub
PidFile {folder}/sshd.pid
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin yes
Subsystem sftp internal-sftp
ForceCommand internal-sftp -d {root}
AllowTcpForwarding no
"""


class OpenSSH:
    """A real sshd whose one account writes into the folder of ours."""

    def __init__(self, server: Server, account: Account, folder: Path) -> None:
        self.server, self.account = server, account
        self.root = server.spool / account.username / "files"
        self.root.mkdir(parents=True)
        self.port = free_port()
        shutil.copy(server.folder / "instance" / "sftp" / "host_ed25519", folder / "host_key")
        public = subprocess.run(["ssh-keygen", "-yf", account.key], capture_output=True, text=True, check=True).stdout
        account.key.with_name(f"{account.key.name}.pub").write_text(public)
        config = folder / "sshd_config"
        config.write_text(
            SETTINGS.format(
                port=self.port, host_key=folder / "host_key", key=account.key, folder=folder, root=self.root
            )
        )
        self._log = (folder / "sshd.log").open("wb")
        self.process = subprocess.Popen([require("sshd"), "-D", "-e", "-f", config], stderr=self._log)

    def sftp(self, *commands: str) -> subprocess.CompletedProcess[str]:
        """Run commands with OpenSSH's client against it."""
        user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
        words = [require("sftp"), "-b", "-", "-P", str(self.port), "-i", str(self.account.key), "-F", "none"]
        hosts = f"UserKnownHostsFile={self.server.folder / 'known_hosts_of_openssh'}"
        words += ["-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=accept-new", "-o", hosts, f"{user}@127.0.0.1"]
        return subprocess.run(words, input="\n".join(commands) + "\n", capture_output=True, text=True, check=False)

    def close(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(10)
        self._log.close()


@pytest.fixture
def openssh(own_server: Callable[..., Server], tmp_path: Path) -> Iterator[OpenSSH]:
    """Return a running sshd, with the host key that our server would have."""
    require("sshd")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # It wants this folder where it runs as root.
    server = own_server()
    made = OpenSSH(server, server.account(), tmp_path)
    try:
        done = wait_until("sshd answers", lambda: (done := made.sftp("pwd")).returncode == 0 and done)
        assert str(made.root) in done.stdout
        yield made
    finally:
        made.close()


def test_a_file_that_is_renamed_into_place_is_taken_once(openssh: OpenSSH, tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_bytes(ROWS)
    done = openssh.sftp(f"put {tmp_path / 'people.csv'} people.csv.part")
    assert done.returncode == 0, done.stderr
    openssh.server.flask("sftp", "scan")
    assert openssh.server.runs(openssh.account) == []
    time.sleep(0.02)  # The clock of the file system ticks in steps.
    assert openssh.sftp("rename people.csv.part people.csv").returncode == 0
    for _ in range(2):
        openssh.server.flask("sftp", "scan")
    assert openssh.server.contents(openssh.account) == [("people.csv", ROWS)]
    assert f" {len(ROWS)} " in openssh.sftp("ls -l").stdout


def test_the_next_day_s_file_over_the_first_is_another_run(openssh: OpenSSH, tmp_path: Path) -> None:
    for content in (ROWS, ROWS * 2):
        (tmp_path / "people.csv").write_bytes(content)
        assert openssh.sftp(f"put {tmp_path / 'people.csv'} .people.csv").returncode == 0
        time.sleep(0.02)
        assert openssh.sftp("rename .people.csv people.csv").returncode == 0
        openssh.server.flask("sftp", "scan")
    assert openssh.server.contents(openssh.account) == [("people.csv", ROWS), ("people.csv", ROWS * 2)]


def test_a_plain_upload_waits_until_it_was_left_alone(openssh: OpenSSH, tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_bytes(ROWS)
    assert openssh.sftp(f"put {tmp_path / 'people.csv'}").returncode == 0
    openssh.server.flask("sftp", "scan")
    assert openssh.server.runs(openssh.account) == []
    os.utime(openssh.root / "people.csv", (time.time() - 700, time.time() - 700))
    openssh.server.flask("sftp", "scan")
    assert openssh.server.contents(openssh.account) == [("people.csv", ROWS)]
