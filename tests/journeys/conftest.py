"""The real thing for browser journeys: `make run`'s processes in a fresh instance, Chromium, and axe."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from rgapp.demo import people
from rgapp.demo.store import DemoStore
from tests.tools import require

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 90
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 780}
CHROMIUM_OPTIONS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass(frozen=True)
class Demo:
    """A running demo: web, worker and identity provider, as `make run` starts them."""

    base_url: str
    instance: Path
    environment: dict[str, str]

    @property
    def password(self) -> str:
        """Return the password of the demo's staff."""
        return DemoStore.of(self.instance).password()

    def flask(self, *words: str) -> str:
        """Run a command in another process, as an operator does; returns what it printed."""
        command = [str(Path(sys.executable).parent / "flask"), *words]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def users(self) -> dict[str, dict[str, str]]:
        """Return the programme's users by Membership No."""
        listed = json.loads(self.flask("user", "list", "--programme", people.PROGRAMME_SLUG, "--json"))
        return {user["membership_no"]: user for user in listed}

    def log(self) -> str:
        """Return what the processes have printed so far."""
        return (self.instance / "run.log").read_text()


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Start the demo in a fresh instance folder on a free port, and stop it afterwards."""
    instance = tmp_path_factory.mktemp("journeys")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RGAPP_")}
    environment = kept | {"PORT": str(port), "INSTANCE": str(instance), "RGAPP_WEB_WORKERS": "2"}
    with (instance / "run.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "scripts/run.py"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    running = Demo(f"http://127.0.0.1:{port}", instance, environment)
    try:
        _wait_until_ready(running, process)
        yield running
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def _wait_until_ready(running: Demo, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, running.log()
        try:
            # Our own loopback address.
            with urllib.request.urlopen(f"{running.base_url}/readyz", timeout=2):  # noqa: S310
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(running.log())


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Start Chromium once for all journeys."""
    executable = require("chromium")
    options = [*CHROMIUM_OPTIONS, "--no-sandbox"] if os.geteuid() == 0 else CHROMIUM_OPTIONS
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=options)
        yield browser
        browser.close()


@pytest.fixture
def new_page(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Return a function that opens a page in a browser of its own: no cookies, and complaints are kept."""
    contexts = []

    def open_page(viewport: dict[str, int] = DESKTOP) -> Page:
        context = chromium.new_context(viewport=viewport, locale="en-GB")
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("console", lambda message: _refuse_console(message.type, message.text))
        return page

    yield open_page
    for context in contexts:
        context.close()


def _refuse_console(kind: str, text: str) -> None:
    """Fail on what a strict Content-Security-Policy or a broken script would say."""
    assert "Content Security Policy" not in text, text
    assert kind != "error" or "status of 4" in text, text


@pytest.fixture
def check_page() -> Callable[[Page], None]:
    """Return a check of the page as it is: no serious finding of axe, and no sideways scrolling."""
    axe = Axe()

    def check(page: Page) -> None:
        found = [
            f"{violation['id']}: {[node['html'][:160] for node in violation['nodes'][:3]]}"
            for violation in axe.run(page).response["violations"]
            if violation["impact"] in {"serious", "critical"}
        ]
        assert found == [], f"{page.url}: {found}"
        wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0, f"{page.url} scrolls sideways by {wider} px"

    return check


@pytest.fixture
def as_staff(demo: Demo, new_page: Callable[..., Page]) -> Callable[..., Page]:
    """Return a function that opens Reward Manager, signed in as one of the demo's staff."""

    def sign_in(label: str = "HR admin", viewport: dict[str, int] = DESKTOP) -> Page:
        person = next(person for person in people.STAFF if person.label == label)
        page = new_page(viewport)
        page.goto(f"{demo.base_url}/manager/integrations")
        page.get_by_label("E-mail").fill(person.email)
        page.get_by_label("Password").fill(demo.password)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/integrations**")
        return page

    return sign_in
