"""Connect by key: tested at once, with what is wrong in plain words, and the key never shown again."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from rgapp.demo.bamboohr.service import Simulated
from rgapp.extensions import sealer
from rgapp.integrations.pulls import access
from rgapp.models import Integration

Save = Callable[..., Any]


def test_a_good_key_leads_on_to_mapping(
    session: Session, draft: Integration, bamboo: Simulated, save_connect: Save
) -> None:
    answer = save_connect(draft, api_key=bamboo.key)
    assert answer.request.path.endswith("/pull/mapping")
    assert "BambooHR lets us in." in answer.text
    row = access.of_integration(session, draft)
    assert row is not None
    assert row.checked_at is not None
    assert access.secrets_of(row, sealer()) == access.Secrets("api_key", {"api_key": bamboo.key})


def test_a_wrong_key_says_so_beside_the_form_and_is_not_shown(draft: Integration, save_connect: Save) -> None:
    answer = save_connect(draft, api_key="no-such-key")
    assert "BambooHR does not let us in" in answer.text
    assert "BambooHR does not accept this API key." in answer.text
    assert "no-such-key" not in answer.text


def test_what_the_key_may_not_see_is_named(draft: Integration, bamboo: Simulated, save_connect: Save) -> None:
    bamboo.do(sight={"directory": False, "datasets": False})
    answer = save_connect(draft, api_key=bamboo.key)
    assert "BambooHR lets us in, but does not show us" in answer.text


def test_an_account_that_does_not_answer_is_no_failure_of_the_page(
    browser: FlaskClient, session: Session, draft: Integration, save_connect: Save
) -> None:
    draft.draft = draft.draft | {"base_url": "http://127.0.0.1:9"}
    session.commit()
    answer = save_connect(draft, api_key="some-key")
    assert answer.status_code == 200
    assert "leads into a private network, which only the operator can allow." in answer.text


def test_an_empty_key_keeps_the_one_there_is(
    session: Session, draft: Integration, bamboo: Simulated, save_connect: Save, give: Callable[..., None]
) -> None:
    give(draft)
    page = save_connect(draft, name="People")
    assert page.request.path.endswith("/pull/mapping")
    session.refresh(draft)
    assert draft.name == "People"
    assert access.secrets_of(access.of_integration(session, draft), sealer()) is not None


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"subdomain": ""}, "Write the part before .bamboohr.com."),
        ({"subdomain": "acme.example"}, "This is the part before .bamboohr.com only"),
        ({"subdomain": "acme/../other"}, "This is the part before .bamboohr.com only"),
        ({"api_key": ""}, "Paste the API key."),
        ({"api_key": "with\ttab"}, "Copy it again"),
        ({"method": "oauth"}, "Paste the client ID of the application."),
        ({"method": "oauth", "client_id": "app"}, "Paste the client secret of the application."),
        ({"method": "carrier"}, "Not a valid choice"),
        ({"name": ""}, "Give it a name"),
    ],
)
def test_what_is_typed_wrong_is_said_and_nothing_is_kept(
    session: Session, draft: Integration, save_connect: Save, typed: dict[str, str], sentence: str
) -> None:
    answer = save_connect(draft, **({"api_key": "key"} | typed))
    assert sentence in answer.text
    assert access.of_integration(session, draft) is None


def test_a_pasted_address_is_understood(
    session: Session, draft: Integration, bamboo: Simulated, save_connect: Save
) -> None:
    save_connect(draft, api_key=bamboo.key, subdomain="https://Acme.bamboohr.com/home/")
    session.refresh(draft)
    assert draft.draft["subdomain"] == "acme"
    assert draft.draft["base_url"] == bamboo.origin


def test_support_looks_and_changes_nothing(
    support: FlaskClient, session: Session, draft: Integration, path: Callable[..., str]
) -> None:
    for page in ("bamboohr/connect", "pull/mapping", "bamboohr/who", "pull/schedule", "pull/preview"):
        assert support.get(path(draft, page)).status_code == 200
        assert support.post(path(draft, page), data={"name": "x"}).status_code == 403
    assert access.of_integration(session, draft) is None


def test_another_programme_sees_nothing(
    stranger: FlaskClient, draft: Integration, live: Integration, path: Callable[..., str]
) -> None:
    for page in ("bamboohr/connect", "pull/mapping", "bamboohr/who", "pull/now", "bamboohr/consented?state=x"):
        assert stranger.get(path(draft, page)).status_code in {404, 405}
        assert stranger.post(path(draft, page)).status_code in {404, 405}
        assert stranger.get(path(draft, page, slug="globex")).status_code in {404, 405}


def test_the_pages_of_one_kind_are_not_those_of_another(
    browser: FlaskClient, draft: Integration, make: Any, acme: Any, path: Callable[..., str]
) -> None:
    other = make.integration(acme, {"mapping": {}}, name="Files", kind="sftp", provider="sftp", published=False)
    for page in ("bamboohr/connect", "pull/mapping", "pull/schedule", "pull/preview", "pull/identifiers"):
        assert browser.get(path(other, page)).status_code == 404
