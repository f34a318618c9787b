"""Bearer tokens: what opens something, for which programme, and until when."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from rgapp.integrations.scim import tokens
from rgapp.integrations.scim.settings import DEFAULT_MAPPING
from rgapp.integrations.scim.tokens import TokenState, TooManyTokens
from rgapp.models import AuditEvent, Integration, Programme, SCIMToken
from tests.conftest import NOW
from tests.factories import Factory
from tests.provisioning.conftest import ACTOR


@pytest.fixture
def acme(make: Factory) -> Programme:
    """Return the programme acme."""
    return make.programme("acme")


@pytest.fixture
def entra(make: Factory, acme: Programme) -> Integration:
    """Return a live SCIM integration."""
    return make.integration(acme, {"mapping": DEFAULT_MAPPING}, kind="scim", provider="scim", name="Entra")


def issue(session: Session, integration: Integration, **options: object) -> tuple[SCIMToken, str]:
    return tokens.issue(session, integration, actor=ACTOR, now=NOW, **options)  # type: ignore[arg-type]


def test_a_token_opens_its_own_integration(session: Session, entra: Integration) -> None:
    row, token = issue(session, entra)
    bearer = tokens.authenticate(session, entra.programme_id, token, now=NOW)
    assert bearer is not None
    assert (bearer.integration_id, bearer.token_id, bearer.hint) == (entra.id, row.id, token[-4:])


def test_a_token_opens_no_other_programme(session: Session, entra: Integration, make: Factory) -> None:
    _, token = issue(session, entra)
    assert tokens.authenticate(session, make.programme("globex").id, token, now=NOW) is None


@pytest.mark.parametrize("presented", ["", "nonsense", "x" * 5000, "é" * 10, "\0"])
def test_anything_else_opens_nothing(session: Session, entra: Integration, presented: str) -> None:
    issue(session, entra)
    assert tokens.authenticate(session, entra.programme_id, presented, now=NOW) is None


def test_a_token_ends_at_its_time(session: Session, entra: Integration) -> None:
    row, token = issue(session, entra, lifetime=timedelta(days=1))
    last = NOW + timedelta(days=1) - timedelta(seconds=1)
    assert tokens.authenticate(session, entra.programme_id, token, now=last) is not None
    assert tokens.authenticate(session, entra.programme_id, token, now=NOW + timedelta(days=1)) is None
    assert tokens.state_of(row, NOW + timedelta(days=1)) is TokenState.EXPIRED


def test_a_revoked_token_opens_nothing(session: Session, entra: Integration) -> None:
    row, token = issue(session, entra)
    assert tokens.revoke(session, entra, row.id, actor=ACTOR, now=NOW)
    assert not tokens.revoke(session, entra, row.id, actor=ACTOR, now=NOW)
    assert tokens.authenticate(session, entra.programme_id, token, now=NOW) is None


def test_a_token_of_another_integration_is_not_revoked(
    session: Session, entra: Integration, make: Factory, acme: Programme
) -> None:
    okta = make.integration(acme, {"mapping": DEFAULT_MAPPING}, kind="scim", provider="scim", name="Okta")
    row, _ = issue(session, entra)
    assert not tokens.revoke(session, okta, row.id, actor=ACTOR, now=NOW)


def test_two_are_alive_at_once_and_no_third(session: Session, entra: Integration) -> None:
    first, _ = issue(session, entra)
    issue(session, entra, lifetime=None)
    with pytest.raises(TooManyTokens):
        issue(session, entra)
    tokens.revoke(session, entra, first.id, actor=ACTOR, now=NOW)
    issue(session, entra)


def test_one_that_has_expired_makes_room(session: Session, entra: Integration) -> None:
    issue(session, entra, lifetime=timedelta(days=1))
    issue(session, entra, lifetime=timedelta(days=1))
    tokens.issue(session, entra, actor=ACTOR, now=NOW + timedelta(days=2))


def test_use_is_noted_once_a_minute(session: Session, entra: Integration) -> None:
    row, token = issue(session, entra)
    bearer = tokens.authenticate(session, entra.programme_id, token, now=NOW)
    assert bearer is not None
    for seconds, noted in ((0, 0), (59, 0), (61, 61)):
        tokens.note_use(session, bearer, now=NOW + timedelta(seconds=seconds))
        session.refresh(row)
        assert row.last_used_at == NOW + timedelta(seconds=noted)


def test_events_name_the_last_characters_and_never_the_token(session: Session, entra: Integration) -> None:
    row, token = issue(session, entra, label="rotation  of May")
    tokens.revoke(session, entra, row.id, actor=ACTOR, now=NOW)
    events = [event for event in session.query(AuditEvent) if "token" in event.tag]
    assert [event.tag for event in events] == ["integration:token-issued", "integration:token-revoked"]
    assert all(event.facts["token"] == token[-4:] for event in events)
    assert token not in str([event.facts for event in events])
    assert row.label == "rotation of May"
