"""What people do again and again in the journeys."""

import re

from playwright.sync_api import Page, expect

from tests.journeys.live import Live


def choose_at_identity_provider(page: Page, name: str) -> None:
    """Choose an employee on the identity provider's page and go on to the application."""
    expect(page.get_by_role("heading", name="Choose who you are")).to_be_visible()
    page.get_by_role("radio", name=re.compile(re.escape(name))).check()
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile(r"^http://127\.0\.0\.1:"))


def sign_in_as_employee(page: Page, name: str, start: str = "/p/acme/login") -> None:
    """Sign in to the demo programme from its sign-in page, or from a deep link."""
    page.goto(start)
    page.get_by_role("link", name="Sign in with Acme Demo IdP").click()
    choose_at_identity_provider(page, name)


def sign_in_as_staff(
    page: Page, live: Live, email: str = "hannah.reid@acme.example", password: str | None = None
) -> None:
    """Sign in to Reward Manager, with the demo's password unless another is given."""
    page.goto("/manager/")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(password or live.password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile(r"/manager/(?!login|sign)"))
