"""Every page of an SFTP integration: who sees it, who may change, and what stays invisible to others."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from rgapp.models import Integration, SyncRun

NOBODY = "00000000-0000-0000-0000-000000000000"
PAGES = (
    "",
    "activity?show=refused",
    "activity?show=held",
    "activity?show=nonsense&after=nonsense",
    "setup",
    "history",
    "tools",
    "sftp/account",
    "sftp/example",
    "sftp/preview",
    "setup/review",
)
CHANGES = (
    "switch",
    "discard",
    "sftp/account",
    "sftp/password",
    "sftp/password/end-earlier",
    "sftp/password/remove",
    "sftp/keys",
    f"sftp/keys/{NOBODY}/remove",
    "sftp/openpgp",
    "sftp/example",
    "sftp/example/file",
    "sftp/example/last",
    "sftp/preview",
    "sftp/preview/accept",
    f"runs/{NOBODY}/release",
    f"runs/{NOBODY}/discard",
    "setup/review",
)
OF_OTHERS = ("setup/initial", "scim/connect", "scim/mapping")


@pytest.mark.parametrize("rest", PAGES)
def test_every_page_is_there_for_admins_and_support(
    browser: FlaskClient,
    support: FlaskClient,
    live: Integration,
    stored: Callable[..., SyncRun],
    path: Callable[..., str],
    rest: str,
) -> None:
    stored(live, refused=1, created=2)
    for one in (browser, support):
        answer = one.get(path(live, rest))
        assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("rest", PAGES)
def test_every_page_copes_with_a_new_draft(
    browser: FlaskClient, session: Session, path: Callable[..., str], rest: str
) -> None:
    answer = browser.post("/manager/acme/integrations/new/sftp")
    assert answer.status_code == 303
    made = session.scalars(select(Integration)).one()
    assert made.name == "SFTP"
    assert browser.get(path(made, rest)).status_code == 200


@pytest.mark.parametrize("rest", CHANGES)
def test_support_changes_nothing(support: FlaskClient, draft: Integration, path: Callable[..., str], rest: str) -> None:
    assert support.post(path(draft, rest)).status_code == 403


@pytest.mark.parametrize("rest", [*PAGES, *CHANGES])
def test_admins_of_other_programmes_find_nothing(
    stranger: FlaskClient, live: Integration, path: Callable[..., str], rest: str
) -> None:
    method = stranger.post if rest in CHANGES else stranger.get
    assert method(path(live, rest)).status_code == 404


@pytest.mark.parametrize("rest", OF_OTHERS)
def test_pages_of_other_kinds_are_not_there(
    browser: FlaskClient, live: Integration, path: Callable[..., str], rest: str
) -> None:
    assert browser.get(path(live, rest)).status_code == 404


def test_a_run_of_another_integration_is_not_there(
    browser: FlaskClient,
    live: Integration,
    other: Integration,
    stored: Callable[..., SyncRun],
    path: Callable[..., str],
) -> None:
    run_id = stored(live).id
    for rest in ("", "/progress", "/report.csv"):
        assert browser.get(path(live, f"runs/{run_id}{rest}")).status_code == 200
        assert browser.get(path(other, f"runs/{run_id}{rest}")).status_code == 404
