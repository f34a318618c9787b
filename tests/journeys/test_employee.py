"""An employee's journeys: the first sign-in creates her account, the next ones just sign in, a refusal explains."""

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import DESKTOP, PHONE
from tests.journeys.live import Live
from tests.journeys.steps import choose_at_identity_provider, sign_in_as_employee


def users(live: Live) -> dict[str, dict[str, str]]:
    """Return the demo programme's users by Membership No."""
    listed = json.loads(live.flask("user", "list", "--programme", "acme", "--json"))
    return {user["membership_no"]: user for user in listed}


def test_the_first_sign_in_creates_the_account_and_the_next_one_just_signs_in(page: Page, live: Live) -> None:
    sign_in_as_employee(page, "Jane Carter")
    expect(page.get_by_role("heading", name="Welcome, Jane")).to_be_visible()
    expect(page.get_by_text("3 April 1990")).to_be_visible()
    assert users(live)["E1001"]["status"] == "active"
    mail = live.wait_for_mail("jane.carter@acme.example")
    assert "Acme Rewards" in str(mail["Subject"])
    assert "password" not in mail.get_body(("plain",)).get_content().lower()

    page.get_by_role("button", name="Sign out").click()
    page.goto("/p/acme/")
    expect(page).to_have_url(re.compile("/p/acme/login"))
    sign_in_as_employee(page, "Jane Carter")
    expect(page.get_by_role("heading", name="Welcome, Jane")).to_be_visible()
    assert len(live.mails("jane.carter@acme.example")) == 1


def test_a_deep_link_comes_back_to_where_she_wanted_to_go(page: Page) -> None:
    sign_in_as_employee(page, "Zoë Núñez", start="/p/acme/details")
    expect(page).to_have_url(re.compile(r"/p/acme/details$"))
    expect(page.get_by_text("Núñez-O’Neill").first).to_be_visible()


def test_a_sign_in_may_start_at_the_identity_provider(page: Page, live: Live) -> None:
    page.goto(live.idp_url)
    page.get_by_role("radio", name=re.compile("Grace Okafor")).check()
    page.get_by_role("button", name="Open Acme Rewards").click()
    expect(page.get_by_role("heading", name="Welcome, Grace")).to_be_visible()
    assert users(live)["00317"]["email"] == "grace.okafor@acme.example"


@pytest.mark.parametrize(("number", "name"), [("E1004", "Marcus Bell"), ("E1005", "Tomasz Nowak")])
def test_a_missing_or_unreadable_birth_date_keeps_nobody_out(page: Page, live: Live, number: str, name: str) -> None:
    sign_in_as_employee(page, name)
    expect(page.get_by_role("heading", name=f"Welcome, {name.split()[0]}")).to_be_visible()
    assert users(live)[number]["date_of_birth"] is None


def test_a_missing_address_is_refused_in_one_calm_sentence(page: Page, live: Live) -> None:
    sign_in_as_employee(page, "Priya Sharma")
    expect(page.get_by_text("Your company has not sent us your e-mail address")).to_be_visible()
    expect(page.get_by_text("people@acme.example")).to_be_visible()
    expect(page.get_by_text(re.compile(r"^[0-9A-Z]{4}-[0-9A-Z]{4}$"))).to_be_visible()
    assert "E1006" not in users(live)


def test_signing_in_works_without_javascript(new_page: Callable[..., Page]) -> None:
    page = new_page(java_script_enabled=False)
    page.goto("/p/acme/login")
    page.get_by_role("link", name="Sign in with Acme Demo IdP").click()
    page.get_by_role("radio", name=re.compile("Zoë")).check()
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Welcome, Zoë")).to_be_visible()


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_her_pages_are_accessible_at_both_widths(
    new_page: Callable[..., Page],
    accessible: Callable[[Page], None],
    live: Live,
    viewport: dict[str, int],
) -> None:
    page = new_page(viewport)
    page.goto(live.idp_url)
    accessible(page)
    page.goto("/p/acme/login")
    accessible(page)
    page.get_by_role("link", name="Sign in with Acme Demo IdP").click()
    accessible(page)
    choose_at_identity_provider(page, "Priya Sharma")
    accessible(page)
    sign_in_as_employee(page, "Jane Carter")
    accessible(page)
    page.goto("/p/acme/details")
    accessible(page)
