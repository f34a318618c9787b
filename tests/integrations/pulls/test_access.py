"""What opens the way is kept sealed, is given once, and is renewed without being lost."""

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select
from sqlalchemy.orm import Session

from rgapp.audit.service import COMMAND_LINE
from rgapp.integrations import service
from rgapp.integrations.pulls import access
from rgapp.integrations.pulls.access import Secrets
from rgapp.integrations.pulls.account import AccountError
from rgapp.models import AuditEvent, Integration, PullAccess
from rgapp.sealing import Sealer
from tests.conftest import NOW
from tests.factories import Factory

KEY = Secrets("api_key", {"api_key": "not-for-anybody-else"})
CONSENT = Secrets("oauth", {"client_id": "app", "client_secret": "hidden", "refresh_token": "first"})


@pytest.fixture
def integration(make: Factory) -> Integration:
    return make.integration(
        make.programme("acme"), {"mapping": {}}, name="BambooHR", kind="bamboohr", provider="bamboohr", published=False
    )


def keep(session: Session, integration: Integration, secrets: Secrets, sealer: Sealer) -> bool:
    return access.keep(session, integration, secrets, sealer=sealer, actor=COMMAND_LINE, now=NOW)


def test_it_is_kept_sealed_and_the_event_names_no_secret(
    session: Session, integration: Integration, sealer: Sealer
) -> None:
    assert keep(session, integration, KEY, sealer)
    row = session.scalars(select(PullAccess)).one()
    assert b"not-for-anybody-else" not in row.sealed
    assert access.secrets_of(row, sealer) == KEY
    event = session.scalars(select(AuditEvent).where(AuditEvent.tag == "integration:access-set")).one()
    assert event.facts == {"name": "BambooHR", "method": "api_key"}


def test_the_same_again_changes_nothing(session: Session, integration: Integration, sealer: Sealer) -> None:
    keep(session, integration, KEY, sealer)
    assert not keep(session, integration, KEY, sealer)
    assert keep(session, integration, CONSENT, sealer)


def test_a_renewed_token_is_not_put_back_by_the_one_it_came_from(
    session: Session, integration: Integration, sealer: Sealer
) -> None:
    keep(session, integration, CONSENT, sealer)
    access.renew(session, integration, sealer=sealer, instead_of="first", refresh_token="second")
    assert not keep(session, integration, CONSENT, sealer)
    found = access.secrets_of(access.of_integration(session, integration), sealer)
    assert found is not None
    assert found.values["refresh_token"] == "second"
    assert keep(session, integration, Secrets("oauth", {**CONSENT.values, "refresh_token": "another"}), sealer)


def test_a_token_of_an_earlier_consent_is_not_put_into_a_later_one(
    session: Session, integration: Integration, sealer: Sealer
) -> None:
    """A pull at work renews its token while somebody connects again, in another process."""
    keep(session, integration, CONSENT, sealer)
    session.commit()
    again = Secrets("oauth", {"client_id": "other", "client_secret": "other", "refresh_token": "of-another-consent"})
    with Session(session.get_bind()) as elsewhere:
        keep(elsewhere, elsewhere.get_one(Integration, (integration.programme_id, integration.id)), again, sealer)
        elsewhere.commit()
    access.renew(session, integration, sealer=sealer, instead_of="first", refresh_token="second")
    session.commit()
    assert access.secrets_of(access.as_it_is(session, integration), sealer) == again


def test_a_problem_is_known_since_it_began_and_is_over_once_we_get_in(
    session: Session, integration: Integration, sealer: Sealer
) -> None:
    keep(session, integration, KEY, sealer)
    row = access.of_integration(session, integration)
    assert row is not None
    access.note_bad(session, integration, AccountError("wrong_key", "The key opens nothing."), now=NOW)
    later = NOW.replace(year=NOW.year + 1)
    access.note_bad(session, integration, AccountError("wrong_key", "The key opens nothing."), now=later)
    assert (row.problem, row.sentence, row.problem_since) == ("wrong_key", "The key opens nothing.", NOW)
    access.note_good(session, integration, now=later)
    assert (row.problem, row.problem_since, row.checked_at) == ("", None, later)


def test_what_no_key_opens_any_more_is_as_if_it_were_not_there(
    session: Session, integration: Integration, sealer: Sealer
) -> None:
    keep(session, integration, KEY, sealer)
    other = Sealer([Fernet.generate_key().decode()])
    assert access.secrets_of(access.of_integration(session, integration), other) is None
    access.renew(session, integration, sealer=other, instead_of="first", refresh_token="x")
    assert keep(session, integration, KEY, other)
    assert access.secrets_of(access.of_integration(session, integration), other) == KEY


def test_it_goes_with_its_draft(session: Session, integration: Integration, sealer: Sealer) -> None:
    keep(session, integration, KEY, sealer)
    assert service.discard(session, integration, actor=COMMAND_LINE, now=NOW)
    assert session.scalars(select(PullAccess)).all() == []
