"""A server on each database for the tests that only use it, and servers of their own for those that stop them."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from rgapp.sftp.host_keys import load
from tests.core import postgres
from tests.sftp.server import Account, Server, installation

DATABASES = [pytest.param(name, marks=pytest.mark.xdist_group(f"sftp-{name}")) for name in ("sqlite", "postgresql")]


@pytest.fixture(scope="session")
def host_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with host keys: making them takes longer than most tests."""
    folder = tmp_path_factory.mktemp("host-keys")
    load(folder)
    return folder


@pytest.fixture(scope="package", params=DATABASES)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a running server that many tests share, on each database."""
    with ExitStack() as opened:
        database = migrated = None
        if request.param == "sqlite":
            migrated = request.getfixturevalue("migrated")
        else:
            database = opened.enter_context(postgres.server())
        folder = tmp_path_factory.mktemp("sftp")
        shutil.copytree(request.getfixturevalue("host_keys"), folder / "instance" / "sftp")
        yield opened.enter_context(installation(folder, database=database, migrated=migrated)).start()


@pytest.fixture
def account(server: Server) -> Account:
    """Return an account of the shared server."""
    return server.account()


@pytest.fixture
def own_server(tmp_path: Path, migrated: Path, host_keys: Path) -> Iterator[Callable[..., Server]]:
    """Return a way to make a server of one's own, on SQLite; arguments are environment variables."""
    with ExitStack() as opened:
        numbers = iter(range(100))

        def make(**environment: str) -> Server:
            folder = tmp_path / f"server-{next(numbers)}"
            shutil.copytree(host_keys, folder / "instance" / "sftp")
            return opened.enter_context(installation(folder, database=None, migrated=migrated, **environment))

        yield make
