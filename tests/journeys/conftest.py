"""Fixtures of the browser journeys: a live installation, Chromium, and what every page has to satisfy."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from tests.journeys.live import ROOT, Live
from tests.tools import require

RESULTS = ROOT / "test-results"
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 740}
ARGUMENTS = (
    "--no-sandbox",  # Tests may run as root in a container, where the sandbox cannot start.
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run all journeys in one process: they share one installation, and there are few cores."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.journey)
            item.add_marker(pytest.mark.xdist_group("journeys"))


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Return a running installation with the demo; journeys share it, so each uses people or programmes of its own."""
    running = Live.start(tmp_path_factory.mktemp("live"))
    yield running
    assert running.stop() == 0, (running.instance / "run.log").read_text()[-4000:]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Return Chromium, the one Debian packages or the one CHROMIUM names."""
    executable = require("chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=list(ARGUMENTS))
        yield chromium
        chromium.close()


@pytest.fixture
def new_page(browser: Browser, live: Live, request: pytest.FixtureRequest) -> Iterator[Callable[..., Page]]:
    """Return a way to open a fresh browser; its pages must raise no script error and break no security policy."""
    complaints: list[str] = []
    contexts = []

    def open_page(viewport: dict[str, int] = DESKTOP, **options: object) -> Page:
        context = browser.new_context(base_url=live.url, viewport=viewport, locale="en-GB", **options)
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        page.on(
            "console",
            lambda message: (
                complaints.append(f"{page.url}: {message.text}")
                if message.type == "error" and "Content Security Policy" in message.text
                else None
            ),
        )
        return page

    yield open_page
    if getattr(request.node, "failed_call", False):
        RESULTS.mkdir(exist_ok=True)
        name = re.sub(r"\W+", "-", request.node.name)
        for number, context in enumerate(contexts):
            for page in context.pages:
                page.screenshot(path=RESULTS / f"{name}-{number}.png", full_page=True)
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    """Return a page in a fresh browser of desktop width."""
    return new_page()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Let fixtures know that the test failed, so that they can keep a picture."""
    report = yield
    if report.when == "call" and report.failed:
        item.failed_call = True
    return report


@pytest.fixture(scope="session")
def accessible() -> Callable[[Page], None]:
    """Return a check that a page has no serious or critical finding of axe and no sideways scrolling."""
    axe = Axe()

    def check(page: Page) -> None:
        found = axe.run(page, options={"resultTypes": ["violations"]}).response["violations"]
        grave = [
            f"{rule['id']}: {rule['help']} ({', '.join(node['target'][0] for node in rule['nodes'][:3])})"
            for rule in found
            if rule["impact"] in {"serious", "critical"}
        ]
        assert grave == [], f"{page.url}: {grave}"
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 0, f"{page.url} scrolls {overflow} px sideways"

    return check
