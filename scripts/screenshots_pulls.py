"""The pictures of BambooHR: a wrong key, each step, pulls that are applied, held and failed; and a JSON report."""

import re
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Page

from scripts.screenshots_scim import Keep
from tests.journeys.bamboohr import Bamboo, connect_by_key, open_tile, publish, sync_now
from tests.journeys.live import Live
from tests.journeys.scim import Company

#: Who is seen no more once the access level of whoever connected has shrunk.
UNSEEN = range(101, 146)


def company(live: Live, folder: Path) -> Company:
    """Found a company that has connected nothing yet."""
    return Company.found(live, folder, "harbour")


def pull_pictures(page: Page, company: Company, keep: Keep) -> None:
    """Walk the story with a page that is signed in as an HR admin."""
    bamboo = Bamboo(company.live)
    bamboo.calm()
    consent(page, company, keep)
    path = open_tile(page, company)
    connect_by_key(page, "pasted-in-half")
    keep("bamboohr-connect", f"{path}/bamboohr/connect")
    page.goto(f"{path}/bamboohr/connect")
    connect_by_key(page)

    def look(name: str) -> None:
        keep(f"bamboohr-{name}", urlsplit(page.url).path)

    publish(page, look)
    keep("bamboohr-run", urlsplit(sync_now(page, path, "Applied")).path)
    bamboo.do(sight={"no_access": [str(number) for number in UNSEEN]})
    keep("bamboohr-held", urlsplit(sync_now(page, path, "Held")).path)
    bamboo.do(sight={}, keys=["another"])
    keep("bamboohr-failed", urlsplit(sync_now(page, path, "Failed")).path)
    keep("bamboohr-activity", f"{path}/")
    keep("bamboohr-dashboard", company.integrations)
    bamboo.calm()
    keep("json-report-connect", f"{open_tile(page, company, 'HTTP JSON report')}/json-report/connect")


def consent(page: Page, company: Company, keep: Keep) -> None:
    """Picture Connect before a consent, and delete the draft."""
    path = open_tile(page, company)
    page.get_by_label("Sub-domain").fill("acme")
    page.locator("label", has_text="With consent (OAuth)").click()
    page.get_by_label("Client ID").fill("rgapp-demo")
    page.get_by_label("Client secret").fill("demo-client-secret")
    page.get_by_role("button", name="Save and test").click()
    page.get_by_role("heading", name="Now your consent").wait_for()
    keep("bamboohr-consent", f"{path}/bamboohr/connect")
    page.get_by_role("button", name="Delete the draft").click()
    page.locator("[data-confirm-panel]:visible").get_by_role("button", name=re.compile("Delete")).click()
    page.get_by_text(re.compile("was deleted")).wait_for()
