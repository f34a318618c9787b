"""SFTP as a source of feeds: files are opened with the integration's key, and failures say what to do."""

import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pysequoia
import pytest
from cryptography.fernet import Fernet

from rgapp.integrations.files import encoding
from rgapp.integrations.files.errors import Reason, UnreadableFile
from rgapp.integrations.sftp import openpgp, words
from rgapp.integrations.sftp.feeds import SFTPFeeds
from rgapp.integrations.sync.feed import FeedContext, FeedFailure, FeedSource
from rgapp.models import Integration, Programme
from rgapp.provisioning import Source
from rgapp.sealing import Sealer

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SETTINGS: dict[str, Any] = {"mapping": {"membership_no": {"column": "ID"}, "email": {"column": "Mail"}}}
FEEDS: FeedSource = SFTPFeeds()
SEALER = Sealer([Fernet.generate_key().decode()])


def integration() -> Integration:
    """Return an integration that was never stored."""
    return Integration(id=uuid.uuid4(), name="Payroll draft", live_name="Payroll file")


def context(folder: Path, content: bytes | None, name: str, which: Integration | None = None) -> FeedContext:
    """Return what the feed of a run is opened with."""
    path = folder / "arrived" if content is not None else None
    if path is not None and content is not None:
        path.write_bytes(content)
    work = folder / "work"
    work.mkdir()
    programme = Programme(slug="acme", name="Acme")
    return FeedContext(programme, which or integration(), SETTINGS, path, name, work, SEALER, NOW)


def test_file_is_opened_under_the_settings_of_its_run(tmp_path: Path) -> None:
    feed = FEEDS.open(context(tmp_path, b"ID;Mail\nE1;a@acme.example\n", "People.CSV"))
    assert [row.cells for batch in feed.batches() for row in batch] == [("E1", "a@acme.example")]


def test_encrypted_file_is_opened_with_the_key_that_the_integration_was_given(tmp_path: Path) -> None:
    which = integration()
    public = openpgp.give_key(which, SEALER)
    assert openpgp.give_key(which, SEALER) == public
    assert which.service_key is not None
    assert b"PRIVATE" not in which.service_key
    message = pysequoia.encrypt(b"ID;Mail\nE1;a@acme.example\n", [pysequoia.Cert.from_bytes(public.encode())])
    feed = FEEDS.open(context(tmp_path, message, "people.csv.gpg", which))
    assert sum(len(batch) for batch in feed.batches()) == 1


def test_encrypted_file_without_a_key_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(FeedFailure) as failed:
        FEEDS.open(context(tmp_path, b"x", "people.csv.gpg"))
    assert failed.value.reason == "no_key"


def test_key_that_cannot_be_made_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openpgp, "SECONDS", 0.001)
    with pytest.raises(openpgp.NoKeyMade):
        openpgp.make_key_pair("Acme")


def test_run_without_a_file_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(FeedFailure) as failed:
        FEEDS.open(context(tmp_path, None, ""))
    assert failed.value.reason == "no_file"


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_sentence(reason: Reason) -> None:
    error = UnreadableFile(reason, name="a.pdf", names=["a.csv", "b.csv"], limit=500, looks_like="pdf", ending=".pdf")
    failed = words.failure(error)
    assert failed.reason == reason.value
    assert failed.sentence.endswith(".")
    assert "{" not in failed.sentence


@pytest.mark.parametrize("kind", encoding.BEGINNINGS.values())
def test_every_other_format_has_a_name(kind: str) -> None:
    assert words.KINDS[kind] in words.sentence(UnreadableFile(Reason.OTHER_CONTENT, looks_like=kind))


def test_name_of_a_file_that_we_do_not_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(FeedFailure, match="no file that we read"):
        FEEDS.open(context(tmp_path, b"x", "people.pdf"))


def test_run_may_do_what_a_directory_may() -> None:
    policy = FEEDS.policy(integration(), SETTINGS | {"welcome_email": False, "provision_master": False})
    assert (policy.source, policy.name) == (Source.SFTP, "Payroll file")
    assert policy.create
    assert policy.deactivate
    assert not policy.welcome_email
    assert not policy.owns


def test_run_holds_what_its_settings_say() -> None:
    assert FEEDS.holds_all(SETTINGS)
    assert not FEEDS.holds_all(SETTINGS | {"hold": "deactivations"})


def test_fingerprint_changes_with_the_mapping_alone() -> None:
    before = FEEDS.fingerprint(SETTINGS)
    other = {"mapping": {**SETTINGS["mapping"], "email": {"column": "E-Mail"}}}
    assert len(before) == 16
    assert FEEDS.fingerprint(SETTINGS | {"hold": "deactivations", "full_file": False}) == before
    assert FEEDS.fingerprint(other) != before
