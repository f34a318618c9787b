"""Audit what is installed: the pins hold and fit together, nothing was withdrawn, and no known advisory is about them.

Advisories come from services on the network (`pip-audit`); no package that ships them is kept up to date. Where none of
the services answers, this says so and how many packages nobody looked up: exit code 3, which is neither good nor bad.
"""

import json
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LISTS = ("requirements.txt", "requirements-dev.txt")
PIN = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?==(\S+)")
NOT_AUDITED = 3
OF_THE_ENVIRONMENT = {"pip", "setuptools", "wheel"}
SERVICES = ("pypi", "osv")
SECONDS = 60


def pins() -> dict[str, str]:
    """Return every pinned package with its version; a line that pins nothing is a mistake."""
    found = {}
    for name in LISTS:
        for line in (ROOT / name).read_text().splitlines():
            requirement = line.partition("#")[0].partition(";")[0].strip()
            if not requirement or requirement.startswith("-r "):
                continue
            match = PIN.fullmatch(requirement)
            if match is None:
                raise SystemExit(f"{name}: {requirement!r} is not pinned with ==.")
            found[canonical(match[1])] = match[2]
    return found


def canonical(name: str) -> str:
    """Return a package's name in its normal form."""
    return re.sub(r"[-_.]+", "-", name).lower()


def unfaithful(pinned: dict[str, str]) -> list[str]:
    """Return what is installed in another version than the pinned one, or is not pinned at all."""
    installed = {canonical(found.metadata["Name"]): found.version for found in metadata.distributions()}
    wrong = [
        f"{name} is pinned to {version} and installed as {installed[name]}"
        for name, version in pinned.items()
        if name in installed and installed[name] != version
    ]
    return wrong + [
        f"{name} is installed and not pinned" for name in sorted(installed.keys() - pinned.keys() - OF_THE_ENVIRONMENT)
    ]


def conflicts() -> list[str]:
    """Return what does not fit together, as pip sees it."""
    done = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False)
    return [] if done.returncode == 0 else done.stdout.splitlines()


def advisories(service: str) -> tuple[list[str], int]:
    """Ask one service; returns the known advisories, and how many packages it could tell anything about."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(ROOT / LISTS[1]), "--no-deps", "--disable-pip"]
    options = ["--format=json", "--progress-spinner=off", "--timeout=10", f"--vulnerability-service={service}"]
    try:
        done = subprocess.run(command + options, capture_output=True, text=True, check=False, timeout=SECONDS, cwd=ROOT)
        return read_report(json.loads(done.stdout))
    except (subprocess.TimeoutExpired, json.JSONDecodeError):
        return [], 0


def read_report(report: dict[str, Any]) -> tuple[list[str], int]:
    """Return what a report of pip-audit names, and how many packages were looked up."""
    looked_up = [entry for entry in report["dependencies"] if "skip_reason" not in entry]
    known = [
        f"{entry['name']} {entry['version']}: {found['id']}, fixed in {' '.join(found['fix_versions']) or 'none'}"
        for entry in looked_up
        for found in entry["vulns"]
    ]
    return known, len(looked_up)


def main() -> int:
    """Audit; returns 0 for good, 1 for bad, 3 where no service could be asked."""
    pinned = pins()
    problems, asked = unfaithful(pinned) + conflicts(), 0
    for service in SERVICES:
        known, asked = advisories(service)
        problems += known
        if asked:
            break
    print(*problems, sep="\n", end="\n" if problems else "")
    if problems:
        return 1
    if asked < len(pinned):
        print(f"no advisory service answers for {len(pinned) - asked} of {len(pinned)} packages; pins hold and fit")
        return NOT_AUDITED
    print(f"{asked} packages, no known advisory")
    return 0


if __name__ == "__main__":
    sys.exit(main())
