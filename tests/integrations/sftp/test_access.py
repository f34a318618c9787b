"""What a declarative file says of an account: brought about once, with every problem named, and never exported."""

from pathlib import Path
from typing import Any

import asyncssh
import pytest
from sqlalchemy.orm import Session

from rgapp.extensions import sealer
from rgapp.integrations import applying, declared, service
from rgapp.integrations.base import DeclaredContext, SettingsError
from rgapp.integrations.registry import kind_of
from rgapp.integrations.sftp import accounts, passwords
from rgapp.models import Integration, IntegrationVersion, Programme, SFTPAccount
from tests.conftest import NOW
from tests.factories import Factory
from tests.provisioning.conftest import ACTOR

MAPPING = {"membership_no": {"column": "Employee ID"}, "email": {"column": "Mail"}}


@pytest.fixture
def acme(make: Factory) -> Programme:
    """Return a programme."""
    return make.programme("acme")


@pytest.fixture
def apply(session: Session, acme: Programme, tmp_path: Path) -> Any:
    """Return a way to apply an SFTP integration with these keys; returns what was done."""

    def run(**keys: Any) -> list[str]:
        entry = {"kind": "sftp", "name": "Payroll file", "published": True, "mapping": MAPPING} | keys
        environment = {"PASSWORD": "a long enough password", "OTHER": "another long password", "NAME": ""}
        context = DeclaredContext(tmp_path, acme, NOW, environment)
        declaration = declared.check(session, {"programme": "acme", "integrations": [entry]}, context)
        (done,) = applying.apply(session, declaration, sealer=sealer(), actor=ACTOR, now=NOW)
        return list(done.actions)

    return run


def found(session: Session, acme: Programme) -> tuple[Integration, SFTPAccount]:
    """Return the integration and its account."""
    integration = service.by_name(session, acme, "Payroll file")
    assert integration is not None
    account = accounts.of_integration(session, integration)
    assert account is not None
    return integration, account


def key(comment: str = "ann@acme") -> str:
    """Make a public key."""
    return asyncssh.generate_private_key("ssh-ed25519", comment=comment).export_public_key().decode()


def test_a_password_from_the_environment_is_set_once_and_kept_hashed(
    session: Session, acme: Programme, apply: Any
) -> None:
    assert apply(password={"env": "PASSWORD"}) == ["created", "published as version 1", "password set"]
    assert apply(password={"env": "PASSWORD"}) == []
    integration, account = found(session, acme)
    assert passwords.verify(account.password_hash, "a long enough password")
    assert apply() == []
    assert apply(password={"env": "OTHER"}) == ["password changed"]
    versions = session.query(IntegrationVersion).all()
    assert "long" not in str([integration.draft, *(version.settings for version in versions)])
    text, _ = applying.export(session, acme, [integration])
    assert "password" not in text


def test_keys_are_exactly_those_that_are_declared(
    session: Session, acme: Programme, apply: Any, tmp_path: Path
) -> None:
    (tmp_path / "bob.pub").write_text(key("bob@acme"))
    ann = key()
    assert apply(authorized_keys=[ann, "bob.pub", ann])[2:] == ["key added (ann@acme)", "key added (bob@acme)"]
    assert apply(authorized_keys=[ann, "bob.pub"]) == []
    assert apply(authorized_keys=["bob.pub"]) == ["key removed (ann@acme)"]
    assert apply() == []
    assert apply(authorized_keys=[]) == ["key removed (bob@acme)"]


def test_password_and_keys_may_both_be_set(session: Session, apply: Any) -> None:
    assert apply(password={"env": "PASSWORD"}, authorized_keys=[key()])[2:] == ["password set", "key added (ann@acme)"]


@pytest.mark.parametrize(
    ("keys", "path"),
    [
        ({"password": {"env": "MISSING"}}, "integrations[0].password"),
        ({"password": "short"}, "integrations[0].password"),
        ({"password": 12345678}, "integrations[0].password"),
        ({"authorized_keys": "ssh-ed25519 AAAA"}, "integrations[0].authorized_keys"),
        ({"authorized_keys": ["nobody.pub"]}, "integrations[0].authorized_keys[0]"),
        ({"authorized_keys": ["../../etc/hostname"]}, "integrations[0].authorized_keys[0]"),
        ({"passwort": "a long enough password"}, "integrations[0].passwort"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_written(
    session: Session, acme: Programme, apply: Any, keys: dict[str, Any], path: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        apply(**keys)
    assert path in {problem.path for problem in refused.value.problems}
    assert service.by_name(session, acme, "Payroll file") is None


def test_a_password_with_the_user_name_in_it_is_refused(session: Session, acme: Programme, apply: Any) -> None:
    apply()
    _, account = found(session, acme)
    with pytest.raises(SettingsError):
        apply(password=f"my-{account.username}")


def test_clients_are_given_host_port_and_user_name(session: Session, acme: Programme, apply: Any) -> None:
    apply()
    integration, account = found(session, acme)
    urls = kind_of("sftp").urls(integration, "http://127.0.0.1:8000")
    assert urls == {"host": "127.0.0.1", "port": "2222", "username": account.username}


def test_a_draft_that_is_discarded_takes_its_account_along(session: Session, make: Factory, acme: Programme) -> None:
    draft = make.integration(acme, {"mapping": {}}, kind="sftp", provider="sftp", name="Draft", published=False)
    accounts.set_password(session, draft, passwords.new_password("a long password", username=""), actor=ACTOR, now=NOW)
    assert service.discard(session, draft, actor=ACTOR, now=NOW)
    assert session.query(SFTPAccount).count() == 0
