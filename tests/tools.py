"""What tests need from the system: may be missing on a laptop, and must not be missing in CI."""

import os
import shutil
from pathlib import Path

import pytest

IN_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}


def _chromium() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome")
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


def _postgresql() -> str | None:
    found = shutil.which("initdb")
    if found:
        return str(Path(found).parent)
    packaged = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return str(packaged[-1].parent) if packaged else None


_FINDERS = {
    "chromium": _chromium,
    "postgresql": _postgresql,
    "redis-server": lambda: shutil.which("redis-server"),
}


def require(tool: str) -> str:
    """Return where `tool` is; without it the test skips with that reason, or fails where CI=true."""
    found = _FINDERS[tool]()
    if found:
        return found
    reason = f"{tool} is not installed; `make test` as root or with sudo installs it"
    if IN_CI:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
