"""The two databases: a SQLite file, and a PostgreSQL server of our own with the settings it comes with."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from benchmarks.meter import CPUMeter

NAMES = ("sqlite", "postgresql")


class NotInstalled(RuntimeError):
    """PostgreSQL is not on this machine."""


@dataclass(frozen=True)
class Databases:
    """Gives fresh databases of one kind; `meter` is that of the database's own server, where there is one."""

    name: str
    folder: Path
    server: str = ""
    meter: CPUMeter | None = None

    def fresh(self, name: str) -> str:
        """Return the address of a new, empty database."""
        if not self.server:
            return f"sqlite:///{self.folder / name}.db"
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.server.replace("///postgres?", f"///{name}?")


def available() -> str:
    """Name the databases that this machine has, with commas; says so where PostgreSQL is missing."""
    try:
        _programs()
    except NotInstalled as missing:
        print(f"{missing} Measuring on SQLite only.")
        return NAMES[0]
    return ",".join(NAMES)


@contextmanager
def databases(name: str, folder: Path) -> Iterator[Databases]:
    """Give fresh databases of this kind as long as the block lasts; raises `NotInstalled`."""
    if name == "sqlite":
        yield Databases(name, folder)
        return
    with postgresql() as (server, pid):
        yield Databases(name, folder, server, CPUMeter(pid))


@contextmanager
def postgresql(*options: str) -> Iterator[tuple[str, int]]:
    """Run a server on a new cluster and a socket; yields its address and its process.

    PostgreSQL refuses to run as root, so there it runs as the user that its package brings.
    """
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="rgapp-benchmark-"))
    user = "postgres" if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)

    def run(program: str, *words: str) -> None:
        done = subprocess.run(
            [programs / program, *words], user=user, cwd=folder, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(done.stderr + done.stdout)

    data = folder / "data"
    started = " ".join([f"-c listen_addresses='' -k {folder}", *options])
    try:
        run("initdb", "-D", str(data), "-A", "trust", "-U", "rgapp", "--encoding=UTF8", "--locale=C.UTF-8")
        run("pg_ctl", "-D", str(data), "-w", "-l", str(folder / "log"), "-o", started, "start")
        try:
            pid = int((data / "postmaster.pid").read_text().split()[0])
            yield f"postgresql:///postgres?host={folder}&user=rgapp", pid
        finally:
            run("pg_ctl", "-D", str(data), "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path:
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    packaged = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not packaged:
        raise NotInstalled("PostgreSQL is not installed; scripts/install-test-tools brings it.")
    return packaged[-1].parent
