"""Journeys of support staff and HR admins: why she cannot get in, and keeping the list of people right."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import DESKTOP, PHONE
from tests.journeys.live import Live
from tests.journeys.steps import sign_in_as_employee, sign_in_as_staff

SUPPORT = "sam.porter@rewards.example"
OPERATOR = "olive.park@rewards.example"


def test_a_refused_employee_is_found_by_her_reference(new_page: Callable[..., Page], live: Live) -> None:
    employee = new_page()
    sign_in_as_employee(employee, "Priya Sharma")
    reference = employee.get_by_text(re.compile(r"^[0-9A-Z]{4}-[0-9A-Z]{4}$")).inner_text()

    admin = new_page()
    sign_in_as_staff(admin, live)
    admin.get_by_role("link", name="Open Acme Demo IdP").click()
    admin.get_by_role("searchbox").fill(reference)
    admin.get_by_role("searchbox").press("Enter")
    admin.get_by_role("row", name=re.compile(reference)).get_by_role("link").first.click()
    expect(admin.get_by_role("heading", name=re.compile("Refused"))).to_be_visible()
    expect(admin.get_by_text("“mail” did not arrive").first).to_be_visible()
    expect(admin.get_by_text("Identity provider", exact=True).first).to_be_visible()


def test_support_finds_a_person_and_changes_nothing(new_page: Callable[..., Page], live: Live) -> None:
    sign_in_as_employee(new_page(), "Jane Carter")
    page = new_page()
    sign_in_as_staff(page, live, SUPPORT)
    page.goto("/users/")
    page.get_by_role("searchbox").fill("carter")
    page.get_by_role("searchbox").press("Enter")
    # Support staff see every programme, and another one may have somebody of that name.
    page.locator("a[href^='/users/acme/']").get_by_text("Jane Carter", exact=True).click()
    expect(page.get_by_role("heading", name=re.compile("Jane Carter"))).to_be_visible()
    expect(page.get_by_text("3 April 1990")).to_be_visible()
    expect(page.get_by_text(re.compile("Acme Demo IdP")).first).to_be_visible()
    expect(page.get_by_role("button", name="Deactivate")).to_have_count(0)
    expect(page.get_by_role("link", name="Edit")).to_have_count(0)


def test_a_person_made_by_hand_is_edited_deactivated_and_reactivated(page: Page, live: Live) -> None:
    sign_in_as_staff(page, live)
    page.goto("/users/acme/new")
    page.get_by_role("button", name="Create the account").click()
    expect(page.locator("[aria-invalid=true]")).to_have_count(2)

    page.get_by_label("Membership No.").fill("H7001")
    page.get_by_label("E-mail address").fill("henry.hand@acme.example")
    page.get_by_label(re.compile("^First name")).fill("Henry")
    page.get_by_label(re.compile("^Last name")).fill("Hand")
    page.get_by_role("button", name="Create the account").click()
    expect(page.get_by_role("heading", name=re.compile("Henry Hand"))).to_be_visible()
    live.wait_for_mail("henry.hand@acme.example")

    page.get_by_role("link", name="Edit").click()
    page.get_by_label(re.compile("^First name")).fill("Harry")
    page.get_by_role("button", name=re.compile("^Save")).click()
    expect(page.get_by_role("heading", name=re.compile("Harry Hand"))).to_be_visible()

    page.get_by_role("button", name="Deactivate").click()
    page.get_by_role("dialog").get_by_role("button", name=re.compile("Deactivate")).click()
    expect(page.get_by_role("heading", name=re.compile("Leaver"))).to_be_visible()
    page.get_by_role("button", name="Reactivate").click()
    dialog = page.get_by_role("dialog")
    if dialog.count():
        dialog.get_by_role("button", name=re.compile("Reactivate")).click()
    expect(page.get_by_role("heading", name=re.compile("Active"))).to_be_visible()


def test_a_leaver_is_out_at_her_next_request_and_stays_out(new_page: Callable[..., Page], live: Live) -> None:
    employee = new_page()
    sign_in_as_employee(employee, "Tomasz Nowak")
    live.flask("user", "deactivate", "--programme", "acme", "--membership-no", "E1005")
    employee.goto("/p/acme/details")
    expect(employee).to_have_url(re.compile("/p/acme/login"))
    sign_in_as_employee(employee, "Tomasz Nowak")
    expect(employee.get_by_text("people@acme.example")).to_be_visible()
    expect(employee.get_by_role("heading", name="Welcome, Tomasz")).to_have_count(0)
    live.flask("user", "reactivate", "--programme", "acme", "--membership-no", "E1005")
    sign_in_as_employee(employee, "Tomasz Nowak")
    expect(employee.get_by_role("heading", name="Welcome, Tomasz")).to_be_visible()


def test_the_demo_mailbox_shows_the_welcome(new_page: Callable[..., Page], live: Live) -> None:
    sign_in_as_employee(new_page(), "Zoë Núñez")
    live.wait_for_mail("zoe.nunez@acme.example")
    page = new_page()
    sign_in_as_staff(page, live)
    page.goto("/manager/acme/mail")
    page.get_by_role("link", name="zoe.nunez@acme.example").first.click()
    expect(page.get_by_text(re.compile("Acme Rewards")).first).to_be_visible()


def _sees_all_pages(page: Page, live: Live) -> list[str]:
    """Return the address of each page of Reward Manager, one of each kind."""
    page.goto("/manager/acme/integrations")
    page.get_by_role("link", name="Open Acme Demo IdP").click()
    integration = page.url.rstrip("/")
    attempt = page.locator("main tbody a").first.get_attribute("href")
    page.goto("/users/")
    person = page.locator("main tbody a").first.get_attribute("href")
    page.goto("/manager/acme/mail")
    mail = page.locator("main tbody a").first.get_attribute("href")
    setup = [f"{integration}/setup/{step}" for step in ("initial", "mapping", "testing", "review")]
    parts = [f"{integration}/{part}" for part in ("", "history", "tools")]
    fixed = ["integrations", "integrations/explore", "activity", "mail", "mail/preview/welcome", "settings"]
    return [
        *(f"/manager/acme/{path}" for path in fixed),
        *parts,
        *setup,
        *(address for address in (attempt, person, mail) if address),
        f"{person}/edit",
        "/users/",
        "/users/acme/new",
    ]


@pytest.mark.parametrize(
    ("viewport", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop-light", "phone-dark"]
)
def test_every_page_of_reward_manager_is_accessible(
    new_page: Callable[..., Page],
    accessible: Callable[[Page], None],
    live: Live,
    viewport: dict[str, int],
    scheme: str,
) -> None:
    sign_in_as_employee(new_page(), "Jane Carter")
    live.wait_for_mail("jane.carter@acme.example")
    page = new_page(viewport, color_scheme=scheme)
    page.goto("/manager/")
    accessible(page)
    sign_in_as_staff(page, live)
    findings = []
    for address in _sees_all_pages(page, live):
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 200, address
        try:
            accessible(page)
        except AssertionError as error:
            findings.append(str(error).splitlines()[0])
    assert findings == []


def test_reward_manager_works_without_javascript(new_page: Callable[..., Page], live: Live) -> None:
    page = new_page(java_script_enabled=False)
    sign_in_as_staff(page, live)
    page.goto("/users/")
    page.get_by_role("searchbox").fill("nobody is called this")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("link", name="Jane Carter")).to_have_count(0)


def test_an_operator_chooses_among_programmes(page: Page, live: Live) -> None:
    live.flask("programme", "create", "--name", "Second Programme", "--slug", "second")
    sign_in_as_staff(page, live, OPERATOR)
    page.goto("/manager/second/integrations")
    expect(page.get_by_role("link", name=re.compile("Explore")).first).to_be_visible()


def test_an_admin_of_one_programme_cannot_open_another(page: Page, live: Live) -> None:
    live.flask("programme", "create", "--name", "Foreign", "--slug", "foreign")
    sign_in_as_staff(page, live)
    for path in ("/manager/foreign/integrations", "/users/foreign/new", "/manager/nonexistent/integrations"):
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 404
