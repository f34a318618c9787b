"""Every page of the dashboard: who sees it, who may change, and what stays invisible to others."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from rgapp.models import Integration, Programme

PAGES = (
    "",
    "activity",
    "activity?show=tests&q=Jane",
    "setup",
    "history",
    "tools",
    "setup/initial",
    "setup/mapping",
    "setup/testing",
    "setup/review",
)
CHANGES = (
    "switch",
    "discard",
    "setup/initial",
    "setup/confirm",
    "setup/mapping",
    "setup/testing",
    "setup/review",
    "history/1/restore",
)
TOP = ("", "/explore", "/explore?q=okta")


@pytest.mark.parametrize("rest", PAGES)
def test_every_page_of_a_connection_is_there_for_admins_and_support(
    browser: FlaskClient, support: FlaskClient, live: Integration, path: Callable[..., str], rest: str
) -> None:
    for one in (browser, support):
        answer = one.get(path(live, rest))
        assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("rest", PAGES)
def test_every_page_copes_with_a_draft_that_says_nothing(
    browser: FlaskClient, acme: Programme, path: Callable[..., str], rest: str
) -> None:
    answer = browser.post("/manager/acme/integrations/new/okta")
    root = answer.location.removesuffix("setup/initial")
    assert browser.get(root + rest).status_code == 200


@pytest.mark.parametrize("rest", TOP)
def test_the_dashboard_is_there_for_admins_and_support(
    browser: FlaskClient, support: FlaskClient, live: Integration, rest: str
) -> None:
    for one in (browser, support):
        assert one.get(f"/manager/acme/integrations{rest}").status_code == 200


@pytest.mark.parametrize("rest", CHANGES)
def test_support_changes_nothing(support: FlaskClient, live: Integration, path: Callable[..., str], rest: str) -> None:
    assert support.post(path(live, rest)).status_code == 403


def test_support_starts_no_draft(support: FlaskClient, acme: Programme) -> None:
    assert support.post("/manager/acme/integrations/new/okta").status_code == 403


def test_support_sees_no_buttons_that_change_something(
    support: FlaskClient, live: Integration, path: Callable[..., str]
) -> None:
    for rest in ("setup/initial", "setup/mapping", "setup/review"):
        assert 'class="btn btn-primary"' not in support.get(path(live, rest)).text
    assert "Switch it off" not in support.get("/manager/acme/integrations").text


@pytest.mark.parametrize("rest", [*PAGES, "attempts/ABCD-EFGH"])
@pytest.mark.parametrize("slug", ["acme", "globex"])
def test_another_programmes_admin_finds_nothing(
    stranger: FlaskClient, live: Integration, path: Callable[..., str], slug: str, rest: str
) -> None:
    """Under their own programme's address the foreign id is no better than under the foreign programme's."""
    assert stranger.get(path(live, rest, slug)).status_code == 404


@pytest.mark.parametrize("rest", CHANGES)
@pytest.mark.parametrize("slug", ["acme", "globex"])
def test_another_programmes_admin_changes_nothing(
    stranger: FlaskClient, live: Integration, path: Callable[..., str], slug: str, rest: str
) -> None:
    assert stranger.post(path(live, rest, slug)).status_code == 404


@pytest.mark.parametrize("rest", TOP)
def test_another_programmes_dashboard_is_not_there(stranger: FlaskClient, acme: Programme, rest: str) -> None:
    assert stranger.get(f"/manager/acme/integrations{rest}").status_code == 404


def test_nobody_gets_in_without_signing_in(client: FlaskClient, live: Integration, path: Callable[..., str]) -> None:
    answer = client.get(path(live))
    assert answer.status_code == 302
    assert "/manager/login" in answer.location


def test_explore_finds_by_words_and_says_what_is_needed(browser: FlaskClient, acme: Programme) -> None:
    page = browser.get("/manager/acme/integrations/explore?q=keycloak").text
    assert "1 integration for" in page
    assert "minutes, you need:" in page
    assert "PingOne" not in page
    assert "Nothing found" in browser.get("/manager/acme/integrations/explore?q=zzz").text


def test_an_unknown_tile_is_not_there(browser: FlaskClient, acme: Programme) -> None:
    assert browser.post("/manager/acme/integrations/new/nothing").status_code == 404


def test_a_second_draft_of_a_tile_gets_a_free_name(browser: FlaskClient, acme: Programme) -> None:
    for _ in range(2):
        browser.post("/manager/acme/integrations/new/okta")
    page = browser.get("/manager/acme/integrations").text
    assert "Okta 2" in page


def test_an_empty_dashboard_says_what_to_do(browser: FlaskClient, acme: Programme) -> None:
    page = browser.get("/manager/acme/integrations").text
    assert "No integrations yet" in page
    assert "Explore integrations" in page
