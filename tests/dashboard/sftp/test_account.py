"""Account: where a client finds us, a password that is shown once, public keys by name, and an OpenPGP key."""

import re
from collections.abc import Callable
from pathlib import Path

import asyncssh
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from rgapp.clock import utcnow
from rgapp.dashboard.sftp import access
from rgapp.integrations.sftp import accounts, passwords
from rgapp.integrations.sftp.openpgp import NoKeyMade
from rgapp.models import Integration
from rgapp.sftp import host_keys
from tests.dashboard.conftest import hidden_fields


@pytest.fixture
def public_key() -> str:
    """Return a public key as its file holds it."""
    key = asyncssh.generate_private_key("ssh-ed25519", comment="payroll@hr")
    return key.export_public_key("openssh").decode()


def shown_password(page: str) -> str:
    found = re.search(r'id="copy-password" type="text" value="([^"]+)"', page)
    assert found
    return found[1]


def test_a_client_is_told_where_to_go_and_whom_it_must_meet(
    browser: FlaskClient, app: Flask, session: Session, draft: Integration, path: Callable[..., str]
) -> None:
    page = browser.get(path(draft, "sftp/account")).text
    assert "The server makes its host keys when it starts for the first time." in page
    host_keys.load(Path(app.config["SFTP_FOLDER"]))
    page = browser.get(path(draft, "sftp/account")).text
    account = accounts.of_integration(session, draft)
    assert account is not None
    for value in ("127.0.0.1", "2222", account.username):
        assert f'value="{value}"' in page
    for key in host_keys.public(Path(app.config["SFTP_FOLDER"])):
        assert f">{key.fingerprint}</textarea>" in page
    assert f"sftp -P 2222 {account.username}@127.0.0.1" in page


def test_a_password_is_shown_once(
    browser: FlaskClient, session: Session, draft: Integration, path: Callable[..., str]
) -> None:
    answer = browser.post(path(draft, "sftp/password"))
    assert "It is shown once, on this page" in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    password = shown_password(answer.text)
    account = accounts.of_integration(session, draft)
    assert account is not None
    assert passwords.verify(account.password_hash, password)
    page = browser.get(path(draft, "sftp/account")).text
    assert password not in page
    assert "by Alex Admin. Last used: <span" in page


@pytest.mark.parametrize("at_once", [False, True])
def test_a_password_is_replaced_with_or_without_a_gap(
    browser: FlaskClient, session: Session, draft: Integration, path: Callable[..., str], at_once: bool
) -> None:
    browser.post(path(draft, "sftp/password"))
    answer = browser.post(path(draft, "sftp/password"), data={"at_once": "y"} if at_once else {})
    assert ("The one before works until" in answer.text) is not at_once
    account = accounts.of_integration(session, draft)
    assert account is not None
    assert accounts.has_earlier(account, utcnow()) is not at_once
    answer = browser.post(path(draft, "sftp/password/end-earlier"), data={"back": "tools"}, follow_redirects=True)
    assert ("The earlier password opens nothing any more." in answer.text) is not at_once
    assert "Tools" in answer.text


def test_a_password_is_removed_where_keys_are_enough(
    browser: FlaskClient, session: Session, draft: Integration, path: Callable[..., str]
) -> None:
    browser.post(path(draft, "sftp/password"))
    answer = browser.post(path(draft, "sftp/password/remove"), follow_redirects=True)
    assert "The password opens nothing any more." in answer.text
    account = accounts.of_integration(session, draft)
    assert account is not None
    assert account.password_hash is None
    again = browser.post(path(draft, "sftp/password/remove"), follow_redirects=True)
    assert "There was no password, so nothing was changed." in again.text


def test_a_key_is_added_by_name_and_removed(
    browser: FlaskClient, session: Session, draft: Integration, path: Callable[..., str], public_key: str
) -> None:
    data = {"public_key": public_key, "key_name": "Payroll server"}
    answer = browser.post(path(draft, "sftp/keys"), data=data, follow_redirects=True)
    assert "The key “Payroll server” opens the account from now on." in answer.text
    [key] = accounts.keys_of(session, draft)
    assert key.fingerprint in answer.text
    remove = path(draft, f"sftp/keys/{key.id}/remove")
    again = browser.post(path(draft, "sftp/keys"), data=data)
    assert "The account has this key already, under the name “Payroll server”." in again.text
    answer = browser.post(remove, follow_redirects=True)
    assert "The key opens nothing any more." in answer.text
    assert accounts.keys_of(session, draft) == []
    answer = browser.post(remove, follow_redirects=True)
    assert "This key was removed already" in answer.text


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"public_key": ""}, "Paste the public key"),
        ({"public_key": "hello"}, "This is no SSH public key"),
        ({"public_key": "-----BEGIN OPENSSH PRIVATE KEY-----\nabc"}, "This is a private key"),
        ({"public_key": "hello", "key_name": "x" * 101}, "Use at most 100 characters."),
        ({"public_key": "hello", "key_name": "a\u202eb"}, "Use letters, numbers and spaces."),
    ],
)
def test_what_is_no_key_is_said_beside_it(
    browser: FlaskClient,
    session: Session,
    draft: Integration,
    path: Callable[..., str],
    typed: dict[str, str],
    sentence: str,
) -> None:
    answer = browser.post(path(draft, "sftp/keys"), data=typed)
    assert sentence in answer.text
    assert accounts.keys_of(session, draft) == []


def test_there_is_an_end_to_the_number_of_keys(
    browser: FlaskClient,
    draft: Integration,
    path: Callable[..., str],
    public_key: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(accounts, "MOST_KEYS", 0)
    answer = browser.post(path(draft, "sftp/keys"), data={"public_key": public_key})
    assert "which is as many as it may have" in answer.text


def test_an_openpgp_key_is_made_once_and_its_public_half_given_out(
    browser: FlaskClient, session: Session, draft: Integration, path: Callable[..., str]
) -> None:
    assert browser.get(path(draft, "sftp/openpgp.asc")).status_code == 404
    answer = browser.post(path(draft, "sftp/openpgp"), follow_redirects=True)
    assert "The OpenPGP key is made." in answer.text
    given = browser.get(path(draft, "sftp/openpgp.asc"))
    assert given.text.startswith("-----BEGIN PGP PUBLIC KEY BLOCK-----")
    assert given.headers["Content-Disposition"] == 'attachment; filename="rewards-acme.asc"'
    browser.post(path(draft, "sftp/openpgp"))
    assert browser.get(path(draft, "sftp/openpgp.asc")).text == given.text
    session.refresh(draft)
    assert b"PRIVATE" not in (draft.service_key or b"")


def test_a_key_that_could_not_be_made_is_said(
    browser: FlaskClient, draft: Integration, path: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(owner: str) -> tuple[str, str]:
        raise NoKeyMade

    monkeypatch.setattr(access, "make_key_pair", fail)
    answer = browser.post(path(draft, "sftp/openpgp"), follow_redirects=True)
    assert "The key could not be made." in answer.text


def test_the_name_is_saved_and_refused_where_it_is_taken(
    browser: FlaskClient, session: Session, draft: Integration, other: Integration, path: Callable[..., str]
) -> None:
    data = hidden_fields(browser.get(path(draft, "sftp/account")).text)
    answer = browser.post(path(draft, "sftp/account"), data=data | {"name": "Stores"})
    assert "Another integration of this programme has this name." in answer.text
    answer = browser.post(path(draft, "sftp/account"), data=data | {"name": "  "})
    assert "Give it a name" in answer.text
    answer = browser.post(path(draft, "sftp/account"), data=data | {"name": "Workday file"})
    assert answer.headers["Location"].endswith("/sftp/example")
    session.refresh(draft)
    assert draft.name == "Workday file"
    stale = browser.post(path(draft, "sftp/account"), data=data | {"name": "Another"})
    assert "This draft changed while you had it open" in stale.text
