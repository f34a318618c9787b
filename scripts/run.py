"""What `make run` does after installing: migrate, load the demo, serve the Procfile, say where to go."""

import ctypes
import fcntl
import functools
import http.client
import multiprocessing
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from honcho import manager as honcho_manager
from honcho.environ import parse_procfile
from honcho.manager import Manager
from honcho.process import Popen, Process

ROOT = Path(__file__).resolve().parent.parent
LOOPBACK = "127.0.0.1"
PR_SET_PDEATHSIG = 1
SFTP_PORT = "{sftp-port}"  # Stands in the welcome until the server says which one it took.
DEMO_PROCESSES = {"idp", "bamboohr"}
STOP_SECONDS = 12  # A little longer than the worker waits for the task that is running.


class Refused(Exception):
    """Nothing was started; the message says why and what to do."""


class TiedProcess(Process):  # type: ignore[misc]  # honcho ships no types.
    """A process that is told to stop even when its manager is killed, where the system can do that."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._child_ctor = functools.partial(Popen, preexec_fn=_die_with_parent)


class Processes(Manager):  # type: ignore[misc]  # honcho ships no types.
    """Honcho's manager, safe against a signal in the first moments, and announcing when all of it answers."""

    def __init__(self, port: int, sftp_port: Path, welcome: str) -> None:
        super().__init__()
        self._process_ctor = TiedProcess
        self._port, self._sftp_port, self._welcome = port, sftp_port, welcome

    def _start(self) -> None:
        super()._start()
        threading.Thread(target=self._announce, daemon=True).start()

    def terminate(self) -> None:
        """Stop everything; while honcho does not yet know all process ids, ask again a little later."""
        if self._all_started():
            super().terminate()
        else:
            threading.Timer(0.1, self.terminate).start()

    def _announce(self) -> None:
        """Print the addresses once web and SFTP server answer, so that the first click works."""
        while not self._terminating:
            if self._sftp_port.is_file() and _answers(self._port):
                print(self._welcome.replace(SFTP_PORT, self._sftp_port.read_text().strip()), flush=True)
                return
            time.sleep(0.2)


def main() -> int:
    """Run until stopped; return the exit code."""
    os.chdir(ROOT)
    port = _port()
    instance = _instance()
    with _sole_use_of(instance):
        _refuse_busy(port)
        environment = _environment(port, instance)
        demo = environment["RGAPP_DEMO"] == "1"
        if demo:
            _prepare_identity_provider(instance, environment)
            _prepare_bamboohr(instance, environment)
        os.environ.clear()
        os.environ.update(environment)
        print("Preparing the database …", flush=True)
        _flask("db", "upgrade")
        told = _flask("demo", "load") if demo else ""
        sftp_port = instance / "sftp" / "port"
        sftp_port.unlink(missing_ok=True)  # Of a server that was killed; the new one writes its own.
        return _serve(port, sftp_port, _welcome(port, instance, told), demo)


def _port() -> int:
    raw = os.environ.get("PORT", "").strip() or "8000"
    if not raw.isdecimal() or not 0 < int(raw) < 65536:
        raise Refused(f"PORT must be a number from 1 to 65535, not {raw!r}.")
    return int(raw)


def _instance() -> Path:
    """Return the absolute instance folder, made where it does not exist."""
    instance = Path(os.environ.get("INSTANCE", "").strip() or ROOT / "instance").expanduser().resolve()
    try:
        instance.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(f"The instance folder {instance} cannot be made: {error.strerror}.") from error
    if not os.access(instance, os.W_OK):
        raise Refused(f"The instance folder {instance} cannot be written to.")
    return instance


def _sole_use_of(instance: Path) -> TextIOWrapper:
    """Lock the folder as long as this process lives; two runs in one folder would mix their addresses."""
    lock = (instance / "run.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise Refused(
            f"Another `make run` already uses the instance folder {instance}. Stop it, or choose another "
            "folder and port: make run INSTANCE=instance-2 PORT=8001"
        ) from error
    return lock


def _refuse_busy(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except PermissionError as error:
            raise Refused(
                f"Port {port} needs special rights here. Choose one above 1023: make run PORT=8001"
            ) from error
        except OSError as error:
            raise Refused(
                f"Port {port} is in use by another program. Stop that one, or choose another: make run PORT={port + 1}"
            ) from error


def _environment(port: int, instance: Path) -> dict[str, str]:
    """Return what every process of this run gets: what the caller set, our folder, port and demo."""
    environment = os.environ | {
        "PORT": str(port),
        "INSTANCE": str(instance),
        "PYTHONUNBUFFERED": "1",
        "FLASK_APP": "wsgi:app",
        "RGAPP_SFTP_OTHER_PORT": "1",  # Where the usual one is busy.
        "PATH": os.pathsep.join([str(ROOT / ".venv" / "bin"), os.environ.get("PATH", os.defpath)]),
    }
    environment["RGAPP_DEMO"] = (
        "1" if environment.get("RGAPP_DEMO", "1").strip().lower() in {"1", "true", "yes"} else "0"
    )
    return environment


def _prepare_identity_provider(instance: Path, environment: dict[str, str]) -> None:
    """Give the demo identity provider a free port, that of last time where possible, and write its address.

    It is called `localhost` while the application is `127.0.0.1`: two sites for a browser, as in real life.
    """
    folder = instance / "demo-idp"
    folder.mkdir(mode=0o700, exist_ok=True)
    kept = folder / "port"
    remembered = int(kept.read_text()) if kept.is_file() and kept.read_text().strip().isdecimal() else 0
    port = _free_port(remembered)
    kept.write_text(f"{port}\n")
    url = f"http://localhost:{port}"
    (folder / "url").write_text(f"{url}\n")
    allowed = environment.get("RGAPP_OUTBOUND_ALLOW", "")  # Its metadata link may be tried in a set-up.
    environment["RGAPP_OUTBOUND_ALLOW"] = ",".join(filter(None, [allowed, url]))


def _prepare_bamboohr(instance: Path, environment: dict[str, str]) -> None:
    """Give the simulated BambooHR a free port, that of last time where possible, and write its address."""
    kept = instance / "demo-idp" / "bamboohr-url"
    remembered = kept.read_text().strip().rpartition(":")[2] if kept.is_file() else ""
    port = _free_port(int(remembered) if remembered.isdecimal() else 0)
    kept.write_text(f"http://{LOOPBACK}:{port}\n")
    environment["BAMBOOHR_PORT"] = str(port)


def _free_port(wanted: int) -> int:
    for candidate in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, candidate))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise Refused("No free port was found for the demo.")


def _flask(*words: str) -> str:
    """Run one command of the application and return what it printed."""
    done = subprocess.run(["flask", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        words_of_it = "\n".join(filter(None, [done.stdout.strip(), done.stderr.strip()]))
        raise Refused(f"{words_of_it}\n\n`flask {' '.join(words)}` failed; its words are above.")
    return done.stdout


def _serve(port: int, sftp_port: Path, welcome: str, demo: bool) -> int:
    honcho_manager.KILL_WAIT = STOP_SECONDS
    manager = Processes(port, sftp_port, welcome)
    for name, command in parse_procfile((ROOT / "Procfile").read_text()).processes.items():
        if demo or name not in DEMO_PROCESSES:
            manager.add_process(name, command)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # Under `nohup` it stays ignored.
        signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    manager.loop()
    deliberate = manager.returncode in {128 + signal.SIGINT, 128 + signal.SIGTERM}
    print(
        "Stopped." if deliberate else "A process ended, so all were stopped; its last lines are above.",
        flush=True,
    )
    return 0 if deliberate else manager.returncode or 1


def _welcome(port: int, instance: Path, told: str) -> str:
    base_url = os.environ.get("RGAPP_BASE_URL", "").rstrip("/") or f"http://{LOOPBACK}:{port}"
    rule = "─" * min(shutil.get_terminal_size((80, 24)).columns, 80)
    parts = [
        f"  Ready: {base_url}\n  SFTP:  {LOOPBACK}:{SFTP_PORT}",
        told.rstrip(),
        f"  Data is in {_short(instance)}; Ctrl-C stops everything.",
    ]
    return "\n".join([rule, "\n\n".join(filter(None, parts)), rule])


def _short(folder: Path) -> str:
    return str(folder.relative_to(ROOT)) if folder.is_relative_to(ROOT) else str(folder)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()


def _die_with_parent() -> None:
    """Ask the system for a SIGTERM when the parent ends in any way; a plain Ctrl-C does not depend on it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


if __name__ == "__main__":
    multiprocessing.set_start_method("fork")  # What honcho expects; newer Pythons default to another.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        sys.exit(main())
    except Refused as error:
        sys.exit(f"\n{error}")
    except KeyboardInterrupt:
        sys.exit("\nStopped before serving.")
