"""Who is no longer in the HR system's file is out at once: a password, paramiko, and an employee who is signed in."""

import re
from collections.abc import Callable
from pathlib import Path

import paramiko
import pytest
from playwright.sync_api import Page, expect

from tests.journeys.live import Live
from tests.journeys.scim import PASSWORD, Company
from tests.journeys.steps import choose_at_identity_provider, sign_in_as_staff

HEADER = "Employee ID,Work Email,First Name\n"
GRACE = "00317,grace.okafor@acme.example,Grace\n"
MARCUS = "E1004,marcus.bell@acme.example,Marcus\n"
DECLARED = """
programme: dune
integrations:
  - kind: sftp
    name: Payroll file
    published: true
    welcome_email: false
    mapping:
      membership_no: {column: Employee ID}
      email: {column: Work Email}
      first_name: {column: First Name}
"""


@pytest.fixture(scope="module")
def company(live: Live, tmp_path_factory: pytest.TempPathFactory) -> Company:
    """Return a company whose people come by files alone."""
    folder = tmp_path_factory.mktemp("dune")
    found = Company.found(live, folder, "dune")
    (folder / "files.yaml").write_text(DECLARED)
    live.flask("integration", "apply", str(folder / "files.yaml"))
    return found


def upload(company: Company, password: str, name: str, text: str) -> None:
    """Upload a file in one piece, as simple clients do."""
    urls = company.integration("Payroll file")["urls"]
    with paramiko.SSHClient() as client:
        client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
        client.connect(
            urls["host"], int(urls["port"]), urls["username"], password, look_for_keys=False, allow_agent=False
        )
        with client.open_sftp().open(name, "wb") as file:
            file.write(text.encode())


def open_run(page: Page, path: str, state: str, count: int) -> None:
    """Open the newest run, once so many runs are listed and it is in this state."""
    rows = page.get_by_role("table", name="Runs").locator("tbody tr")
    for _ in range(60):
        page.goto(f"{path}/")
        if rows.count() == count and state in rows.first.inner_text():
            break
        page.wait_for_timeout(500)
    rows.first.get_by_role("link").first.click()
    expect(page.locator("h1")).to_contain_text(state)


def test_a_leaver_is_signed_out(
    company: Company, page: Page, new_page: Callable[..., Page], accessible: Callable[[Page], None]
) -> None:
    """A password that is shown once opens the account; a header alone takes nobody out, a file without her does."""
    sign_in_as_staff(page, company.live, company.admin, PASSWORD)
    path = f"{company.integrations}/{company.integration('Payroll file')['id']}"
    page.goto(f"{path}/tools")
    page.get_by_role("button", name="Make a password").click()
    password = page.get_by_role("textbox", name="Password", exact=True).input_value()
    accessible(page)
    page.get_by_role("link", name="I have copied it").click()
    assert password not in page.content()

    upload(company, password, "people.csv", f"{HEADER}{GRACE}{MARCUS}=1+1,nobody,Odd\n")
    open_run(page, path, "Applied", 1)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the report").click()
    assert "'=1+1" in Path(download.value.path()).read_text()

    employee = new_page()
    employee.goto(f"/p/{company.slug}/login")
    employee.get_by_role("link", name="Sign in with Staff Login").click()
    choose_at_identity_provider(employee, "Grace Okafor")
    expect(employee.get_by_role("heading", name="Welcome, Grace")).to_be_visible()

    upload(company, password, "people.csv", HEADER)
    open_run(page, path, "Held", 2)
    expect(page.get_by_text("There is not a single row: nobody is named.")).to_be_visible()
    page.get_by_role("button", name="Discard").click()
    page.get_by_role("dialog").get_by_role("button", name="Discard").click()
    expect(page.get_by_text("Discarded: nothing of it is applied.")).to_be_visible()
    employee.reload()
    expect(employee.get_by_role("heading", name="Welcome, Grace")).to_be_visible()

    upload(company, password, "people.csv", HEADER + MARCUS)
    open_run(page, path, "Applied", 3)
    expect(page.get_by_role("table", name="People").get_by_role("link")).to_contain_text("Grace")
    employee.reload()
    expect(employee).to_have_url(re.compile(f"/p/{company.slug}/login"))
    assert company.people()["00317"]["status"] == "leaver"
    assert company.people()["E1004"]["status"] == "active"
