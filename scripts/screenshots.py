"""Take the pictures in docs/images: every page of the main story, at desktop and phone width, from a fresh demo."""

import json
import re
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, sync_playwright
from pyotp import TOTP

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts import screenshots_pulls  # noqa: E402
from scripts.screenshots_scim import Keep, directory_pictures  # noqa: E402
from scripts.screenshots_sftp import company, file_pictures  # noqa: E402
from tests.journeys.conftest import ARGUMENTS  # noqa: E402 - the folder above has to be found first.
from tests.journeys.live import Live  # noqa: E402
from tests.journeys.scim import PASSWORD  # noqa: E402
from tests.journeys.steps import (  # noqa: E402
    choose_at_identity_provider,
    sign_in_as_employee,
    sign_in_as_staff,
)
from tests.tools import require  # noqa: E402

IMAGES = ROOT / "docs" / "images"
WIDTHS = {"desktop": {"width": 1280, "height": 860}, "phone": {"width": 360, "height": 740}}
LONGEST = {"desktop": 2000, "phone": 3000}
STAFF = "hannah.reid@acme.example"
EVERYBODY = ("Jane Carter", "Zoë Núñez-O’Neill", "Grace Okafor", "Marcus Bell", "Tomasz Nowak", "Priya Sharma")


class Camera:
    """Opens pages at both widths and keeps a picture of each."""

    def __init__(self, browser: Browser, live: Live) -> None:
        self.browser, self.live = browser, live

    def page(self, width: str = "desktop", state: Path | None = None) -> Page:
        """Open a page in a browser of its own, with the cookies kept in `state`."""
        context = self.browser.new_context(
            base_url=self.live.url, viewport=WIDTHS[width], locale="en-GB", storage_state=state
        )
        page = context.new_page()
        page.set_default_timeout(20_000)
        return page

    def keep(self, page: Page, name: str, width: str) -> None:
        """Keep a picture of the page, of very long ones the upper part."""
        page.wait_for_load_state()
        height = min(LONGEST[width], page.evaluate("document.documentElement.scrollHeight"))
        clip = {"x": 0, "y": 0, "width": WIDTHS[width]["width"], "height": height}
        page.screenshot(path=IMAGES / f"{name}-{width}.png", full_page=True, clip=clip)


def main() -> None:
    """Start a demo, walk the story, take the pictures."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        live = Live.start(Path(folder))
        browser = playwright.chromium.launch(executable_path=require("chromium"), args=list(ARGUMENTS))
        try:
            camera = Camera(browser, live)
            employees(camera)
            state = Path(folder) / "staff.json"
            page = staff(camera, state)
            directory_pictures(page, keeper(camera, page, state))
            files(camera, Path(folder))
            pulls(camera, Path(folder))
            second_step(camera, state)
        finally:
            browser.close()
            live.stop()


def employees(camera: Camera) -> None:
    """Picture the employee's side, and let everybody sign in once."""
    sign_out = live_connection(camera.live)["urls"]["logout"]
    for width in WIDTHS:
        page = camera.page(width)
        page.goto("/p/acme/login")
        camera.keep(page, "sign-in", width)
        sign_in_as_employee(page, "Jane Carter")
        camera.keep(page, "home", width)
        page.goto("/p/acme/details")
        camera.keep(page, "details", width)
        page.goto(sign_out)
        camera.keep(page, "sign-out", width)
        refused = camera.page(width)
        sign_in_as_employee(refused, "Priya Sharma")
        camera.keep(refused, "refused", width)
    for name in EVERYBODY:
        sign_in_as_employee(camera.page(), name)


def staff(camera: Camera, state: Path) -> Page:
    """Picture Reward Manager: a second connection is set up and tested on the way; returns the page signed in."""
    page = camera.page()
    page.goto("/manager/login")
    camera.keep(page, "staff-sign-in", "desktop")
    sign_in_as_staff(page, camera.live)
    page.context.storage_state(path=state)
    draft = set_up_okta(camera, page)
    live_one = f"/manager/acme/integrations/{live_connection(camera.live)['id']}"
    page.goto(f"{live_one}/")
    attempt_path = page.locator("tr", has_text="Priya").get_by_role("link").first.get_attribute("href") or ""
    page.goto("/users/?q=jane")
    person_path = page.get_by_role("link", name="Jane Carter").first.get_attribute("href") or ""
    pages = {
        "integrations": "/manager/acme/integrations",
        "explore": "/manager/acme/integrations/explore",
        "set-up-initial": f"{draft}/setup/initial",
        "set-up-mapping": f"{draft}/setup/mapping",
        "set-up-testing": f"{draft}/setup/testing",
        "set-up-review": f"{draft}/setup/review",
        "integration": f"{live_one}/",
        "integration-history": f"{live_one}/history",
        "integration-tools": f"{live_one}/tools",
        "attempt": attempt_path,
        "users": "/users/",
        "person": person_path,
        "add-a-person": "/users/acme/new",
        "activity": "/manager/acme/activity",
        "settings": "/manager/acme/settings",
        "account": "/manager/account",
        "mail": "/manager/acme/mail",
    }
    for width in WIDTHS:
        for name, path in pages.items():
            shown = camera.page(width, state)
            shown.goto(path)
            camera.keep(shown, name, width)
            shown.context.close()
    return page


def keeper(camera: Camera, page: Page, state: Path) -> Keep:
    """Return what takes pictures of the pages that whoever is signed in with `state` sees."""

    def keep(name: str, path: str) -> None:
        """Take a picture at each width; without a path of the page that is open, which cannot be opened again."""
        for width, size in WIDTHS.items():
            shown = camera.page(width, state) if path else page
            if path:
                shown.goto(path)
            else:
                shown.set_viewport_size({"width": size["width"], "height": size["height"]})
            camera.keep(shown, name, width)
            if path:
                shown.context.close()
        page.set_viewport_size({"width": WIDTHS["desktop"]["width"], "height": WIDTHS["desktop"]["height"]})

    return keep


def files(camera: Camera, folder: Path) -> None:
    """Picture files by SFTP, in a company of its own."""
    page, state = camera.page(), folder / "files.json"
    firm = company(camera.live, folder)
    sign_in_as_staff(page, camera.live, firm.admin, PASSWORD)
    page.context.storage_state(path=state)
    file_pictures(page, firm, keeper(camera, page, state))


def pulls(camera: Camera, folder: Path) -> None:
    """Picture BambooHR and a JSON report, in a company of their own."""
    page, state = camera.page(), folder / "pulls.json"
    firm = screenshots_pulls.company(camera.live, folder)
    sign_in_as_staff(page, camera.live, firm.admin, PASSWORD)
    page.context.storage_state(path=state)
    screenshots_pulls.pull_pictures(page, firm, keeper(camera, page, state))


def second_step(camera: Camera, state: Path) -> None:
    """Picture the second step: setting it up, the recovery codes, and the next sign-in."""
    for width in WIDTHS:
        page = camera.page(width, state)
        page.goto("/manager/account/two-step")
        begin = page.get_by_role("button", name="Begin", exact=True)
        if begin.count():
            begin.click()
        page.get_by_role("img", name=re.compile("QR code")).wait_for()
        camera.keep(page, "second-step", width)
    app = TOTP(page.get_by_role("textbox", name="Secret to type instead").input_value().replace(" ", ""))
    page.get_by_label("Code from the app").fill(app.now())
    page.get_by_label("Your password").fill(camera.live.password)
    page.get_by_role("button", name="Switch on").click()
    page.get_by_role("heading", name="Two-step sign-in is on").wait_for()
    for width, size in WIDTHS.items():
        page.set_viewport_size({"width": size["width"], "height": size["height"]})
        camera.keep(page, "recovery-codes", width)
        other = camera.page(width)
        other.goto("/manager/login")
        other.get_by_label("E-mail").fill(STAFF)
        other.get_by_label("Password", exact=True).fill(camera.live.password)
        other.get_by_role("button", name="Sign in").click()
        other.get_by_role("heading", name="Enter the code from your app").wait_for()
        camera.keep(other, "staff-code", width)


def live_connection(live: Live) -> Any:
    """Return the demo's connection that is live, as the command line prints it."""
    listed = json.loads(live.flask("integration", "list", "--programme", "acme", "--json"))
    return next(one for one in listed if one["state"] == "live" and one["kind"] == "inbound-saml")


def set_up_okta(camera: Camera, page: Page) -> str:
    """Set a second connection up as far as a test that finds something; returns the path of its page."""
    page.goto("/manager/acme/integrations/explore?q=okta")
    page.get_by_role("button", name="Set up").first.click()
    page.wait_for_url(re.compile("/setup/initial"))
    draft = urlsplit(page.url).path.removesuffix("/setup/initial")
    with urllib.request.urlopen(f"{camera.live.idp_url}/metadata", timeout=5) as answer:  # noqa: S310 - our own demo.
        metadata = answer.read()
    page.get_by_label("Upload a metadata file").check()
    page.get_by_label("Metadata file", exact=True).set_input_files(
        {"name": "metadata.xml", "mimeType": "text/xml", "buffer": metadata}
    )
    page.get_by_role("button", name="Save and continue").click()
    camera.keep(page, "set-up-metadata", "desktop")
    page.get_by_role("button", name="Use these details").click()
    page.wait_for_url(re.compile("/setup/mapping"))
    names = page.get_by_label(re.compile("Attribute name"))
    for number, name in enumerate(("employeeNumber", "email", "givenName", "sn", "birthDate")):
        names.nth(number).fill(name)
    page.get_by_label(re.compile("Just-In-Time provisioning")).check()
    page.get_by_role("button", name="Save and continue").click()
    page.get_by_role("link", name="Sign in as a test").click()
    choose_at_identity_provider(page, "Jane Carter")
    page.wait_for_url(re.compile("/setup/testing"))
    return draft


if __name__ == "__main__":
    main()
