"""`flask integration …` of SFTP integrations: what opens the account is kept, hashed, and never in settings."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from rgapp.integrations.sftp import accounts, passwords
from rgapp.models import Integration, IntegrationVersion, SFTPAccount
from tests.cli.conftest import Terminal

pytestmark = pytest.mark.usefixtures("acme")
ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGVhQ0vRe5o9WYmZqNuPIUf1pkAc7Ru4vNVJYPeAIVyf hr@acme"
OTHER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJr7Qx4mHk0qkTNuVSEMCkQ2C4xA8SxJwyGgk1WJz0Xo payroll"
MAPPING = {"membership_no": {"column": "Employee ID"}, "email": {"column": "E-mail"}}
Apply = Callable[..., list[str]]


@pytest.fixture
def apply(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> Apply:
    """Return a function that applies a file with one SFTP integration; returns what was printed."""
    monkeypatch.setenv("ACME_SFTP_PASSWORD", "correct horse battery")

    def run(*options: str, **declared: Any) -> list[str]:
        entry = {"kind": "sftp", "name": "Payroll file", "published": True, "mapping": MAPPING} | declared
        file = terminal.write({"programme": "acme", "integrations": [entry]})
        return terminal.run("integration", "apply", file, *options).splitlines()

    return run


def account(terminal: Terminal) -> SFTPAccount:
    """Return the only account."""
    terminal.session.expire_all()
    return terminal.session.scalars(select(SFTPAccount)).one()


def listed(terminal: Terminal) -> dict[str, Any]:
    """Return the only integration as it is listed."""
    (found,) = terminal.json("integration", "list", "--programme", "acme")
    return dict(found)


def test_password_is_read_from_the_environment_and_kept_hashed(apply: Apply, terminal: Terminal) -> None:
    printed = apply(password={"env": "ACME_SFTP_PASSWORD"})
    assert printed[0] == "Payroll file: created, published as version 1, password set"
    kept = account(terminal)
    assert passwords.verify(kept.password_hash, "correct horse battery")
    (settings,) = terminal.session.scalars(select(IntegrationVersion.settings))
    (draft,) = terminal.session.scalars(select(Integration.draft))
    assert "correct horse" not in f"{settings} {draft} {kept.password_hash} {printed}"


def test_client_is_told_host_port_and_user_name(apply: Apply, terminal: Terminal) -> None:
    apply()
    urls = listed(terminal)["urls"]
    assert urls == {"host": "127.0.0.1", "port": "2222", "username": account(terminal).username}


def test_second_apply_changes_nothing(apply: Apply) -> None:
    declared = {"password": {"env": "ACME_SFTP_PASSWORD"}, "authorized_keys": [ED25519]}
    apply(**declared)
    assert apply(**declared) == ["Payroll file: unchanged"]


def test_changed_password_leaves_the_earlier_one_a_day(
    apply: Apply, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply(password={"env": "ACME_SFTP_PASSWORD"})
    monkeypatch.setenv("ACME_SFTP_PASSWORD", "another horse battery")
    assert apply(password={"env": "ACME_SFTP_PASSWORD"})[0] == "Payroll file: password changed"
    assert passwords.verify(account(terminal).password_hash, "another horse battery")
    assert passwords.verify(account(terminal).earlier_hash, "correct horse battery")


def test_declared_keys_are_the_keys(apply: Apply, terminal: Terminal) -> None:
    assert apply(authorized_keys=[ED25519])[0].endswith("key added (hr@acme)")
    assert apply(authorized_keys=[OTHER])[0] == "Payroll file: key removed (hr@acme), key added (payroll)"
    assert apply() == ["Payroll file: unchanged"]
    (integration,) = terminal.session.scalars(select(Integration))
    assert [key.name for key in accounts.keys_of(terminal.session, integration)] == ["payroll"]


def test_dry_run_keeps_nothing(apply: Apply, terminal: Terminal) -> None:
    assert "would be created" in apply("--dry-run", password={"env": "ACME_SFTP_PASSWORD"})[0]
    assert terminal.session.scalars(select(SFTPAccount)).all() == []


def test_export_knows_no_secret_and_can_be_applied(apply: Apply, terminal: Terminal) -> None:
    apply(password={"env": "ACME_SFTP_PASSWORD"}, authorized_keys=[ED25519])
    exported = terminal.run("integration", "export", "--programme", "acme")
    assert "password" not in exported
    assert "ssh-ed25519" not in exported
    assert "column: Employee ID" in exported
