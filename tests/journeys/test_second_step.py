"""An HR admin's journey: a programme begins to ask for a second step, she sets hers up, loses her phone, gets in."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect
from pyotp import TOTP

from rgapp.clock import utcnow
from tests.journeys.conftest import DESKTOP, PHONE
from tests.journeys.live import Live

PASSWORD = "tulips on 71 hills"


Invite = Callable[[str, str], str]


@pytest.fixture
def invite(live: Live) -> Iterator[Invite]:
    """Return a function that makes a programme which asks for a second step, with one admin, and returns her link.

    Afterwards it stops asking: support staff see every programme, and would be asked in all journeys that follow.
    """
    made: list[str] = []

    def make(slug: str, email: str) -> str:
        live.flask("programme", "create", "--name", slug.title(), "--slug", slug, "--second-factor")
        made.append(slug)
        printed = live.flask("staff", "create", "--email", email, "--name", "Nora Vance", "--programme", slug)
        return printed.splitlines()[-1].removeprefix(live.url)

    yield make
    for slug in made:
        live.flask("programme", "update", slug, "--no-second-factor")


def choose_password(page: Page, link: str) -> None:
    """Set the first password by the link."""
    page.goto(link)
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_label("The same again").fill(PASSWORD)
    page.get_by_role("button", name="Set password and sign in").click()


def enrol(page: Page) -> tuple[TOTP, list[str]]:
    """Set the second step up; returns the app on the phone and the recovery codes."""
    page.get_by_role("button", name="Begin", exact=True).click()
    expect(page.get_by_role("img", name=re.compile("QR code"))).to_be_visible()
    app = TOTP(page.get_by_role("textbox", name="Secret to type instead").input_value().replace(" ", ""))
    page.get_by_label("Code from the app").fill(app.at(utcnow()))
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Switch on").click()
    expect(page.get_by_role("heading", name="Two-step sign-in is on")).to_be_visible()
    return app, page.locator(".recovery-codes li").all_inner_texts()


def give_password(page: Page, email: str) -> None:
    """Take the first step of a sign-in."""
    page.goto("/manager/login")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


@pytest.mark.parametrize(("viewport", "slug"), [(DESKTOP, "tall"), (PHONE, "small")], ids=["desktop", "phone"])
def test_a_programme_asks_for_a_second_step_and_a_lost_phone_is_no_end(
    new_page: Callable[..., Page],
    accessible: Callable[[Page], None],
    invite: Invite,
    viewport: dict[str, int],
    slug: str,
) -> None:
    email = f"nora@{slug}.example"
    page = new_page(viewport)
    choose_password(page, invite(slug, email))

    # Nothing opens before the second step is set up.
    expect(page).to_have_url(re.compile("/manager/account/two-step"))
    expect(page.get_by_text(f"{slug.title()} asks for this")).to_be_visible()
    page.goto(f"/manager/{slug}/settings")
    expect(page.get_by_role("heading", name="Set up two-step sign-in")).to_be_visible()
    accessible(page)
    app, codes = enrol(page)
    accessible(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert codes[9] in download.value.path().read_text()
    page.get_by_role("link", name="I have kept them").click()
    expect(page).to_have_url(re.compile(f"/manager/{slug}/"))

    # In another browser the password is half of the way; the next code of the app is the other half.
    other = new_page(viewport)
    give_password(other, email)
    expect(other.get_by_role("heading", name="Enter the code from your app")).to_be_visible()
    accessible(other)
    other.goto(f"/manager/{slug}/settings")
    expect(other).to_have_url(re.compile("/manager/login"))
    give_password(other, email)
    other.get_by_label("Code").fill(app.at(utcnow() + timedelta(seconds=30)))
    other.get_by_role("button", name="Sign in").click()
    expect(other).to_have_url(re.compile(f"/manager/{slug}/"))

    # The phone is lost: a recovery code, then one look at where she is signed in, and everywhere else out.
    third = new_page(viewport)
    give_password(third, email)
    third.get_by_role("link", name="Use a recovery code").click()
    accessible(third)
    third.get_by_label("Recovery code").fill(codes[0].lower())
    third.get_by_role("button", name="Sign in").click()
    third.goto("/manager/account")
    expect(third.get_by_text("9 recovery codes left")).to_be_visible()
    accessible(third)
    third.get_by_role("button", name="Sign out all others").click()
    third.get_by_role("dialog").get_by_role("button", name="Sign out all others").click()
    expect(third.get_by_text("2 other browsers are signed out.")).to_be_visible()
    page.goto("/manager/account")
    expect(page).to_have_url(re.compile("/manager/login"))
    third.goto(f"/manager/{slug}/activity")
    expect(third.get_by_text("Recovery code of Nora Vance used")).to_be_visible()


def test_it_works_without_javascript_and_an_operator_can_reset_it(
    new_page: Callable[..., Page], invite: Invite, live: Live
) -> None:
    email = "nora@plain.example"
    page = new_page(java_script_enabled=False)
    choose_password(page, invite("plain", email))
    enrol(page)
    expect(page.get_by_role("button", name="Print")).to_be_hidden()
    live.flask("staff", "reset-second-factor", email)
    page.goto("/manager/plain/settings")
    expect(page).to_have_url(re.compile("/manager/login"))
    give_password(page, email)
    expect(page.get_by_role("heading", name="Set up two-step sign-in")).to_be_visible()
