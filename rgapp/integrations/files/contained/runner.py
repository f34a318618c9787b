"""Run one of the contained programs and wait for its verdict."""

import json
import subprocess  # Only our own programs, by path, without a shell.  # nosec B404
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

PROGRAMS: Final = Path(__file__).parent


def run(program: str, task: Mapping[str, Any], *, seconds: int) -> dict[str, Any] | None:
    """Return what the program says of its task; None where it died or took longer than `seconds`.

    Secrets in the task go through a pipe: neither the list of processes nor the environment shows them.
    """
    command = [sys.executable, "-I", str(PROGRAMS / f"{program}.py")]
    try:
        done = subprocess.run(  # noqa: S603 - the command is ours, the task is data.  # nosec B603
            command,
            input=json.dumps(task).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=seconds,
            env={"LC_ALL": "C.UTF-8"},
            check=False,
        )
        said = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        return None
    return said if isinstance(said, dict) and done.returncode == 0 else None
