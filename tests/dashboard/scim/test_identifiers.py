"""Identifier check: whether the client calls people what they are called here."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from rgapp.integrations.scim.identifiers import check, shape_of
from rgapp.models import Integration, Programme, SCIMRequest
from tests.dashboard.scim.conftest import field
from tests.dashboard.scim.test_listening import client_of
from tests.factories import Factory
from tests.scim.conftest import jane

OBJECT_ID = "3f2504e0-4f89-11d3-9a0c-0305e82c330{}"


@pytest.fixture
def heard(draft: Integration, logged: Callable[..., SCIMRequest]) -> Callable[..., None]:
    """Return a function that logs people whom the client named."""

    def named(*numbers: str, looked_for: str = "externalId", address: str | None = None) -> None:
        for number in numbers:
            fields = [field("membership_no", number, looked_for)]
            logged(draft, listening=True, membership_no=number, email_key=address, fields=fields)

    return named


def test_object_ids_match_nobody(
    browser: FlaskClient,
    make: Factory,
    acme: Programme,
    draft: Integration,
    heard: Callable[..., None],
    path: Callable[..., str],
) -> None:
    for number in range(3):
        make.user(acme, membership_no=f"{1000 + number}")
    heard(*(OBJECT_ID.format(digit) for digit in range(4)))
    page = browser.get(path(draft, "scim/identifiers")).text
    assert "0 of 4 match" in page
    assert "Entra sends object ids, the people here have numbers." in page
    assert OBJECT_ID.format(0) in page
    assert "<code>1000</code>" in page
    assert "Identifier check: 0 of 4 match" in browser.get(path(draft, "setup/review")).text


def test_the_same_numbers_match(
    browser: FlaskClient,
    make: Factory,
    acme: Programme,
    draft: Integration,
    heard: Callable[..., None],
    path: Callable[..., str],
) -> None:
    make.user(acme, membership_no="E1")
    heard("E1", "E2")
    page = browser.get(path(draft, "scim/identifiers")).text
    assert "1 of 2 match" in page
    assert "The other one would get a new account." in page
    assert "Identifier check:" not in browser.get(path(draft, "setup/review")).text


def test_the_same_address_under_another_number_is_named(
    browser: FlaskClient,
    make: Factory,
    acme: Programme,
    draft: Integration,
    heard: Callable[..., None],
    path: Callable[..., str],
) -> None:
    make.user(acme, membership_no="E1")
    make.user(acme, membership_no="7", email="jane@acme.example")
    heard("E1")
    heard("E7", address="jane@acme.example")
    page = browser.get(path(draft, "scim/identifiers")).text
    assert "1 person is here under another Membership No." in page
    assert "Two numbers, one person" in page


def test_without_requests_there_is_nothing_to_compare(
    browser: FlaskClient, draft: Integration, path: Callable[..., str]
) -> None:
    assert "Nothing to compare yet" in browser.get(path(draft, "scim/identifiers")).text


def test_without_people_nothing_can_differ(
    browser: FlaskClient, draft: Integration, heard: Callable[..., None], path: Callable[..., str]
) -> None:
    heard("E1")
    assert "There is nobody to compare with" in browser.get(path(draft, "scim/identifiers")).text


def test_requests_under_another_mapping_are_left_out(
    session: Session, draft: Integration, heard: Callable[..., None]
) -> None:
    heard("E1", looked_for="userName")
    heard("E2")
    found = check(session, draft)
    assert [one.number for one in found.claimed] == ["E2"]
    assert found.stale == 1


def test_people_of_another_programme_match_nothing(
    session: Session, make: Factory, draft: Integration, heard: Callable[..., None]
) -> None:
    make.user(make.programme("globex"), membership_no="E1")
    heard("E1")
    assert check(session, draft).matching == 0


@pytest.mark.parametrize(
    ("numbers", "shape"),
    [
        ([], ""),
        (["1", "22", "E1"], "numbers"),
        (["E1", "A-7"], "numbers with letters"),
        (["00u1a2b3c4d5e6f7g8h9"], "Okta’s user ids"),
        (["jane@acme.example"], "e-mail addresses"),
        (["jane.carter"], "names"),
        (["§§"], "other text"),
    ],
)
def test_identifiers_are_told_by_their_shape(numbers: list[Any], shape: str) -> None:
    assert shape_of(numbers) == shape


def test_people_whom_it_brought_are_read_again_with_the_drafts_mapping(
    app: Flask, session: Session, browser: FlaskClient, live: Integration, path: Callable[..., str]
) -> None:
    """What a client said is kept, so a changed mapping is compared without waiting for another request."""
    scim = client_of(app, session, live)
    for number in range(3):
        name = f"user{number}@acme.example"
        answer = scim("POST", "/Users", jane(userName=name, externalId=f"E{number}", emails=[{"value": name}]))
        assert answer.status_code == 201, answer.text
    assert check(session, live).verdict == "ok"
    live.draft = live.draft | {"mapping": live.draft["mapping"] | {"membership_no": {"attribute": "userName"}}}
    session.commit()
    found = check(session, live)
    assert found.verdict == "none"
    assert found.their_shape == "e-mail addresses"
    assert [ours.number for _, ours in found.by_address] == ["E0", "E1", "E2"]
    assert "0 of 3 match" in browser.get(path(live, "setup/review")).text


@pytest.mark.parametrize(("number", "mark"), [("M1", "is-done"), ("X9", "is-problem")])
def test_the_stepper_says_what_was_found(
    browser: FlaskClient,
    make: Factory,
    acme: Programme,
    draft: Integration,
    heard: Callable[..., None],
    path: Callable[..., str],
    number: str,
    mark: str,
) -> None:
    make.user(acme, membership_no="M1")
    heard(number)
    page = browser.get(path(draft, "scim/connect")).text
    step = page.split("Identifier check")[0].rsplit("<li", 1)[1]
    assert mark in step
