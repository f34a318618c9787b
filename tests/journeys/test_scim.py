"""The story of provisioning by SCIM: from a tile to people who come and go, by a browser and a client of others."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from scim2_models import SCIMException

from tests.journeys.conftest import DESKTOP, PHONE
from tests.journeys.live import Live
from tests.journeys.scim import PASSWORD, Company, directory
from tests.journeys.steps import choose_at_identity_provider, sign_in_as_staff

GRACE = ("00317", "Grace", "Okafor", "grace.okafor@acme.example")


@pytest.fixture(scope="module")
def company(live: Live, tmp_path_factory: pytest.TempPathFactory) -> Company:
    """Return a company whose directories are connected and live."""
    return Company.found(live, tmp_path_factory.mktemp("harbour"), "harbour", directories=True)


@pytest.fixture(scope="module")
def token(company: Company) -> str:
    """Return a token of the company's directory."""
    return company.token()


def open_directory(page: Page, company: Company, name: str = "Directory") -> str:
    """Sign in as the company's HR admin and open a directory's page; returns its path."""
    sign_in_as_staff(page, company.live, company.admin, PASSWORD)
    page.goto(company.integrations)
    page.get_by_role("link", name=f"Open {name}", exact=True).click()
    return page.url.removeprefix(company.live.url).rstrip("/")


def try_to_sign_in(page: Page, company: Company, name: str) -> None:
    """Sign in as an employee of the company, as far as it goes."""
    page.goto(f"/p/{company.slug}/login")
    page.get_by_role("link", name="Sign in with Staff Login").click()
    choose_at_identity_provider(page, name)


def issue_token(page: Page, label: str) -> str:
    """Issue a token on the page that is open; returns it."""
    page.get_by_role("textbox", name="Label").fill(label)
    page.get_by_role("button", name="Issue a token").click()
    expect(page.get_by_role("heading", name="Your new token")).to_be_visible()
    token = page.locator("main input[readonly]").first.input_value()
    page.get_by_role("link", name="I have copied it").click()
    return token


def revoke_token(page: Page, label: str) -> None:
    """Revoke a token on the page that is open."""
    page.get_by_role("listitem").filter(has_text=label).get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke the token").click()
    expect(page.get_by_text("The token is revoked.")).to_be_visible()


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until something has the focus, a hundred times at most."""
    for _ in range(100):
        page.keyboard.press("Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"{wanted} is not reached by keyboard")


def set_up(page: Page, company: Company, name: str = "Directory") -> tuple[str, str, str]:
    """Set a directory up from its tile, as far as Testing; returns its path, base URL and token."""
    sign_in_as_staff(page, company.live, company.admin, PASSWORD)
    page.goto(f"{company.integrations}/explore")
    page.get_by_role("button", name="Set up Microsoft Entra ID (provisioning)").click()
    path = page.url.removeprefix(company.live.url).partition("/scim/")[0]
    base_url = page.get_by_role("textbox", name="Our base URL").input_value()
    token = issue_token(page, "Entra, production")
    page.get_by_role("textbox", name="Name", exact=True).fill(name)
    page.get_by_role("button", name="Save and continue").click()
    expect(page.get_by_role("heading", name="Mapping", exact=True)).to_be_visible()
    page.get_by_role("button", name="Save and continue").click()
    expect(page.get_by_role("heading", name="Testing")).to_be_visible()
    return path, base_url, token


def test_from_a_tile_to_people_who_come_and_go(new_page: Callable[..., Page], live: Live, tmp_path: Path) -> None:
    company = Company.found(live, tmp_path, "beacon", jit=True)
    try_to_sign_in(new_page(), company, "Jane Carter")
    admin, employee = new_page(), new_page()
    path, base_url, token = set_up(admin, company)

    with directory(base_url, token) as entra:
        # Listening: answered like the real thing, shown while it comes in, and not written.
        jane = entra.add("E1001", "Jane", "Carter", "jane.carter@acme.example")
        assert (jane.active, jane.meta.version) == (True, 'W/"1"')
        expect(admin.get_by_text("Jane Carter (E1001)").first).to_be_visible(timeout=15_000)
        entra.add(*GRACE)
        expect(admin.get_by_text("Would create an account for Grace Okafor (00317).")).to_be_visible(timeout=15_000)
        assert set(company.people()) == {"E1001"}

        admin.goto(f"{path}/scim/identifiers")
        expect(admin.get_by_text("1 of 2 match")).to_be_visible()
        admin.get_by_role("link", name=re.compile("Review")).first.click()
        expect(admin.get_by_text("This draft has passed a test")).to_be_visible()
        admin.get_by_role("button", name="Publish", exact=True).click()
        assert company.integration()["state"] == "live"

        # Published: she comes, changes, and signs in as the same person.
        grace = entra.add(*GRACE)
        # Another story may have welcomed somebody with her address to another programme.
        assert live.wait_for_mail(GRACE[3], about="Beacon")
        entra.change(grace.id, "name.familyName", "Okafor-Bell")
        try_to_sign_in(employee, company, "Grace Okafor")
        expect(employee.get_by_role("heading", name="Welcome, Grace")).to_be_visible()
        employee.goto(f"/p/{company.slug}/details")
        expect(employee.get_by_text("Okafor-Bell").first).to_be_visible()
        assert company.people()["00317"]["source"] == "scim"

        # Switched off there: she is out at her next request, and stays out.
        assert entra.change(grace.id, "active", False).active is False
        employee.reload()
        expect(employee).to_have_url(re.compile(f"/p/{company.slug}/login"))
        try_to_sign_in(employee, company, "Grace Okafor")
        expect(employee.get_by_role("heading", name="You are not signed in")).to_be_visible()
        expect(employee.get_by_text(company.admin)).to_be_visible()
        admin.goto("/users/?q=00317")
        admin.get_by_role("link", name="Grace Okafor-Bell").click()
        expect(admin.get_by_text("This person is a leaver", exact=True)).to_be_visible()
        expect(admin.get_by_text("Directory owns this field.").first).to_be_visible()
        expect(admin.get_by_text("Account deactivated").first).to_be_visible()

        # Brought back, and deleted in the end: her account stays, as a leaver's.
        assert entra.change(grace.id, "active", True).active is True
        try_to_sign_in(employee, company, "Grace Okafor")
        expect(employee.get_by_role("heading", name="Welcome, Grace")).to_be_visible()
        entra.remove(grace.id)
        employee.reload()
        expect(employee).to_have_url(re.compile(f"/p/{company.slug}/login"))
        assert company.people()["00317"]["status"] == "leaver"
        with pytest.raises(SCIMException) as gone:
            entra.change(grace.id, "active", True)
        assert gone.value.status == 404


def test_unusually_many_leavers_are_told_by_mail_and_on_the_dashboard_until_somebody_has_looked(
    page: Page, live: Live, company: Company, token: str
) -> None:
    with directory(company.integration()["urls"]["base_url"], token) as hr:
        people = [hr.add(f"L{n}", "Lee", "Leaver", f"lee{n}@acme.example") for n in range(8)]
        for person in people[:5]:
            hr.change(person.id, "active", False)
        assert not [mail for mail in live.mails(company.admin) if "taken out" in str(mail["Subject"])]
        hr.change(people[5].id, "active", False)
    mail = live.wait_for_mail(company.admin)
    assert "Directory" in str(mail["Subject"])
    open_directory(page, company)
    expect(page.get_by_text("Unusually many people were taken out")).to_be_visible()
    page.goto(company.integrations)
    expect(page.get_by_text("6 people were taken out within 24 hours")).to_be_visible()
    page.get_by_role("link", name="Look at them").click()
    expect(page.get_by_text("Made Lee Leaver (L5) a leaver.")).to_be_visible()
    page.get_by_role("button", name="This is as it should be").click()
    expect(page.get_by_text("Unusually many people were taken out")).to_have_count(0)
    page.goto(company.integrations)
    expect(page.get_by_text("people were taken out within 24 hours")).to_have_count(0)


def test_one_token_follows_another_without_a_gap(page: Page, company: Company) -> None:
    path = open_directory(page, company, "Second directory")
    base_url = company.integration("Second directory")["urls"]["base_url"]
    page.goto(f"{path}/tools")
    first = issue_token(page, "This year")
    with directory(base_url, first) as before:
        second = issue_token(page, "Next year")
        expect(page.get_by_text("Two tokens are live, which is enough")).to_be_visible()
        expect(page.get_by_role("button", name="Issue a token")).to_have_count(0)
        ronja = before.add("R1", "Ronja", "Rotation", "ronja@acme.example")
        with directory(base_url, second) as after:
            assert after.change(ronja.id, "title", "Driver").title == "Driver"
            revoke_token(page, "This year")
            assert after.change(ronja.id, "title", "Pilot").title == "Pilot"
        with pytest.raises(SCIMException) as refused:
            before.change(ronja.id, "title", "Nobody")
        assert refused.value.status == 401
    revoke_token(page, "Next year")


def test_the_log_says_why_somebody_was_not_updated(page: Page, company: Company, token: str) -> None:
    with directory(company.integration()["urls"]["base_url"], token) as hr:
        hr.add("W1", "Wanda", "First", "wanda@acme.example")
        with pytest.raises(SCIMException) as refused:
            hr.add("W2", "Walter", "Second", "walter@acme.example", emails=[{"value": "wanda@acme.example"}])
        assert refused.value.scim_type == "uniqueness"
    path = open_directory(page, company)
    page.get_by_role("searchbox").fill("W2")
    page.get_by_role("searchbox").press("Enter")
    page.locator("main tbody a").first.click()
    expect(page.get_by_text(re.compile("Refused because")).first).to_be_visible()
    expect(page.get_by_text("409 uniqueness").first).to_be_visible()
    expect(page.get_by_text(re.compile("Who fixes it")).first).to_be_visible()
    page.goto(f"{path}/?q=walter%40acme.example")
    expect(page.get_by_text(re.compile('Looked for somebody: userName eq "walter@acme.example"')).first).to_be_visible()
    page.goto(f"{path}/?q=nobody%40acme.example")
    expect(page.get_by_text(re.compile("the client may not have sent them")).first).to_be_visible()


def test_the_command_line_tester_finds_nothing_wrong(company: Company) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "SCIM_CLI_URL": company.integration("Second directory")["urls"]["base_url"],
        "SCIM_CLI_HEADERS": f"Authorization: Bearer {company.token('Second directory')}",
    }
    command = str(Path(sys.executable).with_name("scim2"))
    done = subprocess.run([command, "test"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, "\n".join(line for line in done.stdout.splitlines() if "SUCCESS" not in line)
    assert done.stdout.count("SUCCESS") > 30


@pytest.mark.parametrize(
    ("viewport", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop-light", "phone-dark"]
)
def test_every_page_of_a_directory_is_accessible(
    new_page: Callable[..., Page],
    accessible: Callable[[Page], None],
    company: Company,
    token: str,
    viewport: dict[str, int],
    scheme: str,
) -> None:
    with directory(company.integration()["urls"]["base_url"], token) as hr:
        adele = hr.add(f"A{viewport['width']}", "Adele", "Access", f"adele{viewport['width']}@acme.example")
        group = hr.client.get_resource_model("Group")
        hr.client.create(group.model_validate({"displayName": "Berlin", "members": [{"value": adele.id}]}))
    page = new_page(viewport, color_scheme=scheme)
    path = open_directory(page, company)
    request = page.locator("main tbody a").first.get_attribute("href")
    parts = ("scim/connect", "scim/mapping", "scim/testing", "scim/identifiers", "setup/review")
    findings = []
    for address in [
        f"{company.integrations}/explore?q=scim",
        *(f"{path}/{part}" for part in ("", "?show=all", "history", "tools", *parts)),
        *([request] if request else []),
        "/users/",
        f"/users/{company.slug}/{adele.id}",
        f"/manager/{company.slug}/activity",
    ]:
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 200, address
        try:
            accessible(page)
        except AssertionError as error:
            findings.append(str(error).splitlines()[0])
    assert findings == []


def test_tokens_are_issued_copied_and_revoked_by_keyboard(page: Page, live: Live, tmp_path: Path) -> None:
    company = Company.found(live, tmp_path, "keys")
    sign_in_as_staff(page, live, company.admin, PASSWORD)
    page.goto(f"{company.integrations}/explore?q=api")
    tab_to(page, page.get_by_role("button", name="Set up SCIM API"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Connect", exact=True)).to_be_visible()
    tab_to(page, page.get_by_role("textbox", name="Label"))
    page.keyboard.type("By keyboard")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your new token")).to_be_visible()
    tab_to(page, page.get_by_role("button", name="Copy").first)
    tab_to(page, page.get_by_role("link", name="I have copied it"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("By keyboard", exact=True)).to_be_visible()
    tab_to(page, page.get_by_role("button", name="Revoke"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    tab_to(page, page.get_by_role("dialog").get_by_role("button", name="Revoke the token"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("The token is revoked.")).to_be_visible()


def test_a_directory_is_set_up_without_javascript(new_page: Callable[..., Page], live: Live, company: Company) -> None:
    page = new_page(java_script_enabled=False)
    path, base_url, token = set_up(page, company, "Third directory")
    with directory(base_url, token) as third:
        third.add("N1", "Nora", "Noscript", "nora@acme.example")
    page.get_by_role("link", name="Refresh").click()
    expect(page.get_by_text("Would create an account for Nora Noscript (N1).")).to_be_visible()
    page.goto(f"{path}/setup/review")
    page.get_by_role("button", name="Publish", exact=True).click()
    assert company.integration("Third directory")["state"] == "live"
