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


@contextmanager
def server() -> Iterator[str]:
    """Run a server on a new, empty cluster; yields its address for RGAPP_DATABASE_URL.

    It listens on a socket only, so no port has to be free. PostgreSQL refuses to run as root, so there it runs as the
    user its package brings.
    """
    programs = Path(require("postgresql"))
    folder = Path(tempfile.mkdtemp(prefix="rgapp-postgres-"))
    user = OWNER if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)

    def run(program: str, *words: str) -> None:
        done = subprocess.run(
            [programs / program, *words], user=user, cwd=folder, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr + done.stdout

    data = str(folder / "data")
    options = f"-c listen_addresses='' -k {folder} -c fsync=off"
    try:
        run("initdb", "-D", data, "-A", "trust", "-U", "rgapp", "--encoding=UTF8", "--locale=C.UTF-8")
        run("pg_ctl", "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"postgresql:///postgres?host={folder}&user=rgapp"
        finally:
            run("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
