"""SFTP accounts: one for an integration, a password that changes without a gap, keys by name, and what opens it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import asyncssh
import pytest
from sqlalchemy.orm import Session

from rgapp.integrations import service
from rgapp.integrations.sftp import accounts, passwords
from rgapp.integrations.sftp.accounts import KeyKnown, TooManyKeys
from rgapp.integrations.sftp.credentials import key_with, note_sign_in, opening
from rgapp.integrations.sftp.passwords import PasswordProblem, PasswordRejected, new_password
from rgapp.integrations.sftp.public_keys import PublicKey, read_public_key
from rgapp.models import AuditEvent, Integration, SFTPAccount
from tests.conftest import NOW
from tests.provisioning.conftest import ACTOR

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def account(session: Session, integration: Integration) -> SFTPAccount:
    """Return the integration's account."""
    return accounts.ensure(session, integration, actor=ACTOR, now=NOW)


def key() -> PublicKey:
    """Make a public key."""
    made = asyncssh.generate_private_key("ssh-ed25519", comment="ann@acme")
    return read_public_key(made.export_public_key().decode())


def set_password(session: Session, integration: Integration, text: str, **options: Any) -> None:
    """Set a password."""
    hashed = new_password(text, username="")
    accounts.set_password(session, integration, hashed, **{"actor": ACTOR, "now": NOW} | options)


def opens(session: Session, account: SFTPAccount, text: str, *, now: Any = NOW) -> bool:
    """Tell whether a password opens the account."""
    found = opening(session, account.username, now=now)
    return found is not None and any(passwords.verify(each, text) for each in found.password_hashes)


def tags(session: Session) -> list[str]:
    """Return the events of the account, in order."""
    found = session.query(AuditEvent).order_by(AuditEvent.id).all()
    return [
        event.tag for event in found if event.tag.startswith(("integration:acc", "integration:pass", "integration:key"))
    ]


def test_an_account_is_made_once(session: Session, integration: Integration, account: SFTPAccount) -> None:
    assert account.username.startswith("acme-")
    assert accounts.ensure(session, integration, actor=ACTOR, now=LATER) is account
    assert tags(session) == ["integration:account-created"]


def test_a_user_name_fits_into_what_systems_allow() -> None:
    assert len(accounts.new_username("a-very-long-name-of-a-programme-indeed")) <= 32


def test_two_who_make_it_at_once_get_the_same(
    session: Session, integration: Integration, account: SFTPAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = iter([None, account])
    monkeypatch.setattr(accounts, "of_integration", lambda *_: next(looks))
    session.expunge(account)
    assert accounts.ensure(session, integration, actor=ACTOR, now=NOW) is account
    assert len(tags(session)) == 1


def test_the_earlier_password_works_beside_the_new_one_for_a_day(
    session: Session, integration: Integration, account: SFTPAccount
) -> None:
    set_password(session, integration, "the first one")
    set_password(session, integration, "the second one", now=LATER)
    assert opens(session, account, "the first one", now=LATER)
    assert opens(session, account, "the second one", now=LATER)
    assert not opens(session, account, "the first one", now=LATER + accounts.OVERLAP)
    assert tags(session)[1:] == ["integration:password-set"] * 2


def test_the_earlier_password_can_be_ended_at_once(
    session: Session, integration: Integration, account: SFTPAccount
) -> None:
    set_password(session, integration, "the first one")
    set_password(session, integration, "the second one")
    assert accounts.end_earlier_password(session, integration, actor=ACTOR, now=NOW)
    assert not opens(session, account, "the first one")
    assert not accounts.end_earlier_password(session, integration, actor=ACTOR, now=NOW)
    set_password(session, integration, "the third one", overlap=timedelta(0))
    assert not opens(session, account, "the second one")


def test_without_a_password_none_opens_the_account(
    session: Session, integration: Integration, account: SFTPAccount
) -> None:
    assert not accounts.remove_password(session, integration, actor=ACTOR, now=NOW)
    set_password(session, integration, "the first one")
    assert accounts.remove_password(session, integration, actor=ACTOR, now=NOW)
    assert not opens(session, account, "the first one")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("short", PasswordProblem.TOO_SHORT),
        ("x" * 201, PasswordProblem.TOO_LONG),
        ("a tab\tin here", PasswordProblem.HIDDEN_CHARACTERS),
        ("x-ACME-7k2m9q-x", PasswordProblem.USERNAME),
    ],
)
def test_a_password_that_breaks_a_rule_is_refused(text: str, problem: PasswordProblem) -> None:
    with pytest.raises(PasswordRejected) as refused:
        new_password(text, username="acme-7k2m9q")
    assert refused.value.problem is problem


def test_a_password_is_known_in_each_form_of_its_letters() -> None:
    hashed = new_password("cafe\u0301 au\u00a0lait", username="").hashed
    assert passwords.verify(hashed, "caf\u00e9 au lait")


def test_what_we_make_is_taken() -> None:
    assert new_password(passwords.make_password(), username="acme-7k2m9q")


def test_a_key_is_named_by_its_comment_and_added_once(session: Session, integration: Integration) -> None:
    added = key()
    row = accounts.add_key(session, integration, added, actor=ACTOR, now=NOW)
    assert row.name == "ann@acme"
    with pytest.raises(KeyKnown, match="ann@acme"):
        accounts.add_key(session, integration, added, actor=ACTOR, now=NOW)
    assert accounts.remove_key(session, integration, row.id, actor=ACTOR, now=NOW)
    assert not accounts.remove_key(session, integration, row.id, actor=ACTOR, now=NOW)
    assert tags(session)[1:] == ["integration:key-added", "integration:key-removed"]


def test_an_account_has_not_more_keys_than_it_may(
    session: Session, integration: Integration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "MOST_KEYS", 1)
    accounts.add_key(session, integration, key(), actor=ACTOR, now=NOW)
    with pytest.raises(TooManyKeys):
        accounts.add_key(session, integration, key(), actor=ACTOR, now=NOW)


def test_a_good_sign_in_leaves_its_time_its_key_and_its_address(
    session: Session, integration: Integration, account: SFTPAccount
) -> None:
    row = accounts.add_key(session, integration, key(), actor=ACTOR, now=NOW)
    found = opening(session, account.username, now=NOW)
    assert found is not None
    assert key_with(session, found, row.fingerprint) == row.public_key
    for number in range(7):
        note_sign_in(session, found, address=f"10.0.0.{number}", fingerprint=row.fingerprint, now=LATER)
    session.refresh(row)
    assert (row.last_used_at, account.last_sign_in_at, account.password_used_at) == (LATER, LATER, None)
    assert account.known_from == [f"10.0.0.{number}" for number in (6, 5, 4, 3, 2)]
    note_sign_in(session, found, address="10.0.0.3", now=NOW)
    assert account.known_from[0] == "10.0.0.3"
    assert account.password_used_at == NOW


@pytest.mark.parametrize("username", ["", "nobody-123456", "x" * 33, "acme-é"])
def test_a_name_of_nobody_opens_nothing(session: Session, integration: Integration, username: str) -> None:
    assert opening(session, username, now=NOW) is None


def test_an_account_is_shut_while_its_integration_is_switched_off(
    session: Session, integration: Integration, account: SFTPAccount
) -> None:
    asked: Callable[[], bool] = lambda: opening(session, account.username, now=NOW) is not None  # noqa: E731
    assert asked()  # A draft's first file is the example.
    service.publish(session, integration, actor=ACTOR, now=NOW, without_test=True)
    assert asked()
    service.set_enabled(session, integration, False, actor=ACTOR, now=NOW)
    assert not asked()
