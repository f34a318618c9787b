"""`make run` before it serves: a clear sentence and an exit code for what cannot work."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.live import ROOT


def run(instance: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the script until it refuses."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RGAPP_")}
    return subprocess.run(
        [sys.executable, "scripts/run.py"],
        cwd=ROOT,
        env=kept | {"INSTANCE": str(instance), "PORT": "8000"} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def busy_port() -> Iterator[int]:
    """Return a port on which something else listens."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def test_a_busy_port_is_said_in_a_sentence(tmp_path: Path, busy_port: int) -> None:
    refused = run(tmp_path / "new", PORT=str(busy_port))
    assert refused.returncode != 0
    assert f"Port {busy_port} is in use" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("port", ["0", "65536", "eighty", "-1"])
def test_a_port_must_be_a_port(tmp_path: Path, port: str) -> None:
    refused = run(tmp_path, PORT=port)
    assert refused.returncode != 0
    assert "PORT must be a number" in refused.stderr


def test_an_instance_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused = run(tmp_path / "file" / "instance")
    assert refused.returncode != 0
    assert "cannot be made" in refused.stderr


def test_the_demo_does_not_run_in_production(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    refused = run(tmp_path, PORT=str(port), RGAPP_ENV="production")
    assert refused.returncode != 0
    assert "RGAPP_DEMO=1 is for a loopback address only" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (tmp_path / "rgapp.db").exists()
