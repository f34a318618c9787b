"""One installation for each database, for all tests here: each test has employees of its own."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.core import postgres
from tests.crash.house import House, house
from tests.sso.conftest import door, idp_key, make_door

__all__ = ["door", "home", "idp_key", "make_door"]


# The tests of one installation stay together on one process of the test run.
DATABASES = [pytest.param(name, marks=pytest.mark.xdist_group(f"crash-{name}")) for name in ("sqlite", "postgresql")]


@pytest.fixture(scope="package", params=DATABASES)
def home(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, idp_key: tuple[str, str]
) -> Iterator[House]:
    """Return an installation on each database, with its web processes and its worker running."""
    with ExitStack() as opened:
        database = migrated = None
        if request.param == "sqlite":
            migrated = request.getfixturevalue("migrated")
        else:
            database = opened.enter_context(postgres.server())
        made = opened.enter_context(
            house(tmp_path_factory.mktemp("house"), idp_key, database=database, migrated=migrated)
        )
        made.start_web()
        made.start_worker()
        yield made
