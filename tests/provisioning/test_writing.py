"""What is written: exactly one event, at most one mail, sources of fields, sessions that end, and races."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from rgapp.auth.users import open_session
from rgapp.extensions import db
from rgapp.models import AuditEvent, OutboxMail, User, UserSession, UserStatus
from rgapp.provisioning import (
    OutcomeKind,
    Policy,
    ProvisioningConflict,
    Refusal,
    Source,
    deactivate,
    matching,
    provision,
    reactivate,
    service,
)
from tests.conftest import NOW
from tests.provisioning.conftest import ACTOR, Bench, reading_of


def test_each_change_has_exactly_one_event_and_no_change_has_none(bench: Bench) -> None:
    bench.take()
    bench.take()
    bench.take(reading_of(first_name="Janet", last_name="Baker"))
    bench.take(reading_of(membership_no="E2"))
    bench.take(reading_of(active=False))
    bench.take(reading_of(active=False))
    bench.take(reading_of(active=True))
    assert bench.tags() == ["user:created", "user:updated", "user:deactivated", "user:reactivated"]


def test_an_event_tells_what_changed_and_by_whom(bench: Bench) -> None:
    bench.take()
    bench.take(reading_of(date_of_birth="1991-04-03"))
    event = bench.session.scalars(select(AuditEvent).where(AuditEvent.tag == "user:updated")).one()
    assert event.facts == {
        "source": "scim",
        "via": "Entra",
        "changes": [{"field": "date_of_birth", "before": "1990-04-03", "after": "1991-04-03"}],
    }
    assert (event.actor_label, event.at, event.user_id) == ("a test", NOW, bench.user().id)


def test_the_event_of_a_creation_lists_the_gaps(bench: Bench) -> None:
    bench.take(reading_of(first_name=None))
    event = bench.session.scalars(select(AuditEvent).where(AuditEvent.tag == "user:created")).one()
    assert event.facts["missing"] == {"first_name": "missing"}


@pytest.mark.parametrize(("welcome", "count"), [(True, 1), (False, 0)])
def test_at_most_one_mail_follows_and_only_from_a_creation(bench: Bench, welcome: bool, count: int) -> None:
    policy = bench.policy(welcome_email=welcome)
    for active in (True, True, False, True):
        bench.take(reading_of(active=active), policy)
    assert [mail.kind for mail in bench.mails()] == ["welcome"] * count


def test_the_mail_is_in_the_users_transaction(bench: Bench) -> None:
    bench.session.commit()
    bench.take()
    bench.session.rollback()
    assert (bench.users(), bench.mails()) == ([], [])


def test_each_field_remembers_which_source_gave_it(bench: Bench) -> None:
    directory = bench.directory(owner=False)
    bench.take(reading_of(date_of_birth=None))
    bench.take(policy=bench.policy(Source.SFTP, name="Payroll", integration_id=directory.id))
    sources = bench.user().field_sources
    assert sources["email"] == {
        "source": "scim",
        "name": "Entra",
        "integration_id": None,
        "at": NOW.isoformat(),
    }
    assert sources["date_of_birth"]["integration_id"] == str(directory.id)
    assert bench.user().source == "scim"


def test_deactivating_ends_every_session(bench: Bench) -> None:
    bench.take()
    for _ in range(2):
        open_session(bench.session, bench.programme.id, bench.user().id, user_agent="a test", now=NOW)
    bench.take(reading_of(active=False))
    assert bench.session.scalars(select(UserSession)).all() == []
    assert bench.user().deactivated_at == NOW


def test_deactivating_and_reactivating_by_hand(bench: Bench) -> None:
    bench.take()
    user = bench.user()
    done = [
        deactivate(bench.session, user, ACTOR, now=NOW, reason="left"),
        deactivate(bench.session, user, ACTOR, now=NOW),
        reactivate(bench.session, user, ACTOR, now=NOW),
        reactivate(bench.session, user, ACTOR, now=NOW),
    ]
    assert done == [True, False, True, False]
    assert (user.status, user.deactivated_at) == (UserStatus.ACTIVE, None)
    assert bench.tags() == ["user:created", "user:deactivated", "user:reactivated"]


def test_a_reactivation_keeps_the_account_and_takes_the_changes(bench: Bench, leaver: Callable[..., User]) -> None:
    gone = leaver()
    outcome = bench.take(reading_of(active=True, last_name="Baker"))
    assert (outcome.kind, outcome.user_id) == (OutcomeKind.REACTIVATED, gone.id)
    assert (gone.last_name, gone.status, gone.deactivated_at) == ("Baker", UserStatus.ACTIVE, None)


def test_whoever_loses_the_race_goes_on_with_the_winners_account(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other sign-in inserts between our look and our insert."""
    really_find = matching.find
    looks: list[int] = []

    def find_late(*args: Any, **kwargs: Any) -> matching.Match:
        found = really_find(*args, **kwargs)
        looks.append(1)
        if len(looks) == 1:
            bench.take()
        return found

    monkeypatch.setattr(matching, "find", find_late)
    outcome = bench.take()
    assert outcome.kind is OutcomeKind.UNCHANGED
    assert (len(bench.users()), len(bench.mails()), bench.tags()) == (1, 1, ["user:created"])


def test_who_leaves_while_she_signs_in_is_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """She is deactivated between our look and the session."""
    bench.take()
    really_find = matching.find

    def find_then_leave(*args: Any, **kwargs: Any) -> matching.Match:
        found = really_find(*args, **kwargs)
        deactivate(bench.session, bench.user(), ACTOR, now=NOW)
        return found

    monkeypatch.setattr(matching, "find", find_then_leave)
    outcome = bench.take(signs_in=True)
    assert (outcome.kind, outcome.refusal) == (OutcomeKind.REJECTED, Refusal.LEAVER)
    assert bench.user().last_sign_in_at is None


def test_losing_again_and_again_ends_in_a_named_error(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "_insert", lambda *_: None)
    with pytest.raises(ProvisioningConflict):
        bench.take()


def test_two_sessions_on_one_file_make_one_account(app: Flask, bench: Bench, other_session: Callable[[], Any]) -> None:
    policy, programme_id = bench.policy(), bench.programme.id
    bench.session.commit()
    kinds = []
    for _ in range(2):
        with other_session() as session:
            kinds.append(provision(session, programme_id, reading_of(), policy, ACTOR, now=NOW).kind)
            session.commit()
    assert kinds == [OutcomeKind.CREATED, OutcomeKind.UNCHANGED]


def test_many_first_sign_ins_at_once_make_one_account_and_one_mail(app: Flask, bench: Bench) -> None:
    programme_id, policy = bench.programme.id, bench.policy()
    bench.session.commit()
    start, outcomes, errors = threading.Barrier(6), [], []

    def sign_in(policy: Policy = policy) -> None:
        with app.app_context(), Session(db.engine) as session:
            start.wait()
            try:
                outcomes.append(provision(session, programme_id, reading_of(), policy, ACTOR, now=NOW))
                session.commit()
            except Exception as error:
                errors.append(error)

    threads = [threading.Thread(target=sign_in) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sorted(outcome.kind for outcome in outcomes) == ["created"] + ["unchanged"] * 5
    assert len({outcome.user_id for outcome in outcomes}) == 1
    assert len(bench.session.scalars(select(OutboxMail)).all()) == 1
