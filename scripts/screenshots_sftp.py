"""The pictures of files by SFTP: an account, an example, a preview, then files that are applied, held and refused."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import paramiko
from playwright.sync_api import Page

from scripts.screenshots_scim import Keep
from tests.journeys.live import Live
from tests.journeys.scim import Company

HEADER = "Personnel No.;Work e-mail;First name;Last name;Birthday;Cost centre\n"
GIVEN = ("Amara", "Liam", "Ingrid", "Kenji", "Lucia", "Omar", "Nadia", "Samuel", "Freya", "Diego", "Zoë", "Marcus")
FAMILY = ("Diallo", "Walsh", "Solberg", "Mori", "Ferrari", "Haddad", "Petrova", "Boateng", "Lindqvist", "Rojas")
EVERYBODY = 120
#: Rows that are refused: no Membership No., an address without its end, and two people under one number.
WRONG = (
    ";paula.reis@northwind.example;Paula;Reis;04.05.1988;Lisbon\n"
    "00712;jonas.weber@northwind;Jonas;Weber;17.11.1979;Berlin\n"
    "00713;mia.berg@northwind.example;Mia;Berg;02.02.1995;Oslo\n"
    "00713;ola.dahl@northwind.example;Ola;Dahl;09.12.1990;Oslo\n"
    "00714;ada.nowak@northwind.example;Ada;Nowak;31.02.1991;Gdańsk\n"
)


def company(live: Live, folder: Path) -> Company:
    """Found a company that has sent nobody yet."""
    return Company.found(live, folder, "northwind")


def file_pictures(page: Page, company: Company, keep: Keep) -> None:
    """Walk the story with a page that is signed in as an HR admin."""
    page.goto(f"{company.integrations}/explore?q=sftp")
    page.get_by_role("button", name="Set up SFTP", exact=True).click()
    path = urlsplit(page.url).path.partition("/sftp/")[0]
    host, port, user = (page.get_by_role("textbox", name=name, exact=True).input_value() for name in
                        ("Host", "Port", "User name"))  # fmt: skip
    page.get_by_role("textbox", name="Name", exact=True).fill("Payroll file")
    page.get_by_role("button", name="Save draft").click()
    page.get_by_label("Name of the key").fill("Payroll server")
    page.get_by_label("Public key", exact=True).fill(public_key())
    page.get_by_role("button", name="Add the key").click()
    page.get_by_role("button", name="Make a password").click()
    page.get_by_role("heading", name="The new password").wait_for()
    keep("sftp-password", "")
    password = page.get_by_role("textbox", name="Password", exact=True).input_value()
    sender = Sender(host, int(port), user, password)
    sender.send("people.csv", people(range(1, EVERYBODY + 1)) + WRONG)
    keep("sftp-account", f"{path}/sftp/account")
    set_up(page, path, keep)
    sender.send("people.csv", people(range(1, EVERYBODY + 1)) + WRONG)
    last_run(page, path, "Applied", "sftp-run", keep)
    sender.send("people.csv", people(range(1, EVERYBODY + 1)))
    sender.send("people.csv", people(range(3, EVERYBODY + 1)))
    sender.send("summer.csv", HEADER)
    last_run(page, path, "Held", "sftp-header-alone", keep)
    sender.send("people.csv", people(range(41, EVERYBODY + 1)))
    last_run(page, path, "Held", "sftp-held", keep)
    sender.send("people.pdf", "%PDF-1.7")
    last_run(page, path, "Failed", "sftp-failed", keep)
    keep("sftp-dashboard", company.integrations)
    keep("sftp-activity", f"{path}/")
    keep("sftp-tools", f"{path}/tools")
    page.goto("/users/?q=00001")
    keep("sftp-leaver", page.locator("main tbody a").first.get_attribute("href") or "")


def set_up(page: Page, path: str, keep: Keep) -> None:
    """Take the file that came as the example, look at its preview, and publish."""
    page.goto(f"{path}/sftp/example")
    page.get_by_role("button", name="Take it").click()
    page.get_by_text("was read: 6 columns found.").wait_for()
    page.locator("label", has_text="dd.mm.yyyy").click()
    page.get_by_role("checkbox", name=re.compile("welcome e-mail")).uncheck()
    page.get_by_role("button", name="Save and look again").click()
    keep("sftp-example", f"{path}/sftp/example")
    page.goto(f"{path}/sftp/preview")
    page.get_by_role("button", name="Preview this file").click()
    accept = page.get_by_role("button", name="This is as it should be")
    accept.wait_for(timeout=60_000)
    keep("sftp-preview", f"{path}/sftp/preview")
    accept.click()
    keep("sftp-review", f"{path}/setup/review")
    page.goto(f"{path}/setup/review")
    page.get_by_role("button", name="Publish", exact=True).click()
    page.get_by_text("Payroll file is live.").wait_for()


def last_run(page: Page, path: str, state: str, name: str, keep: Keep) -> None:
    """Wait until every file is done with and the newest run is in this state, then take its picture."""
    rows = page.get_by_role("table", name="Runs").locator("tbody tr")
    row = rows.first
    for _ in range(60):
        page.goto(f"{path}/")
        waits = rows.filter(has_text=re.compile("Waiting|At work")).count()
        if row.count() and state in row.inner_text() and not waits:
            break
        page.wait_for_timeout(500)
    else:
        raise AssertionError(f"no run came to be {state}")
    keep(name, row.get_by_role("link").first.get_attribute("href") or "")


def people(numbers: range) -> str:
    """Return a file of people."""
    rows = []
    for number in numbers:
        given, family = GIVEN[number % len(GIVEN)], FAMILY[number * 7 // 3 % len(FAMILY)]
        mail = f"{given}.{family}{number}".lower().replace("ë", "e")
        born = f"{number % 28 + 1:02}.{number % 12 + 1:02}.{1960 + number % 40}"
        rows.append(f"{number:05};{mail}@northwind.example;{given};{family};{born};Hamburg\n")
    return HEADER + "".join(rows)


def public_key() -> str:
    """Return the public half of a new key."""
    key = paramiko.ECDSAKey.generate()
    return f"{key.get_name()} {key.get_base64()} payroll"


class Sender:
    """The HR system, which signs in with a password."""

    def __init__(self, host: str, port: int, user: str, password: str) -> None:
        self.address, self.user, self.password = (host, port), user, password

    def send(self, name: str, text: str) -> None:
        """Upload a file and rename it into place."""
        transport = paramiko.Transport(self.address)
        try:
            transport.connect(username=self.user, password=self.password)
            client = paramiko.SFTPClient.from_transport(transport)
            if client is None:
                raise ConnectionError("the server opened no channel")
            with client.open(f"{name}.part", "w") as file:
                file.write(text.encode())
            client.posix_rename(f"{name}.part", name)
        finally:
            transport.close()
