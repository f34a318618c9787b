"""A real SFTP server process over a fresh installation, accounts on it, and the clients that people use."""

import base64
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import asyncssh
import paramiko
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import select
from sqlalchemy.orm import Session

from rgapp import create_app
from rgapp.audit.service import COMMAND_LINE
from rgapp.clock import utcnow
from rgapp.extensions import db
from rgapp.integrations.scim.settings import DEFAULT_MAPPING
from rgapp.integrations.sftp import accounts
from rgapp.integrations.sftp.passwords import make_password, new_password
from rgapp.integrations.sftp.public_keys import read_public_key
from rgapp.integrations.sftp.spool import Folder
from rgapp.models import Integration, SFTPFile, SFTPKey, SyncRun
from tests.conftest import ENVIRONMENT, NOW
from tests.factories import Factory
from tests.tools import require

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE_SECONDS = 90.0  # A start takes two seconds, and much longer where many tests share two cores.


def wait_until(what: str, condition: Callable[[], Any], seconds: float = PATIENCE_SECONDS) -> Any:
    """Return the condition's value as soon as it is true; fails with `what` when it never is."""
    until = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < until, f"{what}: not within {seconds} s"
        time.sleep(0.02)  # Another process works; there is nothing to wait on but the outcome.
    return value


@dataclass(frozen=True)
class Account:
    """An account with a password and a key, and the folder in which its files are."""

    username: str
    password: str
    key: Path
    programme_id: uuid.UUID
    integration_id: uuid.UUID
    folder: Folder


class Server:
    """One installation and its server, which can be stopped, killed and started again."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder, self.environment = folder, environment
        self.spool = Path(environment["RGAPP_SFTP_SPOOL"])
        self.app: Flask = create_app(environment)
        self._process: subprocess.Popen[bytes] | None = None
        self._out: IO[bytes] | None = None
        self._numbers = iter(range(1, 10_000))

    @property
    def port(self) -> int:
        """Return the port that the server wrote down."""
        return int((self.folder / "instance" / "sftp" / "port").read_text())

    @property
    def log(self) -> str:
        """Return what the server has written."""
        return (self.folder / "server.log").read_text()

    def start(self, **environment: str) -> "Server":
        """Start the server and wait until it listens."""
        (self.folder / "instance" / "sftp" / "port").unlink(missing_ok=True)
        self._out = (self.folder / "server.log").open("ab")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RGAPP_")}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "flask", "--app", "wsgi", "sftp", "serve"],
            cwd=ROOT,
            env=kept | self.environment | environment,
            stdout=self._out,
            stderr=self._out,
        )
        wait_until("the server listens", lambda: self.log if self._process.poll() is not None else self._listens())
        assert self._process.poll() is None, self.log
        return self

    def _listens(self) -> bool:
        file = self.folder / "instance" / "sftp" / "port"
        return file.is_file() and file.read_text().endswith("\n")

    def signal(self, number: int = signal.SIGTERM) -> int:
        """Send the server a signal; returns how it ended."""
        assert self._process is not None
        self._process.send_signal(number)
        return self.wait()

    def close(self) -> None:
        """End the server."""
        if self._process is not None:
            self.signal(signal.SIGKILL)
        with self.app.app_context():
            db.engine.dispose()

    def ask_to_stop(self) -> None:
        """Send SIGTERM and do not wait."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)

    def wait(self) -> int:
        """Wait until the server has ended; returns how."""
        assert self._process is not None
        assert self._out is not None
        code = self._process.wait(PATIENCE_SECONDS)
        self._out.close()
        self._process = None
        return code

    def answers(self) -> bool:
        """Tell whether somebody can connect."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command against the installation."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RGAPP_")}
        return subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", *words],
            cwd=ROOT,
            env=kept | self.environment | environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def flask(self, *words: str) -> str:
        """Run a command that has to succeed; returns what it printed."""
        done = self.run(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Open a session on the database, as a bystander."""
        with self.app.app_context(), Session(db.engine, expire_on_commit=False) as opened:
            yield opened
            opened.commit()

    def account(self, *, published: bool = True) -> Account:
        """Make a programme with an integration that has an account."""
        number = next(self._numbers)
        password = make_password()
        key = asyncssh.generate_private_key("ssh-ed25519", comment=f"key-{number}")
        path = self.folder / f"key-{number}"
        path.touch(mode=0o600)
        path.write_bytes(key.export_private_key("openssh"))
        with self.app.app_context():
            session = db.session()
            make = Factory(session, NOW)
            mapping = {field.value: source for field, source in DEFAULT_MAPPING.items()}
            integration = make.integration(
                make.programme(f"acme{number}"), {"mapping": mapping}, kind="scim", provider="scim", published=published
            )
            known = {"actor": COMMAND_LINE, "now": utcnow()}
            made = accounts.ensure(session, integration, **known)
            accounts.set_password(session, integration, new_password(password, username=made.username), **known)
            accounts.add_key(session, integration, read_public_key(key.export_public_key().decode()), **known)
            session.commit()
            return Account(
                made.username,
                password,
                path,
                integration.programme_id,
                integration.id,
                Folder(self.spool, made.username),
            )

    def runs(self, account: Account) -> list[SyncRun]:
        """Return the runs of an account's files, in order."""
        with self.session() as session:
            query = select(SyncRun).where(SyncRun.programme_id == account.programme_id).order_by(SyncRun.id)
            return list(session.scalars(query))

    def files(self, account: Account) -> list[SFTPFile]:
        """Return what was taken note of, in order."""
        with self.session() as session:
            query = select(SFTPFile).where(SFTPFile.programme_id == account.programme_id).order_by(SFTPFile.id)
            return list(session.scalars(query))

    def contents(self, account: Account) -> list[tuple[str, bytes]]:
        """Return name and content of each run's file, in order."""
        return [(run.file, Path(str(run.path)).read_bytes()) for run in self.runs(account)]

    def integration(self, account: Account, session: Session) -> Integration:
        """Return the integration of an account."""
        return session.get_one(Integration, (account.programme_id, account.integration_id))

    def key(self, account: Account, session: Session) -> SFTPKey:
        """Return the one key of an account."""
        return session.scalars(select(SFTPKey).where(SFTPKey.programme_id == account.programme_id)).one()

    def is_busy(self, account: Account) -> bool:
        """Tell whether the server has a file of an account open."""
        assert self._process is not None
        open_files = [
            os.readlink(each) for each in Path(f"/proc/{self._process.pid}/fd").iterdir() if each.is_symlink()
        ]
        return any(str(account.folder.unfinished) in each for each in open_files)

    def ssh(self, account: Account, *command: str) -> subprocess.CompletedProcess[str]:
        """Ask for a shell, or for a command."""
        program = require("sftp").removesuffix("sftp") + "ssh"
        words = [program, "-T", "-p", str(self.port), "-i", str(account.key), "-F", "none", "-o", "BatchMode=yes"]
        hosts = f"UserKnownHostsFile={self.folder / 'known_hosts'}"
        words += ["-o", hosts, "-o", "StrictHostKeyChecking=accept-new", f"{account.username}@127.0.0.1", *command]
        return subprocess.run(words, input="id\n", capture_output=True, text=True, timeout=60, check=False)

    def openssh(
        self, account: Account, *commands: str, key: Path | None = None, options: tuple[str, ...] = ()
    ) -> subprocess.CompletedProcess[str]:
        """Run commands with OpenSSH's `sftp`, signed in with the account's key."""
        hosts = self.folder / "known_hosts"
        words = [
            require("sftp"), "-b", "-", "-P", str(self.port), "-i", str(key or account.key), "-F", "none",
            "-o", "IdentitiesOnly=yes", "-o", f"UserKnownHostsFile={hosts}", "-o", "StrictHostKeyChecking=accept-new",
            "-o", "BatchMode=yes", *options, f"{account.username}@127.0.0.1",
        ]  # fmt: skip
        return subprocess.run(
            words, input="\n".join(commands) + "\n", capture_output=True, text=True, timeout=120, check=False
        )

    @contextmanager
    def session_of(self, account: Account, password: str | None = None, *, key: bool = False) -> Iterator[Any]:
        """Open an SFTP session with paramiko."""
        client = self.connect(account, password, key=key)
        try:
            yield client.open_sftp()
        finally:
            client.close()

    def connect(self, account: Account, password: str | None = None, *, key: bool = False) -> paramiko.SSHClient:
        """Connect with paramiko."""
        return self.client(
            account.username, None if key else password or account.password, account.key if key else None
        )

    def client(self, username: str, password: str | None = None, key: Path | None = None) -> paramiko.SSHClient:
        """Connect with paramiko as somebody, checking the server's key."""
        client = paramiko.SSHClient()
        known = (self.folder / "instance" / "sftp" / "host_ed25519.pub").read_text().split()
        host_key = paramiko.Ed25519Key(data=base64.b64decode(known[1]))
        client.get_host_keys().add(f"[127.0.0.1]:{self.port}", "ssh-ed25519", host_key)
        client.connect(
            "127.0.0.1",
            self.port,
            username=username,
            password=password,
            key_filename=str(key) if key else None,
            allow_agent=False,
            look_for_keys=False,
            timeout=30,
            banner_timeout=30,
            auth_timeout=60,
        )
        return client


@contextmanager
def installation(folder: Path, *, database: str | None, migrated: Path | None, **environment: str) -> Iterator[Server]:
    """Build an installation; `database` None is SQLite."""
    place = {
        "RGAPP_ENV": "development",
        "INSTANCE": str(folder / "instance"),
        "RGAPP_SFTP_PORT": "0",
        "RGAPP_SFTP_SPOOL": str(folder / "spool"),
        "RGAPP_LOG_LEVEL": "info",
    }
    made = Server(folder, ENVIRONMENT | place | ({"RGAPP_DATABASE_URL": database} if database else {}) | environment)
    with made.app.app_context():
        if migrated is not None:
            shutil.copy(migrated, str(db.engine.url.database))
        else:
            upgrade()
        db.engine.dispose()
    try:
        yield made
    finally:
        made.close()
