"""An HR admin's journey: from a tile of the catalogue to a published connection, with a dry run in between."""

import json
import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.live import Live
from tests.journeys.steps import choose_at_identity_provider, sign_in_as_staff

OUTSIDE = re.compile(r"^(?!http://(127\.0\.0\.1|localhost)[:/])http")


USUAL_NAMES = {
    "Membership No.": "employeeNumber",
    "E-mail address": "mail",
    "First name": "givenName",
    "Last name": "sn",
    "Date of birth": "birthDate",
}


def fill_mapping(page: Page, names: dict[str, str]) -> None:
    """Fill in attribute names on the mapping step, by our field."""
    for label, name in names.items():
        page.get_by_label(f"{label}: Attribute name").fill(name)


def introduce_identity_provider(page: Page, live: Live, tile: str, name: str) -> None:
    """Open a tile, name the connection and give the identity provider's metadata address."""
    page.goto("/manager/acme/integrations/explore")
    page.get_by_role("button", name=f"Set up {tile}", exact=True).click()
    page.get_by_role("textbox", name="Name", exact=True).fill(name)
    page.get_by_text("Give a metadata address", exact=True).click()
    page.get_by_role("textbox", name="Metadata address").fill(f"{live.idp_url}/metadata")
    page.get_by_role("button", name="Save and continue").click()
    expect(page.get_by_role("heading", name="Is this your identity provider?")).to_be_visible()
    expect(page.get_by_text("https://idp.acme.example/saml").first).to_be_visible()
    page.get_by_role("button", name="Use these details").click()
    expect(page.get_by_role("heading", name="Mapping", exact=True)).to_be_visible()


def listed(live: Live, name: str) -> dict[str, str]:
    """Return what the command line says of one connection."""
    found = json.loads(live.flask("integration", "list", "--programme", "acme", "--json"))
    return next(one for one in found if one["name"] == name)


def test_from_a_tile_to_employees_who_sign_in(page: Page, live: Live) -> None:
    sign_in_as_staff(page, live)
    introduce_identity_provider(page, live, "Custom SAML", "Acme Staff Login")
    fill_mapping(page, USUAL_NAMES | {"Last name": "surname"})
    page.get_by_text("Just-In-Time provisioning: create an account on the first sign-in").click()
    page.get_by_role("button", name="Save and continue").click()
    assert listed(live, "Acme Staff Login")["state"] == "draft"

    page.get_by_role("link", name="Sign in as a test").click()
    choose_at_identity_provider(page, "Grace Okafor")
    expect(page.get_by_role("heading", name="Result")).to_be_visible()
    expect(page.get_by_text(re.compile("“surname” did not arrive")).first).to_be_visible()
    expect(page.get_by_text("17 November 1984").first).to_be_visible()
    expect(page.get_by_text(re.compile("Would (create an account for|sign in as) Grace")).first).to_be_visible()

    page.get_by_role("link", name=re.compile("Mapping")).first.click()
    fill_mapping(page, USUAL_NAMES)
    page.get_by_role("button", name="Save and continue").click()
    page.get_by_role("link", name="Sign in as a test").click()
    choose_at_identity_provider(page, "Grace Okafor")
    expect(page.get_by_role("heading", name="This draft has passed a test")).to_be_visible()

    page.get_by_role("link", name="Review and publish").first.click()
    expect(page.get_by_text(re.compile("A button “Sign in with Acme Staff Login” appears"))).to_be_visible()
    page.get_by_role("button", name="Publish", exact=True).click()
    assert listed(live, "Acme Staff Login")["state"] == "live"

    page.goto("/p/acme/login")
    page.get_by_role("link", name="Sign in with Acme Staff Login").click()
    choose_at_identity_provider(page, "Grace Okafor")
    expect(page.get_by_role("heading", name="Welcome, Grace")).to_be_visible()


def test_a_dry_run_writes_no_user_and_sends_no_mail(page: Page, live: Live) -> None:
    live.flask("programme", "create", "--name", "Dry Run", "--slug", "dry-run")
    sign_in_as_staff(page, live, "olive.park@rewards.example")
    page.goto("/manager/dry-run/integrations/explore")
    page.get_by_role("button", name="Set up Okta", exact=True).click()
    page.get_by_text("Give a metadata address", exact=True).click()
    page.get_by_role("textbox", name="Metadata address").fill(f"{live.idp_url}/metadata")
    page.get_by_role("button", name="Save and continue").click()
    page.get_by_role("button", name="Use these details").click()
    fill_mapping(page, USUAL_NAMES)
    page.get_by_text("Just-In-Time provisioning: create an account on the first sign-in").click()
    page.get_by_role("button", name="Save and continue").click()
    before = len(live.mails("marcus.bell@acme.example"))
    page.get_by_role("link", name="Sign in as a test").click()
    choose_at_identity_provider(page, "Marcus Bell")
    expect(page.get_by_text(re.compile("Would create an account for Marcus")).first).to_be_visible()
    assert json.loads(live.flask("user", "list", "--programme", "dry-run", "--json")) == []
    assert len(live.mails("marcus.bell@acme.example")) == before

    page.get_by_role("textbox", name="SAMLResponse").fill("this is no response")
    page.get_by_role("button", name="Examine it").click()
    expect(page.get_by_text(re.compile("Would be refused")).first).to_be_visible()


@pytest.mark.parametrize(
    ("certificate", "said"),
    [
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "private key"),
        ("this is no certificate", "certificate"),
    ],
)
def test_a_bad_certificate_is_said_in_plain_words_and_nothing_typed_is_lost(
    page: Page, live: Live, certificate: str, said: str
) -> None:
    sign_in_as_staff(page, live)
    page.goto("/manager/acme/integrations/explore")
    page.get_by_role("button", name="Set up OneLogin").click()
    page.get_by_text("Enter the details by hand", exact=True).click()
    page.get_by_role("textbox", name="entityID of the identity provider").fill("https://idp.example/entity")
    page.get_by_role("textbox", name="Sign-in address", exact=True).fill("nonsense")
    page.get_by_role("textbox", name="Add certificates by pasting").fill(certificate)
    page.get_by_role("button", name="Save and continue").click()
    expect(page.get_by_role("alert")).to_contain_text(said)
    expect(page.get_by_role("alert")).to_contain_text("https://")
    expect(page.locator("[aria-invalid=true]")).to_have_count(2)
    expect(page.get_by_role("textbox", name="entityID of the identity provider")).to_have_value(
        "https://idp.example/entity"
    )
    expect(page.get_by_role("textbox", name="Sign-in address", exact=True)).to_have_value("nonsense")


def test_a_metadata_address_inside_the_network_is_not_fetched(page: Page, live: Live) -> None:
    sign_in_as_staff(page, live)
    page.goto("/manager/acme/integrations/explore")
    page.get_by_role("button", name="Set up Okta", exact=True).click()
    page.get_by_text("Give a metadata address", exact=True).click()
    page.get_by_role("textbox", name="Metadata address").fill(f"{live.url}/healthz")
    page.get_by_role("button", name="Save and continue").click()
    expect(page.get_by_role("heading", name="Initial set-up")).to_be_visible()
    expect(page.get_by_role("textbox", name="Metadata address")).to_have_value(f"{live.url}/healthz")
    expect(page.locator("[aria-invalid=true]")).to_have_count(1)


def test_no_page_asks_another_site_for_anything(page: Page, live: Live) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    sign_in_as_staff(page, live)
    for path in ("/manager/acme/integrations", "/manager/acme/integrations/explore", "/users/", "/p/acme/login"):
        page.goto(path)
    assert [url for url in asked if OUTSIDE.match(url)] == []
