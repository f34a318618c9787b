"""`flask sftp`: what opens an account, at the terminal."""

import json
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from flask.testing import FlaskCliRunner
from sqlalchemy.orm import Session

from rgapp.audit import Tag
from rgapp.cli import sftp_accounts
from rgapp.integrations.sftp import accounts, passwords
from rgapp.integrations.sftp.openpgp import NoKeyMade
from rgapp.models import AuditEvent, Integration
from tests.factories import Factory
from tests.sso.conftest import saml_settings

MAPPING = {"membership_no": {"column": "Employee ID"}, "email": {"column": "Mail"}}


@pytest.fixture
def payroll(make: Factory) -> Integration:
    """Return an integration that takes files."""
    return make.integration(make.programme("acme"), {"mapping": MAPPING}, kind="sftp", provider="sftp", name="Payroll")


@pytest.fixture
def run(runner: FlaskCliRunner, session: Session) -> Any:
    """Return a way to run `flask sftp`; what the test wrote is committed first."""

    def run(*words: str, ok: bool = True) -> str:
        session.commit()
        done = runner.invoke(args=["sftp", *words])
        session.expire_all()
        assert (done.exit_code == 0) is ok, done.output
        return done.stdout if ok else done.stderr

    return run


def test_a_new_password_is_printed_once_and_the_one_before_ends_later_or_at_once(
    session: Session, payroll: Integration, run: Any
) -> None:
    first, second = run("password", str(payroll.id)).strip(), run("password", str(payroll.id)).strip()
    account = accounts.of_integration(session, payroll)
    assert account is not None
    assert passwords.verify(account.password_hash, second)
    assert passwords.verify(account.earlier_hash, first)
    run("password", str(payroll.id), "--at-once")
    session.refresh(account)
    assert account.earlier_hash is None


def test_keys_are_added_listed_and_removed(payroll: Integration, run: Any, tmp_path: Path) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519", comment="ann@acme")
    file = tmp_path / "ann.pub"
    file.write_bytes(key.export_public_key())
    number = str(payroll.id)
    assert run("add-key", number, str(file), "--name", "Ann").strip() == key.get_fingerprint()
    assert "already, as 'Ann'" in run("add-key", number, str(file), ok=False)
    shown = json.loads(run("account", number, "--json"))
    assert (shown["port"], [each["name"] for each in shown["keys"]]) == ("2222", ["Ann"])
    assert "Ann" in run("account", number)
    run("remove-key", number, "Ann")
    assert "no such key" in run("remove-key", number, "Ann", ok=False)
    assert "There is no key yet" not in run("account", number)


def test_what_is_no_key_is_said(payroll: Integration, run: Any, tmp_path: Path) -> None:
    (tmp_path / "private").write_bytes(asyncssh.generate_private_key("ssh-ed25519").export_private_key())
    assert "private key" in run("add-key", str(payroll.id), str(tmp_path / "private"), ok=False)


def test_an_openpgp_key_is_made_once_and_its_public_half_printed(
    session: Session, payroll: Integration, run: Any, tmp_path: Path
) -> None:
    assert "--make makes one" in run("openpgp", str(payroll.id), ok=False)
    public = run("openpgp", str(payroll.id), "--make")
    assert public.startswith("-----BEGIN PGP PUBLIC KEY BLOCK-----")
    assert run("openpgp", str(payroll.id)) == run("openpgp", str(payroll.id), "--make") == public
    assert "PRIVATE" not in public
    assert [event.facts["key"] for event in session.query(AuditEvent).filter_by(tag=Tag.SFTP_KEY_ADDED)] == ["OpenPGP"]


def test_a_key_that_cannot_be_made_is_said(payroll: Integration, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: str) -> tuple[str, str]:
        raise NoKeyMade

    monkeypatch.setattr(sftp_accounts, "make_key_pair", fails)
    assert "could not be made" in run("openpgp", str(payroll.id), "--make", ok=False)


def test_other_kinds_have_no_account(make: Factory, run: Any) -> None:
    okta = make.integration(make.programme("globex"), saml_settings(""), published=False)
    assert "takes no files" in run("account", str(okta.id), ok=False)
    assert "takes no files" in run("openpgp", str(okta.id), ok=False)
