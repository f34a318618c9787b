"""A PostgreSQL server of our own on a socket, for the tests that must hold on both databases."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.tools import require

OWNER = "postgres"


class Cluster:
    """A cluster in a folder of its own; it can be stopped and started again.

    It listens on a socket only, so no port has to be free. PostgreSQL refuses to run as root, so there it runs as the
    user its package brings.
    """

    def __init__(self, folder: Path) -> None:
        self._programs = Path(require("postgresql"))
        self._folder = folder
        self._data = str(folder / "data")
        self._user = OWNER if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(folder, self._user)
        self._run("initdb", "-D", self._data, "-A", "trust", "-U", "rgapp", "--encoding=UTF8", "--locale=C.UTF-8")

    @property
    def address(self) -> str:
        """Return the address for RGAPP_DATABASE_URL."""
        return f"postgresql:///postgres?host={self._folder}&user=rgapp"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        options = f"-c listen_addresses='' -k {self._folder} -c fsync=off -c max_connections=200"
        self._control("-w", "-l", str(self._folder / "log"), "-o", options, "start")

    def stop(self, mode: str = "immediate") -> None:
        """Stop the server: `fast` ends the transactions of others, `immediate` is a crash."""
        self._control("-w", "-m", mode, "stop")

    def _control(self, *words: str) -> None:
        self._run("pg_ctl", "-D", self._data, *words)

    def _run(self, program: str, *words: str) -> None:
        output = self._folder / "output"
        with output.open("w") as out:  # Not a pipe: the server itself would keep it open.
            command = [self._programs / program, *words]
            done = subprocess.run(
                command, user=self._user, cwd=self._folder, stdout=out, stderr=out, timeout=120, check=False
            )
        assert done.returncode == 0, output.read_text()


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Run a server on a new, empty cluster."""
    folder = Path(tempfile.mkdtemp(prefix="rgapp-postgres-"))
    try:
        made = Cluster(folder)
        made.start()
        try:
            yield made
        finally:
            made.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def server() -> Iterator[str]:
    """Run a server on a new, empty cluster; yields its address for RGAPP_DATABASE_URL."""
    with cluster() as made:
        yield made.address
