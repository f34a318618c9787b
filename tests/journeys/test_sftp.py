"""The story of files by SFTP: from a tile to people who come and go, by a browser and OpenSSH's own client."""

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import DESKTOP, PHONE
from tests.journeys.live import Live
from tests.journeys.scim import PASSWORD, Company
from tests.journeys.steps import sign_in_as_staff
from tests.tools import require

HEADER = "Employee ID;Work Email;First Name;Last Name;Birthday\n"
FAMILIES = ("Field", "Núñez", "O’Neill")
WAIT = 60_000


def people(*numbers: int, header: str = HEADER) -> str:
    """Return a file of people."""
    rows = (f"{n:05};p{n}@quay.example;Robin;{FAMILIES[n % 3]};{n % 27 + 1:02}.04.1990\n" for n in numbers)
    return header + "".join(rows)


@dataclass
class Sender:
    """The HR system: OpenSSH's client, with a key, that checks whom it meets."""

    folder: Path
    host: str = ""
    port: str = ""
    username: str = ""
    fingerprint: str = ""

    def make_key(self) -> str:
        """Make a key; returns its public half."""
        key = asyncssh.generate_private_key("ssh-ed25519", comment="payroll")
        key.write_private_key(str(self.folder / "key"))
        (self.folder / "key").chmod(0o600)
        return key.export_public_key("openssh").decode()

    def send(self, name: str, text: str) -> subprocess.CompletedProcess[str]:
        """Upload a file and rename it into place, as careful clients do."""
        file = self.folder / name
        file.write_text(text)
        words = [
            require("sftp"), "-b", "-", "-P", self.port, "-i", str(self.folder / "key"), "-F", "none",
            "-o", "IdentitiesOnly=yes", "-o", f"UserKnownHostsFile={self.folder / 'known_hosts'}",
            "-o", "StrictHostKeyChecking=accept-new", "-o", "BatchMode=yes", f"{self.username}@{self.host}",
        ]  # fmt: skip
        commands = f"put {file} {name}.part\nrename {name}.part {name}\n"
        return subprocess.run(words, input=commands, capture_output=True, text=True, timeout=60, check=False)

    def seen_fingerprints(self) -> str:
        """Return the fingerprints of the server that the client met."""
        known = self.folder / "known_hosts"
        keys = [" ".join(line.split()[1:3]) for line in known.read_text().splitlines()]
        return " ".join(asyncssh.import_public_key(key).get_fingerprint() for key in keys)


@pytest.fixture(scope="module")
def company(live: Live, tmp_path_factory: pytest.TempPathFactory) -> Company:
    """Return a company without directories."""
    return Company.found(live, tmp_path_factory.mktemp("quay"), "quay")


def copied(page: Page, label: str) -> str:
    """Return what a copy field holds."""
    return page.get_by_role("textbox", name=label, exact=True).input_value()


def counted(page: Page, label: str) -> int:
    """Return a figure of a run."""
    text = page.locator(".figures li", has_text=label).first.locator(".figure").inner_text()
    return int(text.replace(",", ""))


def open_last_run(page: Page, path: str, state: str) -> None:
    """Open the newest run of an integration, once it is in this state."""
    row = page.locator(".table-stack tbody tr").first
    for _ in range(60):
        page.goto(f"{path}/")
        if row.count() and state in row.inner_text():
            break
        page.wait_for_timeout(500)
    row.get_by_role("link").first.click()
    expect(page.locator("h1")).to_contain_text(state)


def set_up(page: Page, company: Company, sender: Sender, accessible: Callable[[Page], None]) -> str:
    """Set an integration up from its tile; returns its path."""
    sign_in_as_staff(page, company.live, company.admin, PASSWORD)
    page.goto(f"{company.integrations}/explore")
    page.get_by_role("button", name="Set up SFTP", exact=True).click()
    path = page.url.removeprefix(company.live.url).partition("/sftp/")[0]
    accessible(page)
    sender.host, sender.port, sender.username = (copied(page, name) for name in ("Host", "Port", "User name"))
    sender.fingerprint = copied(page, "Host key, Ed25519")
    page.get_by_label("Name of the key").fill("Payroll server")
    page.get_by_label("Public key", exact=True).fill(sender.make_key())
    page.get_by_role("button", name="Add the key").click()
    expect(page.get_by_text("The key “Payroll server” opens the account from now on.")).to_be_visible()
    done = sender.send("example.csv", people(*range(1, 41)))
    assert done.returncode == 0, done.stderr
    assert sender.fingerprint in sender.seen_fingerprints()
    page.get_by_role("textbox", name="Name", exact=True).fill("Payroll file")
    page.get_by_role("button", name="Save and continue").click()
    page.get_by_role("button", name="Take it").click()
    expect(page.get_by_text("example.csv was read: 5 columns found.")).to_be_visible()
    accessible(page)
    assert page.get_by_label("Membership No.: Column").input_value() == "Employee ID"
    page.get_by_role("button", name="Save and continue").click()
    expect(page.get_by_text("Say how the dates are written").first).to_be_visible()
    page.locator("label", has_text="dd.mm.yyyy").click()
    page.get_by_role("checkbox", name=re.compile("welcome e-mail")).uncheck()
    page.get_by_role("button", name="Save and continue").click()
    page.get_by_role("button", name="Preview this file").click()
    expect(page.get_by_role("button", name="This is as it should be")).to_be_visible(timeout=WAIT)
    accessible(page)
    assert counted(page, "Would be created") == 40
    assert company.people() == {}
    page.get_by_role("button", name="This is as it should be").click()
    accessible(page)
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Payroll file is live.")).to_be_visible()
    return path


def test_a_file_every_night(
    company: Company,
    new_page: Callable[..., Page],
    accessible: Callable[[Page], None],
    tmp_path: Path,
) -> None:
    """Set up, previewed and published; files create and update; one that is wrong is held, twice."""
    page, sender = new_page(DESKTOP), Sender(tmp_path)
    path = set_up(page, company, sender, accessible)
    accessible(page)

    broken = people(*range(1, 41)) + "00041;nobody;Robin;Field;01.04.1990\n"
    assert sender.send("people.csv", broken).returncode == 0
    open_last_run(page, path, "Applied")
    accessible(page)
    assert (counted(page, "Created"), counted(page, "Row refused")) == (40, 1)
    expect(page.get_by_text("This is not a complete e-mail address.")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the report").click()
    assert "nobody" in Path(download.value.path()).read_text()
    assert company.people()["00007"]["last_name"] == "Núñez"

    assert sender.send("people.csv", people(*range(1, 11))).returncode == 0
    open_last_run(page, path, "Held")
    accessible(page)
    expect(page.get_by_text("It would take out 30 people, of 40 who were active.")).to_be_visible()
    page.get_by_role("button", name="Discard").click()
    page.get_by_role("dialog").get_by_role("button", name="Discard").click()
    expect(page.get_by_text("Discarded: nothing of it is applied.")).to_be_visible()
    assert active(company.people()) == 40

    assert sender.send("people.csv", people(*range(1, 31))).returncode == 0
    open_last_run(page, path, "Held")
    page.goto(company.integrations)
    expect(page.get_by_text("A file is held.")).to_be_visible()
    accessible(page)
    page.get_by_role("link", name="Look at it").click()
    page.get_by_role("button", name="Release").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("10 people would leave. Release this file?")
    dialog.get_by_role("button", name="Release").click()
    open_last_run(page, path, "Applied")
    assert counted(page, "Deactivated") == 10
    assert active(company.people()) == 30

    phone = new_page(PHONE)
    sign_in_as_staff(phone, company.live, company.admin, PASSWORD)
    for rest in ("/", "/tools", "/sftp/account", "/sftp/example", "/sftp/preview", "/setup/review"):
        phone.goto(f"{path}{rest}")
        accessible(phone)


def active(found: dict[str, dict[str, Any]]) -> int:
    """Return how many people are not leavers."""
    return sum(person["status"] == "active" for person in found.values())
