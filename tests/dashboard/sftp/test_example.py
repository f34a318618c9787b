"""Example file: what is found in it, guesses that are ours to correct, dates in long form, who leaves."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from rgapp.integrations.sftp import accounts, examples
from rgapp.integrations.sftp.spool import Folder
from rgapp.models import Integration
from tests.dashboard.conftest import hidden_fields
from tests.dashboard.sftp.conftest import CSV, HEADER, MAPPING

CHOSEN = {
    "membership_no_column": "Employee ID",
    "email_column": "Work Email",
    "first_name_column": "First Name",
    "last_name_column": "Last Name",
    "date_of_birth_column": "Birthday",
    "date_format": "%d/%m/%Y",
    "full_file": "full",
    "status_column": "",
    "leaver": "",
    "hold": "everything",
    "provision_master": "y",
}


@pytest.fixture
def save(browser: FlaskClient, path: Callable[..., str]) -> Callable[..., TestResponse]:
    """Return a function that fills the form in and sends it."""

    def saved(integration: Integration, **changed: str) -> TestResponse:
        page = path(integration, "sftp/example")
        return browser.post(page, data=hidden_fields(browser.get(page).text) | CHOSEN | changed)

    return saved


def selected(page: str, name: str) -> str:
    """Return which option of a select is chosen."""
    part = page.partition(f'id="{name}"')[2].partition("</select>")[0]
    return part.partition('<option selected value="')[2].partition('"')[0]


def test_columns_are_shown_with_values_and_matched_by_their_names(
    empty: Integration, upload: Callable[..., TestResponse]
) -> None:
    page = upload(empty).text
    assert "people.csv was read: 6 columns found." in page
    assert "The first 3 rows were looked at." in page
    assert "E1001, E1002, E1003" in page
    assert "Matched by the names of the columns" in page
    for field, source in MAPPING.items():
        assert selected(page, f"{field}_column") == source["column"]
    assert selected(page, "status_column") == "Status"
    assert "Terminated</textarea>" in page
    assert "3 values, all of them good." in page


def test_a_date_format_is_never_guessed_and_shown_in_long_form(
    empty: Integration, upload: Callable[..., TestResponse], save: Callable[..., TestResponse]
) -> None:
    page = upload(empty).text
    assert "Say below how the dates are written." in page
    assert "21/11/1984 is 21 November 1984; 30/01/1979 is 30 January 1979; 03/04/1990 is 3 April 1990" in page
    assert "mm/dd/yyyy" not in page
    assert 'checked class="form-check-input" id="date_format' not in page
    answer = save(empty, date_format="")
    assert "Say how the dates are written: no file tells 3 April from 4 March." in answer.text


def test_ambiguous_dates_are_offered_both_ways(empty: Integration, upload: Callable[..., TestResponse]) -> None:
    page = upload(empty, HEADER + "E1,a@acme.example,A,B,03/04/1990,Active\n").text
    assert "03/04/1990 is 3 April 1990" in page
    assert "03/04/1990 is 4 March 1990" in page


def test_dates_in_several_formats_are_said(empty: Integration, upload: Callable[..., TestResponse]) -> None:
    rows = "".join(f"E{day},p{day}@acme.example,A,B,{day}/04/1990,Active\n" for day in range(13, 19))
    page = upload(empty, f"{HEADER}{rows}E99,p99@acme.example,A,B,1990-04-03,Active\n").text
    assert "No single format reads all of them" in page
    assert "<code>1990-04-03</code>" in page
    assert "13/04/1990 is 13 April 1990; 14/04/1990 is 14 April 1990; 15/04/1990 is 15 April 1990" in page


def test_what_is_chosen_is_saved(
    session: Session, empty: Integration, upload: Callable[..., TestResponse], save: Callable[..., TestResponse]
) -> None:
    upload(empty)
    answer = save(empty, full_file="changes", status_column="Status", leaver="Terminated\nterminated\n Left ")
    assert answer.headers["Location"].endswith("/sftp/preview")
    session.refresh(empty)
    assert empty.draft["mapping"] == MAPPING | {"status": {"column": "Status", "leaver": ["Terminated", "Left"]}}
    assert empty.draft["full_file"] is False
    assert empty.draft["welcome_email"] is False
    assert empty.draft["provision_master"] is True


def test_what_is_not_complete_stays_here(
    session: Session, empty: Integration, upload: Callable[..., TestResponse], save: Callable[..., TestResponse]
) -> None:
    upload(empty)
    answer = save(empty, email_column="", date_of_birth_column="")
    assert answer.headers["Location"].endswith("/sftp/example")
    session.refresh(empty)
    assert "email" not in empty.draft["mapping"]


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"first_name_column": "Last Name"}, "Another field comes from this column already."),
        ({"full_file": "changes"}, "Choose the column that says who has left"),
        ({"status_column": "Employee ID", "leaver": "x"}, "This column is one of the fields above already."),
        ({"status_column": "Status", "leaver": ""}, "Write at least one value that means that somebody has left"),
        ({"status_column": "Status", "leaver": "x" * 101}, "At most 50 values"),
        ({"date_format": "%d/%m"}, "Choose one of the formats."),
        ({"first_name_column": "x" * 201}, "A name of at most 200 characters."),
    ],
)
def test_what_cannot_be_is_said_beside_it(
    empty: Integration,
    upload: Callable[..., TestResponse],
    save: Callable[..., TestResponse],
    changed: dict[str, str],
    sentence: str,
) -> None:
    upload(empty)
    answer = save(empty, **changed)
    assert answer.status_code == 200
    assert sentence in answer.text


def test_values_of_a_newly_chosen_status_column_are_offered(
    empty: Integration, upload: Callable[..., TestResponse], save: Callable[..., TestResponse]
) -> None:
    upload(empty)
    page = save(empty, status_column="Status", leaver="").text
    assert "Terminated</textarea>" in page
    assert "1 row, has left" in page
    assert "2 rows, is there" in page


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (
            {"email_column": "First Name", "first_name_column": ""},
            "3 of 3 values cannot be taken: “Jane” is no complete e-mail address.",
        ),
        ({"membership_no_column": "Nowhere"}, "The example has no column “Nowhere”, or two of them."),
        ({"membership_no_column": "Same"}, "they do not tell people apart"),
        ({"first_name_column": "Blank"}, "This column is blank in the example."),
        ({"last_name_column": "Half"}, "1 of 3 values cannot be taken: “&lt;b&gt;” has characters"),
    ],
)
def test_each_column_has_its_verdict(
    empty: Integration,
    upload: Callable[..., TestResponse],
    save: Callable[..., TestResponse],
    browser: FlaskClient,
    path: Callable[..., str],
    changed: dict[str, str],
    sentence: str,
) -> None:
    more = (",Same,Blank,Half", ",A,,Ok", ",A,,<b>", ",A,,Fine")
    upload(empty, "".join(line + end + "\n" for line, end in zip(CSV.splitlines(), more, strict=False)))
    save(empty, **changed)
    assert sentence in browser.get(path(empty, "sftp/example")).text


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        (b"x", "people.pdf", "is no file that we read"),
        (b"PK\x03\x04 nonsense", "people.zip", "This archive is damaged or incomplete."),
        (b"whatever", "people.csv.gpg", "This file is encrypted, and this integration has no OpenPGP key."),
    ],
)
def test_a_file_that_cannot_be_read_is_said_and_the_one_before_stays(
    empty: Integration, upload: Callable[..., TestResponse], content: bytes, name: str, sentence: str
) -> None:
    upload(empty)
    page = upload(empty, content, name).text
    assert sentence in page
    assert "<strong>people.csv</strong>" in page


def test_no_file_is_said(browser: FlaskClient, empty: Integration, path: Callable[..., str]) -> None:
    answer = browser.post(path(empty, "sftp/example/file"), data={}, content_type="multipart/form-data")
    assert "Choose a file as your HR system exports it." in answer.text


def test_a_large_file_may_come_from_the_browser(empty: Integration, upload: Callable[..., TestResponse]) -> None:
    rows = "".join(f"E{n},p{n}@acme.example,A,{'B' * 900},03/04/1990,Active\n" for n in range(5_000))
    assert "people.csv was read" in upload(empty, HEADER + rows).text


def test_the_last_upload_is_taken(
    browser: FlaskClient, app: Flask, session: Session, empty: Integration, path: Callable[..., str], tmp_path: Path
) -> None:
    answer = browser.post(path(empty, "sftp/example/last"), follow_redirects=True)
    assert "No file has come by SFTP that is still there." in answer.text
    account = accounts.of_integration(session, empty)
    assert account is not None
    spool = Path(app.config["SFTP_SPOOL"])
    folder = Folder(spool, account.username)
    folder.make()
    for name in ("older.csv", "newest.csv"):
        file = tmp_path / name
        file.write_text(CSV)
        folder.adopt(file, name)
    assert "<strong>newest.csv</strong>" in browser.get(path(empty, "sftp/example")).text
    answer = browser.post(path(empty, "sftp/example/last"), follow_redirects=True)
    assert "newest.csv was read: 6 columns found." in answer.text
    assert len(folder.received_files()) == 2
    kept = examples.current(examples.folder_of(spool, account.username))
    assert kept is not None
    assert kept.path.read_text() == CSV


def test_who_is_not_signed_in_sends_no_large_file(
    client: FlaskClient, empty: Integration, path: Callable[..., str]
) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="people.csv"\r\n\r\n' + b"x" * 5_000_000
    answer = client.post(path(empty, "sftp/example/file"), data=body, content_type="multipart/form-data; boundary=x")
    assert answer.status_code == 413
