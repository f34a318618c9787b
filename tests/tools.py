"""What tests need from the system: may be missing on a laptop, and must not be missing in CI."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

NODE_PROVIDERS = Path(__file__).parent / "peers" / "node"
IN_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}


def _chromium() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome")
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


def _postgresql() -> str | None:
    found = shutil.which("initdb")
    if found:
        return str(Path(found).resolve().parent)  # A link may name only some of the programs.
    packaged = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return str(packaged[-1].parent) if packaged else None


def _lasso() -> str | None:
    """Return the system's Python that has Lasso's binding: it comes as a system package only."""
    python = "/usr/bin/python3"
    if not Path(python).exists():
        return None
    return python if subprocess.run([python, "-c", "import lasso"], capture_output=True).returncode == 0 else None


def _node_providers() -> str | None:
    """Return the folder with the npm packages, where Node and they are installed."""
    return (
        str(NODE_PROVIDERS) if shutil.which("node") and (NODE_PROVIDERS / "node_modules" / "samlp").is_dir() else None
    )


def _simplesamlphp() -> str | None:
    """Return the folder that SimpleSAMLphp's package serves, where PHP has what it needs."""
    www = Path("/usr/share/simplesamlphp/www")
    modules = subprocess.run(["php", "-m"], capture_output=True, text=True).stdout if shutil.which("php") else ""
    return str(www) if www.is_dir() and {"dom", "mbstring"} <= set(modules.split()) else None


_FINDERS = {
    "chromium": _chromium,
    "postgresql": _postgresql,
    "lasso": _lasso,
    "node providers": _node_providers,
    "simplesamlphp": _simplesamlphp,
    "sftp": lambda: shutil.which("sftp"),
    "sshd": lambda: shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin"),
    "xmlsec1": lambda: shutil.which("xmlsec1"),
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
