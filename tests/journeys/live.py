"""A real installation for browser journeys: what `make run` serves, on its own port and in its own folder."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 90


@dataclass(frozen=True)
class Live:
    """A running installation with the demo in it."""

    port: int
    instance: Path
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """Return the application's address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def idp_url(self) -> str:
        """Return the demo identity provider's address: another site for the browser."""
        return (self.instance / "demo-idp" / "url").read_text().strip()

    @property
    def password(self) -> str:
        """Return the password of the demo's staff."""
        return (self.instance / "demo-idp" / "password").read_text().strip()

    def flask(self, *words: str, stdin: str | None = None, environment: Mapping[str, str] | None = None) -> str:
        """Run a command of the application against this installation; returns what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "flask", *words],
            cwd=ROOT,
            env=self._environment(self.port, self.instance) | dict(environment or {}),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def mails(self, recipient: str) -> list[EmailMessage]:
        """Return the mails that were delivered to an address, oldest first."""
        files = sorted((self.instance / "mail").glob("*.eml"), key=lambda file: file.stat().st_mtime_ns)
        mails = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]
        return [mail for mail in mails if recipient in str(mail["To"])]

    def wait_for_mail(self, recipient: str, seconds: float = 20, *, about: str = "") -> EmailMessage:
        """Return the newest mail to an address whose subject says `about`, waiting for the worker to deliver it."""
        until = time.monotonic() + seconds
        while not (found := [mail for mail in self.mails(recipient) if about in str(mail["Subject"])]):
            assert time.monotonic() < until, f"no mail to {recipient} within {seconds} s"
            time.sleep(0.1)
        return found[-1]

    @staticmethod
    def _environment(port: int, instance: Path) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RGAPP_")}
        return kept | {
            "PORT": str(port),
            "INSTANCE": str(instance),
            "FLASK_APP": "wsgi:app",
            "RGAPP_DEMO": "1",
            "PYTHONWARNINGS": "default",
        }

    @classmethod
    def start(cls, instance: Path) -> "Live":
        """Start an installation and wait until it answers."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        with (instance / "run.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "scripts/run.py"],
                cwd=ROOT,
                env=cls._environment(port, instance),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        live = cls(port, instance, process)
        until = time.monotonic() + START_SECONDS
        while not live.answers():
            if process.poll() is not None or time.monotonic() > until:
                live.stop()
                raise AssertionError((instance / "run.log").read_text())
            time.sleep(0.2)
        return live

    def answers(self) -> bool:
        """Tell whether both the application and the identity provider answer."""
        try:
            for url in (self.url, self.idp_url):
                urllib.request.urlopen(f"{url}/healthz", timeout=2).close()
        except OSError:
            return False
        return True

    def stop(self) -> int:
        """Stop everything as Ctrl-C does; returns the exit code."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(timeout=30)
