"""The pictures of provisioning: a directory is set up from its tile, listens, is published, and loses many people."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page
from scim2_models import SCIMException

from rgapp.integrations.scim.settings import PERSON_SCHEMA
from tests.journeys.scim import Directory, directory

#: Who is here already by sign-in, then who is new.
KNOWN = (
    ("E1001", "Jane", "Carter", "jane.carter@acme.example", "1990-04-03"),
    ("E1002", "Zoë", "Núñez-O’Neill", "zoe.nunez@acme.example", "1992-02-29"),
    ("00317", "Grace", "Okafor", "grace.okafor@acme.example", "1984-11-17"),
    ("E1004", "Marcus", "Bell", "marcus.bell@acme.example", "1979-08-30"),
)
NEW = tuple(
    (f"E20{number:02}", given, family, f"{given}.{family}@acme.example".lower(), f"19{60 + number}-06-{number}")
    for number, (given, family) in enumerate(
        [
            ("Amara", "Diallo"), ("Liam", "Walsh"), ("Ingrid", "Solberg"), ("Kenji", "Mori"), ("Lucia", "Ferrari"),
            ("Omar", "Haddad"), ("Nadia", "Petrova"), ("Samuel", "Boateng"), ("Freya", "Lindqvist"), ("Diego", "Rojas"),
        ],
        start=11,
    )
)  # fmt: skip
Keep = Callable[[str, str], None]
"""Take a picture of the page at a path under a name, at each width."""


def directory_pictures(page: Page, keep: Keep) -> None:
    """Walk the story with a page that is signed in as an HR admin."""
    page.goto("/manager/acme/integrations/explore?q=provisioning")
    page.get_by_role("button", name="Set up Microsoft Entra ID (provisioning)").click()
    path = urlsplit(page.url).path.partition("/scim/")[0]
    base_url = page.get_by_role("textbox", name="Our base URL").input_value()
    keep("scim-connect", f"{path}/scim/connect")
    page.get_by_role("textbox", name="Name", exact=True).fill("Entra ID")
    page.get_by_role("button", name="Save draft").click()
    page.get_by_role("textbox", name="Label").fill("Entra, production")
    page.get_by_role("button", name="Issue a token").click()
    page.get_by_role("heading", name="Your new token").wait_for()
    keep("scim-token", "")
    token = page.locator("main input[readonly]").first.input_value()
    with directory(base_url, token) as entra:
        listen(entra)
        for name, rest in (
            ("mapping", "scim/mapping"),
            ("testing", "scim/testing"),
            ("identifiers", "scim/identifiers"),
        ):
            keep(f"scim-{name}", f"{path}/{rest}")
        keep("scim-review", f"{path}/setup/review")
        page.goto(f"{path}/setup/review")
        page.get_by_role("button", name="Publish", exact=True).click()
        page.wait_for_load_state()
        people = first_cycle(entra)
        keep("scim-activity", f"{path}/")
        page.goto(f"{path}/?show=refused")
        keep("scim-request", page.locator("main tbody a").first.get_attribute("href") or "")
        keep("scim-tools", f"{path}/tools")
        keep("scim-person", f"/users/acme/{people['E1004']}")
        page.goto("/users/")
        group = page.get_by_role("link", name=re.compile("^Berlin")).first.get_attribute("href") or ""
        keep("users-group", group)
        for number in [one[0] for one in NEW[:6]]:
            entra.change(people[number], "active", False)
    keep("scim-alert", "/manager/acme/integrations")


def listen(entra: Directory) -> None:
    """Send a few people while nothing is written: some are here, one is new, one has no number."""
    for person in (*KNOWN[:3], NEW[0]):
        entra.add(*person[:4], **born(person[4]))
    refused(lambda: entra.add("", "Noah", "Fischer", "noah.fischer@acme.example", **born("1988-01-12")))


def first_cycle(entra: Directory) -> dict[str, str]:
    """Send everybody and two groups, change one, and send somebody with another's address; returns ids by number."""
    ids = {person[0]: str(entra.add(*person[:4], **born(person[4])).id) for person in (*KNOWN, *NEW)}
    model: Any = entra.client.get_resource_model("Group")
    for name, members in (("Berlin", NEW[2:8]), ("London", KNOWN)):
        entra.client.create(
            model.model_validate({"displayName": name, "members": [{"value": ids[one[0]]} for one in members]})
        )
    entra.change(ids["E1004"], "name.familyName", "Bell-Adeyemi")
    shared = [{"value": "liam.walsh@acme.example", "type": "work", "primary": True}]
    refused(lambda: entra.add("E2031", "Leah", "Walsh", "leah.walsh@acme.example", emails=shared, **born("1991-05-20")))
    return ids


def born(day: str) -> dict[str, Any]:
    """Return the extension with a date of birth."""
    return {PERSON_SCHEMA: {"dateOfBirth": day}} if day else {}


def refused(send: Callable[[], object]) -> None:
    """Send something that is refused."""
    try:
        send()
    except SCIMException:
        return
    raise AssertionError("this should have been refused")
