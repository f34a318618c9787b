"""The story of BambooHR: from a tile to people who come, a permission that shrank, a busy service, a lost way in."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.bamboohr import (
    Bamboo,
    connect_by_key,
    figure,
    open_tile,
    publish,
    sync_now,
)
from tests.journeys.conftest import DESKTOP, PHONE
from tests.journeys.live import Live
from tests.journeys.scim import PASSWORD, Company
from tests.journeys.steps import sign_in_as_staff

EVERYBODY = 120
#: Of seven employees one is a contractor, whom the filters leave out.
TAKEN = 103


@pytest.fixture
def bamboo(live: Live) -> Iterator[Bamboo]:
    """Return the simulated BambooHR, which is as at first before and after."""
    found = Bamboo(live)
    found.calm()
    yield found
    found.calm()


@pytest.fixture
def look(accessible: Callable[[Page], None]) -> Callable[[Page], Callable[[str], None]]:
    """Return a function that makes a check of a page at both widths."""

    def of(page: Page) -> Callable[[str], None]:
        def check(_: str) -> None:
            for viewport in (PHONE, DESKTOP):
                page.set_viewport_size(viewport)  # type: ignore[arg-type]  # The same keys as a TypedDict.
                accessible(page)

        return check

    return of


def test_by_key_from_its_tile_to_a_lost_way_in(
    page: Page, live: Live, bamboo: Bamboo, look: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    company = Company.found(live, tmp_path_factory.mktemp("bay"), "bay")
    seen = look(page)
    sign_in_as_staff(page, live, company.admin, PASSWORD)
    path = open_tile(page, company)
    connect_by_key(page, "a-wrong-key")
    expect(page.get_by_text("BambooHR does not accept this API key.")).to_be_visible()
    seen("connect")
    connect_by_key(page)
    expect(page.get_by_text("BambooHR lets us in.")).to_be_visible()
    publish(page, seen)

    sync_now(page, path, "Applied")
    seen("run")
    people = company.people()
    assert len(people) == TAKEN
    assert people["010001"]["date_of_birth"] == "1960-05-17"
    seen_at = sync_now(page, path, "Applied")
    assert figure(page, "Unchanged") == TAKEN

    # A permission that shrank looks like half the company leaving.
    bamboo.do(sight={"no_access": [str(number) for number in range(101, 161)]})
    assert sync_now(page, path, "Held") != seen_at
    expect(page.get_by_text("We may no longer be allowed to see the others")).to_be_visible()
    seen("held")
    assert {one["status"] for one in company.people().values()} == {"active"}
    live.wait_for_mail(company.admin, about="held")
    page.get_by_role("button", name="Discard", exact=True).or_(
        page.locator("summary", has_text="Discard")
    ).first.click()
    page.locator("[data-confirm-panel]:visible").get_by_role("button", name="Discard").click()
    expect(page.locator("h1 .chip")).to_have_text("Discarded")

    # A field that is hidden comes empty, and blanks nobody.
    bamboo.do(sight={"hidden": {"dateOfBirth": "empty"}})
    sync_now(page, path, "Held")
    expect(page.get_by_text("We may no longer be allowed to see it.")).to_be_visible()
    assert company.people()["010001"]["date_of_birth"] == "1960-05-17"

    # A busy service is waited for.
    bamboo.calm()
    bamboo.do(faults=[{"kind": "rate", "at": [2, 4], "seconds": 1}])
    sync_now(page, path, "Applied")
    assert figure(page, "Unchanged") == TAKEN

    bamboo.do(faults=[], keys=["another-key"])
    sync_now(page, path, "Failed")
    seen("failed")
    live.wait_for_mail(company.admin, about="failed")
    page.goto(company.integrations)
    expect(page.get_by_text("BambooHR does not accept this API key.")).to_be_visible()
    seen("dashboard")
    page.get_by_role("link", name="Connect again").click()
    bamboo.calm()
    page.get_by_role("button", name="Save and test").click()
    expect(page.get_by_text("BambooHR lets us in.")).to_be_visible()
    sync_now(page, path, "Applied")
    page.goto(company.integrations)
    expect(page.get_by_text("BambooHR does not accept this API key.")).not_to_be_visible()


def test_by_consent_and_a_revoked_one_is_noticed(
    page: Page, live: Live, bamboo: Bamboo, look: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    company = Company.found(live, tmp_path_factory.mktemp("cove"), "cove")
    seen = look(page)
    sign_in_as_staff(page, live, company.admin, PASSWORD)
    path = open_tile(page, company)
    page.get_by_label("Sub-domain").fill("https://acme.bamboohr.com/home")
    page.locator("label", has_text="With consent (OAuth)").click()
    page.get_by_label("Client ID").fill("rgapp-demo")
    page.get_by_label("Client secret").fill("demo-client-secret")
    page.get_by_role("button", name="Save and test").click()
    expect(page.get_by_role("heading", name="Now your consent")).to_be_visible()
    seen("consent")
    page.get_by_role("button", name="Go to BambooHR").click()
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_text("BambooHR was not allowed to let us in")).to_be_visible()
    page.get_by_role("button", name="Go to BambooHR").click()
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_text("BambooHR lets us in.")).to_be_visible()
    publish(page, lambda _: None)
    sync_now(page, path, "Applied")
    assert len(company.people()) == TAKEN
    # The first refresh token was used up by now: what was given in its place lets us in again.
    sync_now(page, path, "Applied")

    bamboo.do(revoke=True)
    sync_now(page, path, "Failed")
    expect(page.get_by_text("The consent was revoked or has run out.").first).to_be_visible()
    live.wait_for_mail(company.admin, about="failed")
    page.goto(company.integrations)
    expect(page.get_by_text("The consent was revoked or has run out.")).to_be_visible()
    page.get_by_role("link", name="Connect again").click()
    page.get_by_role("button", name="Go to BambooHR").click()
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_text("BambooHR lets us in.")).to_be_visible()
    sync_now(page, path, "Applied")
