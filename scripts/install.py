"""Make `.venv` and install a requirements file into it, once per change of it; needs no other package."""

import fcntl
import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
RUNTIME, DEVELOPMENT = "requirements.txt", "requirements-dev.txt"


def main(wanted: str) -> None:
    """Install `wanted`; return quickly where that was done before."""
    with (ROOT / RUNTIME).open() as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)  # Two `make` at once in one clone: the second waits for the first.
        if not _works():
            print("Making the virtual environment .venv …", flush=True)
            _make()
        if _stamp(wanted).is_file() and _stamp(wanted).read_text() == _digest(wanted):
            return
        print(f"Installing {wanted} into .venv (once; a minute or two) …", flush=True)
        _install(wanted)
        for name in (RUNTIME, wanted):  # The development file contains the other one.
            _stamp(name).write_text(_digest(name))


def _works() -> bool:
    """Tell whether the environment is there and its interpreter still exists and has pip."""
    if not PYTHON.exists():
        return False
    return _run([str(PYTHON), "-c", "import pip, sys; sys.exit(sys.version_info < (3, 11))"]).returncode == 0


def _make() -> None:
    done = _run([sys.executable, "-m", "venv", "--clear", str(VENV)])
    if done.returncode:
        sys.exit(
            f"{_tail(done)}\n\nThe virtual environment could not be made. Python's `venv` module is needed; "
            "Debian and Ubuntu keep it in the package python3-venv."
        )


def _install(name: str) -> None:
    command = [
        str(PYTHON),
        "-m",
        "pip",
        "install",
        "--prefer-binary",
        "--no-input",
        "--requirement",
        str(ROOT / name),
    ]
    done = _run(command, PIP_DISABLE_PIP_VERSION_CHECK="1")
    if done.returncode:
        sys.exit(f"{_tail(done)}\n\nInstalling {name} failed; pip's last words are above.")


def _run(command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def _tail(done: subprocess.CompletedProcess[str]) -> str:
    return "\n".join(done.stdout.splitlines()[-30:])


def _digest(name: str) -> str:
    """Identify what is asked for: the interpreter, and the files' content."""
    digest = hashlib.sha256(sys.version.encode())
    for file in (RUNTIME, *([DEVELOPMENT] if name == DEVELOPMENT else [])):
        digest.update((ROOT / file).read_bytes())
    return digest.hexdigest()


def _stamp(name: str) -> Path:
    return VENV / f".installed-{name}"


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except KeyboardInterrupt:
        sys.exit("\nStopped.")
