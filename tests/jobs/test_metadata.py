"""Metadata refresh: the list of certificates is followed, carefully, and nothing else."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from rgapp.demo.responses import idp_metadata
from rgapp.integrations import service
from rgapp.integrations.saml.fetch import FetchError
from rgapp.jobs.metadata import refresh_metadata
from rgapp.models import AuditEvent, Integration, IntegrationVersion
from tests.conftest import NOW
from tests.factories import Factory
from tests.jobs.certificates import certificate
from tests.provisioning.conftest import ACTOR
from tests.sso.conftest import IDP_ENTITY_ID, SSO_URL, saml_settings

URL = "https://idp.example/metadata"
OLD, NEW = (certificate(NOW + timedelta(days=days), not_before=NOW - timedelta(days=1)) for days in (20, 400))
EXPIRED = certificate(NOW - timedelta(days=1))


@pytest.fixture
def integration(make: Factory) -> Integration:
    """Return a live connection that trusts the old certificate and knows its metadata's address."""
    settings = saml_settings(OLD)
    settings["idp"]["metadata_url"] = URL
    made = make.integration(make.programme("acme"), settings)
    make.session.commit()
    return made


def publishing(*pems: str, **changes: Any) -> Callable[[str], bytes]:
    """Return a fetch that finds metadata with these certificates."""
    said: dict[str, Any] = {"entity_id": IDP_ENTITY_ID, "sso_url": SSO_URL, "certificates": pems}

    def fetch(url: str) -> bytes:
        assert url == URL
        return idp_metadata(**(said | changes))

    return fetch


def live(session: Session, integration: Integration) -> list[str]:
    """Return the certificates that are live."""
    found = service.live_settings(session, integration)
    assert found is not None
    pems: list[str] = found["idp"]["certificates"]
    return pems


def test_a_new_certificate_is_added_while_the_old_one_is_published(session: Session, integration: Integration) -> None:
    assert refresh_metadata(session, publishing(OLD, NEW), now=NOW) == 1
    assert (live(session, integration), integration.live_version) == ([OLD, NEW], 2)
    event = session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc())).first()
    assert event is not None
    assert (event.tag, event.actor_kind, event.facts["why"]) == ("integration:published", "system", "metadata")
    assert (len(event.facts["certificates_added"]), event.facts["certificates_removed"]) == (1, [])


def test_the_old_one_goes_when_it_is_withdrawn(session: Session, integration: Integration) -> None:
    refresh_metadata(session, publishing(OLD, NEW), now=NOW)
    assert refresh_metadata(session, publishing(NEW), now=NOW + timedelta(days=1)) == 1
    assert live(session, integration) == [NEW]


@pytest.mark.parametrize("pems", [(OLD,), (OLD, OLD)])
def test_the_same_list_changes_nothing(session: Session, integration: Integration, pems: tuple[str, ...]) -> None:
    assert refresh_metadata(session, publishing(*pems), now=NOW) == 0
    assert integration.live_version == 1


@pytest.mark.parametrize(
    "fetch",
    [
        publishing(NEW, entity_id="https://somebody.else/saml"),
        publishing(EXPIRED),
        publishing(),
        lambda _: b"<html>maintenance</html>",
        lambda _: b"",
    ],
)
def test_what_is_not_their_sound_metadata_changes_nothing(
    session: Session, integration: Integration, fetch: Callable[[str], bytes]
) -> None:
    assert refresh_metadata(session, fetch, now=NOW) == 0
    assert live(session, integration) == [OLD]


def test_an_address_that_cannot_be_fetched_holds_up_no_other(
    session: Session, integration: Integration, make: Factory
) -> None:
    settings = saml_settings(OLD)
    settings["idp"]["metadata_url"] = URL
    second = make.integration(make.programme("globex"), settings)
    session.commit()
    calls: list[str] = []

    def fetch(url: str) -> bytes:
        calls.append(url)
        if len(calls) == 1:
            raise FetchError("timeout")
        return publishing(NEW)(url)

    assert refresh_metadata(session, fetch, now=NOW) == 1
    assert sorted([live(session, integration), live(session, second)]) == sorted([[OLD], [NEW]])


def test_nothing_but_the_certificates_is_taken(session: Session, integration: Integration) -> None:
    refresh_metadata(session, publishing(NEW, sso_url="https://moved.example/sso"), now=NOW)
    settings = service.live_settings(session, integration)
    assert settings is not None
    assert (settings["idp"]["sso_url"], settings["idp"]["certificates"]) == (SSO_URL, [NEW])


def test_a_draft_that_nobody_changed_follows(session: Session, integration: Integration) -> None:
    service.note_test(session, integration, passed=True, tested=integration.draft)
    refresh_metadata(session, publishing(NEW), now=NOW)
    assert integration.draft["idp"]["certificates"] == [NEW]
    assert service.is_tested(integration)


def test_a_draft_that_somebody_works_on_is_theirs(session: Session, integration: Integration) -> None:
    service.save_draft(session, integration, actor=ACTOR, now=NOW, signed="response")
    session.commit()
    refresh_metadata(session, publishing(NEW), now=NOW)
    assert (integration.draft["signed"], integration.draft["idp"]["certificates"]) == ("response", [OLD])
    found = service.live_settings(session, integration)
    assert found is not None
    assert (found["signed"], found["idp"]["certificates"]) == ("assertion", [NEW])


@pytest.mark.parametrize("state", ["paused", "without address"])
def test_others_are_not_asked(session: Session, integration: Integration, make: Factory, state: str) -> None:
    service.set_enabled(session, integration, False, actor=ACTOR, now=NOW)
    if state == "without address":
        make.integration(make.programme("globex"), saml_settings(OLD))
    session.commit()
    assert refresh_metadata(session, publishing(NEW), now=NOW) == 0


def test_what_an_admin_publishes_meanwhile_counts(session: Session, integration: Integration) -> None:
    def fetch(url: str) -> bytes:
        service.publish(session, integration, actor=ACTOR, now=NOW, without_test=True)
        session.commit()
        return publishing(NEW)(url)

    assert refresh_metadata(session, fetch, now=NOW) == 0
    assert len(session.scalars(select(IntegrationVersion)).all()) == 2


def test_too_many_certificates_are_not_taken(session: Session, integration: Integration) -> None:
    many = [certificate(NOW + timedelta(days=100 + each)) for each in range(11)]
    assert refresh_metadata(session, publishing(*many), now=NOW) == 0
    assert live(session, integration) == [OLD]
