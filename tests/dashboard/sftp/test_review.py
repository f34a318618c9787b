"""Preview and review: the whole file as a dry run that writes nothing, looked at, accepted and published."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from rgapp.integrations import service
from rgapp.integrations.sync import previews
from rgapp.integrations.sync.forgetting import forget_runs
from rgapp.models import Integration, Programme, SyncLeaver, SyncProblem, SyncRun, User
from tests.dashboard.conftest import hidden_fields
from tests.dashboard.sftp.conftest import CSV, HEADER, MAPPING, SETTINGS
from tests.factories import Factory


@pytest.fixture
def preview(
    browser: FlaskClient, path: Callable[..., str], upload: Callable[..., TestResponse], work: Callable[[], int]
) -> Callable[..., TestResponse]:
    """Return a function that lets the admin preview a file."""

    def previewed(integration: Integration, text: str = CSV) -> TestResponse:
        upload(integration, text)
        browser.post(path(integration, "sftp/preview"))
        assert work() == 1
        return browser.get(path(integration, "sftp/preview"))

    return previewed


def test_nothing_is_previewed_without_an_example(
    browser: FlaskClient, draft: Integration, path: Callable[..., str]
) -> None:
    page = browser.get(path(draft, "sftp/preview")).text
    assert "Still needed: an example file." in page
    answer = browser.post(path(draft, "sftp/preview"), follow_redirects=True)
    assert "A preview needs an example file" in answer.text


def test_a_preview_shows_progress_and_moves_by_itself(
    browser: FlaskClient, draft: Integration, path: Callable[..., str], upload: Callable[..., TestResponse]
) -> None:
    upload(draft)
    page = browser.post(path(draft, "sftp/preview"), follow_redirects=True).text
    assert "Waiting for its turn" in page
    assert 'data-live-every="1000"' in page
    assert ">Refresh</a>" in page
    assert "Preview this file" not in page


def test_a_preview_says_what_the_whole_file_would_do_and_writes_nothing(
    session: Session, draft: Integration, preview: Callable[..., TestResponse]
) -> None:
    page = preview(draft, f"{CSV}E1004,nobody,Nils,Ek,03/04/1990,Active\n").text
    assert "Would be applied" in page
    assert '<span class="figure">3</span> <span>Would be created</span>' in page
    assert '<span class="figure">1</span> <span>Row refused</span>' in page
    assert "This is not a complete e-mail address." in page
    assert "<code>nobody</code>" in page
    assert session.scalar(select(func.count()).select_from(User)) == 0


def test_a_preview_names_who_would_leave(
    session: Session,
    live: Integration,
    send: Callable[..., SyncRun],
    preview: Callable[..., TestResponse],
) -> None:
    send(live)
    rows = CSV.splitlines(keepends=True)
    page = preview(live, "".join(rows[:-1])).text
    assert "Who would leave" in page
    assert "Grace Okafor" in page
    assert "Not in the file any more" in page


def test_a_preview_that_is_right_is_accepted_and_the_draft_published(
    browser: FlaskClient,
    session: Session,
    draft: Integration,
    path: Callable[..., str],
    preview: Callable[..., TestResponse],
) -> None:
    assert "This is as it should be" in preview(draft).text
    answer = browser.post(path(draft, "sftp/preview/accept"))
    assert answer.headers["Location"].endswith("/setup/review")
    page = browser.get(path(draft, "setup/review")).text
    assert "This draft has passed a test" in page
    assert "From the next file on, Payroll file creates, updates and reactivates people here." in page
    assert "Who was in a file before and is no longer in it becomes a leaver." in page
    assert "Nothing opens the account yet" in page
    browser.post(path(draft, "setup/review"), data=hidden_fields(page))
    session.refresh(draft)
    assert draft.is_live


def test_a_preview_of_another_draft_is_not_accepted(
    browser: FlaskClient,
    session: Session,
    draft: Integration,
    path: Callable[..., str],
    preview: Callable[..., TestResponse],
) -> None:
    preview(draft)
    draft.draft = draft.draft | {"welcome_email": True}
    session.commit()
    assert "The set-up has changed since this preview" in browser.get(path(draft, "sftp/preview")).text
    answer = browser.post(path(draft, "sftp/preview/accept"), follow_redirects=True)
    assert "The draft has changed since this preview" in answer.text
    assert not service.is_tested(draft)


def test_a_preview_that_would_be_held_says_why(
    session: Session, draft: Integration, preview: Callable[..., TestResponse]
) -> None:
    page = preview(draft, "Employee ID,First Name\nE1,Jane\n").text
    assert "this file would be held until somebody has looked" in page
    assert "The file lacks columns that are mapped: Work Email, Last Name, Birthday." in page
    assert "This is as it should be" not in page


def test_another_preview_replaces_the_one_before(
    session: Session, draft: Integration, preview: Callable[..., TestResponse]
) -> None:
    preview(draft, f"{HEADER}E1,nobody,A,B,,\n")
    preview(draft)
    assert session.scalar(select(func.count()).select_from(SyncRun)) == 1
    assert session.scalar(select(func.count()).select_from(SyncProblem)) == 0


def test_a_draft_is_deleted_with_its_previews(
    browser: FlaskClient,
    session: Session,
    draft: Integration,
    path: Callable[..., str],
    preview: Callable[..., TestResponse],
) -> None:
    preview(draft, f"{CSV}E4,nobody,A,B,,\n")
    answer = browser.post(path(draft, "discard"), follow_redirects=True)
    assert "The draft Payroll file was deleted." in answer.text
    for model in (Integration, SyncRun, SyncProblem, SyncLeaver):
        assert session.scalar(select(func.count()).select_from(model)) == 0


def test_a_preview_stands_in_no_history(
    browser: FlaskClient, live: Integration, path: Callable[..., str], preview: Callable[..., TestResponse]
) -> None:
    preview(live)
    assert "No file yet" in browser.get(path(live)).text


def test_review_says_what_differs_from_what_is_live(
    browser: FlaskClient, session: Session, live: Integration, path: Callable[..., str]
) -> None:
    status = {"status": {"column": "Status", "leaver": ["Left"]}}
    live.draft = live.draft | {
        "full_file": False,
        "hold": "deactivations",
        "welcome_email": True,
        "provision_master": False,
        "mapping": MAPPING | status,
    }
    session.commit()
    page = browser.get(path(live, "setup/review")).text
    for sentence in (
        "Being absent from a file changes nobody.",
        "Somebody becomes a leaver whose column “Status” says “Left”.",
        "New people get a welcome e-mail.",
        "Payroll file owns no fields",
        "new people and changes are applied at once; leavers wait.",
        "From the next file on, every row is read with the new mapping.",
    ):
        assert sentence in page
    live.draft = dict(SETTINGS)
    session.commit()
    assert "Nothing changes for people." in browser.get(path(live, "setup/review")).text


def test_review_says_by_which_files_nobody_ever_leaves(
    browser: FlaskClient, make: Factory, acme: Programme, path: Callable[..., str]
) -> None:
    settings = SETTINGS | {"full_file": False}
    made = make.integration(acme, settings, name="Changes", kind="sftp", provider="sftp", published=False)
    assert "nobody ever leaves by them" in browser.get(path(made, "setup/review")).text


def test_what_is_missing_stops_the_publishing(
    browser: FlaskClient, session: Session, empty: Integration, path: Callable[..., str]
) -> None:
    page = browser.get(path(empty, "setup/review")).text
    assert "Example file still needs where the Membership No. comes from." in page
    empty.draft = empty.draft | {"mapping": {"membership_no": {"column": "A"}, "email": {"column": ""}}}
    session.commit()
    assert "Not ready to be published yet" in browser.get(path(empty, "setup/review")).text


def test_forgetting_what_is_not_there_does_no_harm(session: Session, draft: Integration) -> None:
    forget_runs(session, draft, previews=True)
    assert previews.newest(session, draft) is None


def test_identifiers_that_nobody_here_has_are_compared(
    browser: FlaskClient,
    make: Factory,
    acme: Programme,
    draft: Integration,
    path: Callable[..., str],
    preview: Callable[..., TestResponse],
) -> None:
    for number in ("4711", "4712"):
        make.user(acme, membership_no=number)
    page = preview(draft).text
    assert "None of the Membership Nos. is here yet" in page
    assert "The file has numbers with letters, the people here have numbers." in page
    assert "Here: <code>4711</code>, <code>4712</code>" in page
    assert "Identifier check: None of the Membership Nos. is here yet" in browser.get(path(draft, "setup/review")).text


def test_one_person_under_two_numbers_is_said(
    make: Factory, acme: Programme, draft: Integration, preview: Callable[..., TestResponse]
) -> None:
    make.user(acme, membership_no="E1002", email="marcus.bell@acme.example")
    make.user(acme, membership_no="4711", email="jane.carter@acme.example")
    page = preview(draft).text
    assert "1 of the first 3 Membership Nos. match somebody here" in page
    assert "1 person is here under another Membership No." in page


def test_people_who_are_called_the_same_are_well(
    make: Factory, acme: Programme, draft: Integration, preview: Callable[..., TestResponse]
) -> None:
    make.user(acme, membership_no="E1002", email="marcus.bell@acme.example")
    page = preview(draft, f"{CSV},blank@acme.example,A,B,,\n").text
    assert "The file calls people what they are called here. The other 2 would get new accounts." in page
