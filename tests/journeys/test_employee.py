"""Employees in a real browser: first sign-in, deep link, IdP-initiated, refusal, sign-out."""

import email
import email.policy
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import PHONE, Demo

pytestmark = pytest.mark.xdist_group("journeys")
MAIL_SECONDS = 20


def choose(page: Page, name: str) -> None:
    """Authenticate at the demo identity provider as one of its employees."""
    page.get_by_text(name, exact=True).click()
    page.get_by_role("button", name="Sign in").click()


def mails_to(demo: Demo, address: str) -> list[email.message.EmailMessage]:
    """Return the mails that were delivered to an address."""
    found = [
        email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        for path in (demo.instance / "mail").glob("*.eml")
    ]
    return [mail for mail in found if mail["To"] == address]


def test_the_first_sign_in_creates_her_account_and_greets_her(
    demo: Demo, new_page: Callable[..., Page], check_page: Callable[[Page], None]
) -> None:
    page = new_page()
    page.goto(f"{demo.base_url}/p/acme/login")
    check_page(page)
    page.get_by_role("link", name="Sign in with Acme Demo IdP").click()
    check_page(page)
    choose(page, "Jane Carter")
    page.wait_for_url(f"{demo.base_url}/p/acme/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Welcome, Jane")
    expect(page.get_by_text("3 April 1990")).to_be_visible()
    check_page(page)
    user = demo.users()["E1001"]
    assert (user["email"], user["date_of_birth"], user["status"]) == (
        "jane.carter@acme.example",
        "1990-04-03",
        "active",
    )
    deadline = time.monotonic() + MAIL_SECONDS
    while not mails_to(demo, "jane.carter@acme.example") and time.monotonic() < deadline:
        time.sleep(0.2)
    (welcome,) = mails_to(demo, "jane.carter@acme.example")
    assert len(welcome["Subject"]) <= 60
    body = welcome.get_body(("plain",))
    assert body is not None
    assert "Jane" in body.get_content()
    assert "password" not in body.get_content().lower()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.goto(f"{demo.base_url}/p/acme/")
    assert "/login" in page.url


def test_a_deep_link_comes_back_on_a_phone(
    demo: Demo, new_page: Callable[..., Page], check_page: Callable[[Page], None]
) -> None:
    page = new_page(PHONE)
    page.goto(f"{demo.base_url}/p/acme/details")
    page.get_by_role("link", name="Sign in with Acme Demo IdP").click()
    choose(page, "Zoë Núñez-O’Neill")
    page.wait_for_url(f"{demo.base_url}/p/acme/details")
    expect(page.get_by_text("29 February 1992")).to_be_visible()
    check_page(page)


def test_an_unreadable_date_makes_the_account_without_it(demo: Demo, new_page: Callable[..., Page]) -> None:
    page = new_page()
    page.goto(f"{demo.base_url}/p/acme/login")
    page.get_by_role("link", name="Sign in with Acme Demo IdP").click()
    choose(page, "Tomasz Nowak")
    expect(page.get_by_role("heading", level=1)).to_have_text("Welcome, Tomasz")
    assert demo.users()["E1005"]["date_of_birth"] is None


def test_a_missing_email_ends_on_one_calm_sentence(
    demo: Demo, new_page: Callable[..., Page], check_page: Callable[[Page], None]
) -> None:
    page = new_page(PHONE)
    page.goto(f"{demo.base_url}/p/acme/login")
    page.get_by_role("link", name="Sign in with Acme Demo IdP").click()
    choose(page, "Priya Sharma")
    expect(page.get_by_text("Your company has not sent us your e-mail address")).to_be_visible()
    expect(page.get_by_role("link", name="Try again")).to_be_visible()
    check_page(page)
    assert "E1006" not in demo.users()


def test_opening_the_app_from_the_identity_provider_signs_in(demo: Demo, new_page: Callable[..., Page]) -> None:
    page = new_page()
    page.goto((demo.instance / "demo-idp" / "url").read_text().strip())
    page.get_by_text("Grace Okafor", exact=True).click()
    page.get_by_role("button", name="Open Acme Rewards").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Welcome, Grace")
    assert "00317" in demo.users()


def test_no_log_line_holds_a_message_or_a_name(demo: Demo, new_page: Callable[..., Page]) -> None:
    page = new_page()
    page.goto(f"{demo.base_url}/p/acme/login")
    page.get_by_role("link", name="Sign in with Acme Demo IdP").click()
    choose(page, "Marcus Bell")
    expect(page.get_by_role("heading", level=1)).to_have_text("Welcome, Marcus")
    log = demo.log()
    for secret in ("SAMLResponse", "SAMLRequest", "RelayState", "marcus.bell@", "Marcus Bell"):
        assert secret not in log
