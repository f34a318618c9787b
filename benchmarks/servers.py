"""Start what is measured: gunicorn with one and the same number and kind of workers for every application."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.meter import CPUMeter

ROOT = Path(__file__).resolve().parent.parent
WORKERS, THREADS = 2, 8
START_SECONDS = 60
# The peers run as gunicorn does by itself: they write no access log, which the application does.
PEER_OPTIONS = ("--worker-class", "gthread", "--keep-alive", "5", "--no-control-socket")


@dataclass(frozen=True)
class Server:
    """A server that answers."""

    port: int
    pid: int

    @property
    def meter(self) -> CPUMeter:
        """Return the meter of all its processes."""
        return CPUMeter(self.pid)


@contextmanager
def application(instance: Path, environment: Mapping[str, str]) -> Iterator[Server]:
    """Serve the application as the Procfile does."""
    numbers = {"RGAPP_WEB_WORKERS": str(WORKERS), "RGAPP_WEB_THREADS": str(THREADS)}
    with _serving(["--config", "gunicorn.conf.py", "wsgi:app"], instance, {**environment, **numbers}) as server:
        yield server


@contextmanager
def peer(module: str, folder: Path, environment: Mapping[str, str], *, workers: int = WORKERS) -> Iterator[Server]:
    """Serve an application that is compared, such as `benchmarks.floor`; one in memory only needs one worker."""
    words = [*PEER_OPTIONS, "--workers", str(workers), "--threads", str(THREADS), f"{module}:create_app()"]
    with _serving(words, folder, environment) as server:
        yield server


@contextmanager
def _serving(words: list[str], folder: Path, environment: Mapping[str, str]) -> Iterator[Server]:
    port = free_port()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RGAPP_")}
    log = folder / f"gunicorn-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", *words],
            cwd=ROOT,
            env={**kept, **environment, "RGAPP_BIND": f"127.0.0.1:{port}"},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait(process, port, log)
        yield Server(port, process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Wait until the server answers anything at all."""
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"The server did not start:\n{log.read_text()}") from None
            time.sleep(0.1)
        else:
            return


def free_port() -> int:
    """Return a port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
