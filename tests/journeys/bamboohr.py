"""The simulated BambooHR of the running demo, told what to do, and what people do with such an integration."""

import json
import re
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page, expect

from rgapp.demo.bamboohr.service import KEY
from tests.journeys.live import Live
from tests.journeys.scim import Company

WAIT = 60_000


@dataclass(frozen=True)
class Bamboo:
    """The other side."""

    live: Live

    @property
    def url(self) -> str:
        """Return its address."""
        return (self.live.instance / "demo-idp" / "bamboohr-url").read_text().strip()

    def do(self, **told: Any) -> None:
        """Tell it what to do."""
        body = json.dumps(told).encode()
        request = urllib.request.Request(f"{self.url}/_control", body, {"Content-Type": "application/json"})
        urllib.request.urlopen(request, timeout=10).close()

    def calm(self) -> None:
        """Let everything be as at first."""
        self.do(faults=[], sight={}, keys=[KEY])


def open_tile(page: Page, company: Company, tile: str = "BambooHR") -> str:
    """Begin a set-up from its tile; returns the path of the integration."""
    page.goto(f"{company.integrations}/explore")
    page.get_by_role("button", name=f"Set up {tile}", exact=True).click()
    page.wait_for_url(re.compile("/connect"))
    return re.sub(r"/(?:bamboohr|json-report)/connect.*", "", page.url.removeprefix(company.live.url))


def connect_by_key(page: Page, key: str = KEY, subdomain: str = "acme") -> None:
    """Fill in Connect with an API key."""
    page.get_by_label("Sub-domain").fill(subdomain)
    page.get_by_label("API key", exact=True).fill(key)
    page.get_by_role("button", name="Save and test").click()


def publish(page: Page, look: Callable[[str], None]) -> None:
    """Go on from Mapping through every step to Publish; `look` is called on each page with its name."""
    expect(page.locator("h1")).to_have_text("Mapping")
    expect(page.locator("#membership_no_field")).to_have_value("employeeNumber")
    expect(page.get_by_text("17 May 1960")).to_be_visible()
    look("mapping")
    page.get_by_role("button", name="Save and continue").click()
    expect(page.locator("h1")).to_have_text("Who")
    page.get_by_label("Full-Time", exact=True).check()
    page.get_by_label("Part-Time", exact=True).check()
    look("who")
    page.get_by_role("button", name="Save and continue").click()
    expect(page.locator("h1")).to_have_text("Schedule")
    page.get_by_role("checkbox", name=re.compile("welcome e-mail")).uncheck()
    look("schedule")
    page.get_by_role("button", name="Save and continue").click()
    page.get_by_role("button", name="Preview a pull").click()
    accept = page.get_by_role("button", name="This is as it should be")
    accept.wait_for(timeout=WAIT)
    look("preview")
    accept.click()
    expect(page.get_by_text("There is nobody to compare with")).to_be_visible()
    look("identifiers")
    page.get_by_role("link", name="Review and publish").last.click()
    look("review")
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.get_by_text(re.compile("is live"))).to_be_visible()


def sync_now(page: Page, path: str, state: str) -> str:
    """Sync now and wait until the pull is in this state; returns the path of its page."""
    # A pull that is due may be under way: it is watched instead.
    page.goto(f"{path}/")
    button = page.get_by_role("button", name="Sync now")
    if button.count():
        button.click()
    else:
        page.get_by_role("link", name="Watch it").click()
    expect(page.locator("h1 .chip")).to_have_text(re.compile(state), timeout=WAIT)
    return page.url


def figure(page: Page, label: str) -> int:
    """Return a figure of a run."""
    text = page.locator(".figures li", has_text=label).first.locator(".figure").inner_text()
    return int(text.replace(",", ""))
