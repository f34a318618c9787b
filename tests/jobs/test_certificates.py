"""Certificate alerts: in time, to those who can act, once at each threshold."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from rgapp.integrations import service
from rgapp.jobs.certificates import certificate_alerts, newest_certificate
from rgapp.mail.sender import Delivery, deliver_due
from rgapp.models import Integration, OutboxMail, Programme, Role
from tests.conftest import NOW
from tests.factories import Factory
from tests.jobs.certificates import certificate
from tests.mail.test_outbox import Post
from tests.provisioning.conftest import ACTOR
from tests.sso.conftest import saml_settings

BASE_URL = "https://rewards.example"


def settings_with(*pems: str) -> dict[str, Any]:
    """Return complete settings with these certificates."""
    settings = saml_settings(pems[0])
    settings["idp"]["certificates"] = list(pems)
    return settings


@pytest.fixture
def acme(make: Factory) -> Programme:
    """Return a programme with one admin."""
    programme = make.programme("acme", name="Acme Rewards")
    make.staff(programme, email="ann@acme.example")
    return programme


def connect(make: Factory, programme: Programme, *days: int, **options: Any) -> Integration:
    """Make a connection whose certificates last these numbers of days."""
    pems = [certificate(NOW + timedelta(days=each, hours=1)) for each in days]
    integration = make.integration(programme, settings_with(*pems), **options)
    make.session.commit()
    return integration


def run(session: Session, days: int = 0) -> list[str]:
    """Run the job some days later; returns who got a mail then."""
    before = set(session.scalars(select(OutboxMail.id)))
    count = certificate_alerts(session, base_url=BASE_URL, now=NOW + timedelta(days=days))
    written = [mail for mail in session.scalars(select(OutboxMail)) if mail.id not in before]
    assert count == len(written)
    return sorted(mail.recipient for mail in written)


def test_one_mail_at_30_days_and_one_at_7(session: Session, make: Factory, acme: Programme) -> None:
    connect(make, acme, 40)
    told = [day for day in range(45) if run(session, day)]
    assert told == [10, 33]


def test_an_expired_certificate_noticed_late_is_one_mail(session: Session, make: Factory, acme: Programme) -> None:
    connect(make, acme, -3)
    assert [run(session, day) for day in (0, 1)] == [["ann@acme.example"], []]


def test_the_newest_certificate_counts(session: Session, make: Factory, acme: Programme) -> None:
    connect(make, acme, 3, 300)
    assert run(session) == []


def test_a_new_certificate_is_told_about_anew(session: Session, make: Factory, acme: Programme) -> None:
    integration = connect(make, acme, 5)
    assert run(session) == ["ann@acme.example"]
    idp = settings_with(certificate(NOW + timedelta(days=6)))["idp"]
    service.save_draft(session, integration, actor=ACTOR, now=NOW, idp=idp)
    service.publish(session, integration, actor=ACTOR, now=NOW, without_test=True)
    assert run(session) == ["ann@acme.example"]


@pytest.mark.parametrize("state", ["draft", "paused"])
def test_what_is_not_live_locks_nobody_out(session: Session, make: Factory, acme: Programme, state: str) -> None:
    integration = connect(make, acme, 5, published=state != "draft")
    service.set_enabled(session, integration, False, actor=ACTOR, now=NOW)
    assert run(session) == []


def test_only_active_admins_of_this_programme_are_told(session: Session, make: Factory, acme: Programme) -> None:
    make.staff(acme, email="second@acme.example")
    make.staff(acme, email="gone@acme.example").deactivated_at = NOW
    make.staff(make.programme("globex"), email="other@globex.example")
    make.staff(role=Role.OPERATOR, email="operator@rewards.example")
    connect(make, acme, 5)
    assert run(session) == ["ann@acme.example", "second@acme.example"]


def test_the_mail_says_which_day_in_the_programmes_zone_and_leads_to_the_set_up(
    session: Session, make: Factory, acme: Programme
) -> None:
    acme.timezone = "Pacific/Auckland"
    connect(make, acme, 5)
    run(session)
    post = Post()
    assert deliver_due(session, Delivery(post, BASE_URL, "rewards@rewards.example"), now=NOW) == 1
    body = post.sent[0].get_body(("plain",))
    assert body is not None
    text = body.get_content()
    assert "8 May 2026" in text
    assert f"{BASE_URL}/manager/acme/integrations/" in text


def test_settings_without_a_readable_certificate_have_no_newest() -> None:
    assert newest_certificate({}) is None
    assert newest_certificate({"idp": {"certificates": ["nonsense"]}}) is None


def test_a_connection_without_a_readable_certificate_is_passed_over(
    session: Session, make: Factory, acme: Programme, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(make, acme, 5)
    monkeypatch.setattr("rgapp.jobs.certificates.newest_certificate", lambda _: None)
    assert run(session) == []


def test_whoever_is_second_writes_nothing(session: Session, make: Factory, acme: Programme) -> None:
    """The unique key decides, not a look before the insert."""
    connect(make, acme, 5)
    assert run(session) == ["ann@acme.example"]
    assert run(session) == []
