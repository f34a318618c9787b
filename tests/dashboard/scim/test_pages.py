"""Every page of a SCIM integration: who sees it, who may change, and what stays invisible to others."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from rgapp.models import Integration, Programme, SCIMRequest

PAGES = (
    "",
    "activity?show=refused&q=Jane",
    "activity?show=left",
    "activity?show=listening",
    "setup",
    "history",
    "tools",
    "scim/connect",
    "scim/mapping",
    "scim/testing",
    "scim/testing?request=nonsense",
    "scim/testing/requests",
    "scim/identifiers",
    "setup/review",
)
CHANGES = (
    "switch",
    "discard",
    "scim/connect",
    "scim/mapping",
    "scim/testing",
    "scim/testing/again",
    "scim/tokens",
    "scim/tokens/00000000-0000-0000-0000-000000000000/revoke",
    "alerts/00000000-0000-0000-0000-000000000000/settle",
    "setup/review",
)
OF_SAML = ("setup/initial", "setup/mapping", "setup/testing", "attempts/ABCD-EFGH")
OF_SCIM = ("scim/connect", "scim/mapping", "scim/testing", "scim/identifiers")


@pytest.mark.parametrize("rest", PAGES)
def test_every_page_is_there_for_admins_and_support(
    browser: FlaskClient,
    support: FlaskClient,
    live: Integration,
    logged: Callable[..., SCIMRequest],
    path: Callable[..., str],
    rest: str,
) -> None:
    logged(live)
    logged(live, listening=True)
    for one in (browser, support):
        answer = one.get(path(live, rest))
        assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("provider", ["entra-scim", "okta-scim", "scim"])
@pytest.mark.parametrize("rest", PAGES)
def test_every_page_copes_with_a_new_draft_of_each_tile(
    browser: FlaskClient, acme: Programme, provider: str, rest: str
) -> None:
    answer = browser.post(f"/manager/acme/integrations/new/{provider}")
    assert answer.location.endswith("scim/connect")
    assert browser.get(answer.location.removesuffix("scim/connect") + rest).status_code == 200


@pytest.mark.parametrize("rest", CHANGES)
def test_support_changes_nothing(support: FlaskClient, live: Integration, path: Callable[..., str], rest: str) -> None:
    assert support.post(path(live, rest)).status_code == 403


@pytest.mark.parametrize("rest", [*PAGES, *CHANGES])
@pytest.mark.parametrize("slug", ["acme", "globex"])
def test_another_programmes_admin_finds_nothing(
    stranger: FlaskClient, live: Integration, path: Callable[..., str], slug: str, rest: str
) -> None:
    ask = stranger.post if rest in CHANGES else stranger.get
    assert ask(path(live, rest, slug)).status_code == 404


@pytest.mark.parametrize("rest", OF_SAML)
def test_the_pages_of_another_kind_are_not_there(
    browser: FlaskClient, live: Integration, path: Callable[..., str], rest: str
) -> None:
    assert browser.get(path(live, rest)).status_code == 404


def test_support_sees_no_buttons_that_change_something(
    support: FlaskClient, live: Integration, path: Callable[..., str]
) -> None:
    for rest in ("scim/connect", "scim/mapping", "scim/testing", "tools"):
        page = support.get(path(live, rest)).text
        assert 'class="btn btn-primary"' not in page
        assert "Issue a token" not in page


@pytest.mark.parametrize(
    ("words", "tile"),
    [
        ("entra provisioning", "Microsoft Entra ID (provisioning)"),
        ("okta provisioning", "Okta (provisioning)"),
        ("scim api", "SCIM API"),
    ],
)
def test_explore_has_a_tile_for_each_client(browser: FlaskClient, acme: Programme, words: str, tile: str) -> None:
    page = browser.get(f"/manager/acme/integrations/explore?q={words}").text
    assert "1 integration for" in page
    assert f"<h3>{tile}</h3>" in page
    assert "minutes, you need:" in page


def test_okta_starts_with_the_employee_number(browser: FlaskClient, acme: Programme) -> None:
    """Okta's externalId is its own user id, which nobody else knows."""
    answer = browser.post("/manager/acme/integrations/new/okta-scim")
    page = browser.get(answer.location.replace("connect", "mapping")).text
    assert 'selected value="urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber"' in page
