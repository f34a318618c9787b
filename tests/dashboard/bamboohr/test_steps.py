"""Mapping, Who, Schedule and the identifier check, with what the account holds."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from rgapp.dashboard.pulls import asking
from rgapp.demo.bamboohr.service import Simulated
from rgapp.models import Integration, Programme
from tests.factories import Factory

Path = Callable[..., str]
Give = Callable[..., None]
MAPPING = {
    "membership_no_field": "employeeNumber",
    "email_field": "workEmail",
    "otherwise": "homeEmail",
    "first_name_field": "firstName",
    "last_name_field": "lastName",
    "date_of_birth_field": "dateOfBirth",
    "date_format": "%Y-%m-%d",
}


def test_mapping_shows_labels_and_three_real_people(
    browser: FlaskClient, draft: Integration, give: Give, path: Path
) -> None:
    give(draft)
    page = browser.get(path(draft, "pull/mapping")).text
    assert "Employee # (employeeNumber)</option>" in page
    for number in ("010001", "010002", "010003"):
        assert f"<code>{number}</code>" in page
    assert "010004" not in page
    assert "17 May 1960" in page


def test_mapping_is_saved_and_leads_to_who(
    browser: FlaskClient, session: Session, draft: Integration, give: Give, path: Path
) -> None:
    give(draft)
    answer = browser.post(path(draft, "pull/mapping"), data=MAPPING | {"date_of_birth_field": ""})
    assert answer.location.endswith("/bamboohr/who")
    session.refresh(draft)
    assert draft.draft["mapping"] == {
        "membership_no": {"field": "employeeNumber"},
        "email": {"field": "workEmail", "otherwise": "homeEmail"},
        "first_name": {"field": "firstName"},
        "last_name": {"field": "lastName"},
    }


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"email_field": "employeeNumber"}, "Another of our fields comes from this one already."),
        ({"otherwise": "workEmail"}, "Choose another field than the first one."),
        ({"date_format": ""}, "Say how the dates are written"),
        ({"date_format": "%d"}, "Choose one of the formats."),
        ({"email_field": "x" * 201}, "A name of at most 200 characters."),
    ],
)
def test_a_mapping_that_cannot_be_is_refused(
    browser: FlaskClient,
    session: Session,
    draft: Integration,
    give: Give,
    path: Path,
    typed: dict[str, str],
    sentence: str,
) -> None:
    give(draft)
    before = dict(draft.draft)
    answer = browser.post(path(draft, "pull/mapping"), data=MAPPING | typed)
    assert sentence in answer.text
    session.refresh(draft)
    assert draft.draft == before


def test_a_hidden_field_is_noticed_before_it_is_published(
    browser: FlaskClient, draft: Integration, bamboo: Simulated, give: Give, path: Path
) -> None:
    give(draft)
    bamboo.do(sight={"hidden": {"dateOfBirth": "empty"}})
    page = browser.get(path(draft, "pull/mapping")).text
    assert "None of 3 people has a value here." in page


def test_without_a_way_in_mapping_says_so_and_can_still_be_saved(
    browser: FlaskClient, draft: Integration, path: Path
) -> None:
    page = browser.get(path(draft, "pull/mapping")).text
    assert "Nothing lets us in yet" in page
    assert browser.post(path(draft, "pull/mapping"), data=MAPPING).status_code == 303


def test_who_offers_what_there_is_and_keeps_what_is_ticked(
    browser: FlaskClient, session: Session, draft: Integration, give: Give, path: Path
) -> None:
    give(draft)
    page = browser.get(path(draft, "bamboohr/who")).text
    for value in ("Full-Time", "Contractor", "Germany", "Engineering", "Inactive"):
        assert f'value="{value}"' in page
    ticked = {"employment_type": ["Full-Time", "Part-Time"], "country": "Germany", "seen": ""}
    answer = browser.post(path(draft, "bamboohr/who"), data=ticked)
    assert answer.location.endswith("/pull/schedule")
    session.refresh(draft)
    assert draft.draft["filters"] == {
        "status": [],
        "employment_type": ["Full-Time", "Part-Time"],
        "country": ["Germany"],
        "department": [],
    }
    again = browser.get(path(draft, "bamboohr/who")).text
    assert again.count(" checked") == 3


def test_what_was_ticked_stays_when_bamboohr_cannot_be_asked(
    browser: FlaskClient, session: Session, draft: Integration, path: Path
) -> None:
    draft.draft = draft.draft | {"filters": {"country": ["Atlantis"]}}
    session.commit()
    page = browser.get(path(draft, "bamboohr/who")).text
    assert 'value="Atlantis"' in page
    assert "We cannot read BambooHR now" in page


def test_schedule_is_saved_and_leads_to_the_preview(
    browser: FlaskClient, session: Session, draft: Integration, path: Path
) -> None:
    typed = {"schedule": "hourly", "hold": "deactivations", "provision_master": "y"}
    answer = browser.post(path(draft, "pull/schedule"), data=typed)
    assert answer.location.endswith("/pull/preview")
    session.refresh(draft)
    assert draft.draft["schedule"] == "hourly"
    assert draft.draft["hold"] == "deactivations"
    assert not draft.draft["welcome_email"]
    assert "Not a valid choice" in browser.post(path(draft, "pull/schedule"), data=typed | {"schedule": "x"}).text


def test_a_change_of_somebody_else_is_not_overwritten_unseen(
    browser: FlaskClient, session: Session, draft: Integration, path: Path
) -> None:
    answer = browser.post(path(draft, "pull/schedule"), data={"schedule": "hourly", "hold": "everything", "seen": "x"})
    assert "This draft changed while you had it open" in answer.text
    session.refresh(draft)
    assert draft.draft["schedule"] == "daily"


def test_the_identifier_check_compares_with_the_people_here(
    browser: FlaskClient, draft: Integration, acme: Programme, make: Factory, give: Give, path: Path
) -> None:
    give(draft)
    assert "There is nobody to compare with" in browser.get(path(draft, "pull/identifiers")).text
    make.user(acme, membership_no="E-77", email="femi.lopez.1@acme.example")
    page = browser.get(path(draft, "pull/identifiers")).text
    assert "0 of 12 match" in page
    assert "femi.lopez.1@acme.example" in page
    make.user(acme, membership_no="010002", email="somebody@acme.example")
    assert "1 of 12 match" in browser.get(path(draft, "pull/identifiers")).text


@pytest.mark.parametrize("page", ["pull/mapping", "bamboohr/who", "pull/identifiers"])
def test_a_page_waits_for_so_long_however_many_requests_it_takes(
    browser: FlaskClient,
    draft: Integration,
    bamboo: Simulated,
    give: Give,
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    page: str,
) -> None:
    """Without a dataset people are asked for one by one."""
    give(draft)
    bamboo.do(sight={"datasets": False})
    monkeypatch.setattr(asking, "LONGEST", -1.0)
    assert "BambooHR took too long to answer." in browser.get(path(draft, page)).text
    assert bamboo.requests == 0
