"""What directory integrations may do beyond a sign-in: own fields, name people early, and be watched by the guard."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select

from rgapp.mail.outbox import MailKind
from rgapp.models import Alert, AuditEvent, Deactivation, OutboxMail, UserStatus
from rgapp.models.base import new_id
from rgapp.provisioning import Field, OutcomeKind, Policy, Refusal, Source, guard, hand_policy, scim_policy
from rgapp.provisioning.guard import Limit
from rgapp.provisioning.ownership import owned_fields
from tests.provisioning.conftest import ACTOR, Bench, reading_of


def owning(bench: Bench, *, whole: bool = True, name: str = "Entra", **may: bool) -> Policy:
    """Return the policy of a SCIM integration that is the Provision Master."""
    return scim_policy(integration_id=bench.directory(**may).id, name=name, owns=True, welcome_email=True, whole=whole)


def owned(bench: Bench) -> set[Field]:
    return set(owned_fields(bench.session, bench.user(), by_others_than=None))


def test_a_directory_owns_what_it_states_also_where_nothing_changes(bench: Bench) -> None:
    bench.take(policy=bench.policy(Source.SAML))
    outcome = bench.take(reading_of(date_of_birth=None), owning(bench))
    assert outcome.kind is OutcomeKind.UNCHANGED
    assert owned(bench) == set(Field) - {Field.DATE_OF_BIRTH}
    assert bench.tags() == ["user:created"]


def test_a_change_of_case_in_an_address_is_owned_all_the_same(bench: Bench) -> None:
    bench.take(policy=bench.policy(Source.SAML))
    bench.take(reading_of(email="JANE.carter@acme.example"), owning(bench))
    assert Field.EMAIL in owned(bench)
    assert bench.user().email == "jane.carter@acme.example"


def test_what_is_owned_is_neither_changed_by_a_sign_in_nor_by_hand(bench: Bench) -> None:
    bench.take(policy=owning(bench))
    sign_in = bench.take(reading_of(first_name="Janet"), bench.policy(Source.SAML, name="Okta"))
    assert (sign_in.kind, sign_in.blocked) == (OutcomeKind.UNCHANGED, (Field.FIRST_NAME,))
    by_hand = bench.take(reading_of(first_name="Janet"), hand_policy(staff_name="Ann", welcome_email=False))
    assert (by_hand.refusal, by_hand.blocked) == (Refusal.OWNED_FIELDS, (Field.FIRST_NAME,))


def test_the_first_directory_keeps_a_field_that_a_second_states_too(bench: Bench) -> None:
    first = owning(bench)
    bench.take(policy=first)
    bench.take(policy=owning(bench, whole=False, name="Okta"))
    assert bench.user().field_sources["email"]["integration_id"] == str(first.integration_id)


def test_a_second_directory_links_but_leaves_owned_fields_as_they_are(bench: Bench) -> None:
    bench.take(policy=owning(bench))
    outcome = bench.take(reading_of(first_name="Janet"), owning(bench, whole=False, name="Okta"))
    assert (outcome.kind, outcome.blocked) == (OutcomeKind.UNCHANGED, (Field.FIRST_NAME,))
    assert bench.user().first_name == "Jane"


def test_a_whole_record_that_would_change_an_owned_field_is_refused(bench: Bench) -> None:
    bench.take(policy=owning(bench))
    outcome = bench.take(reading_of(first_name="Janet", last_name="Baker"), owning(bench, name="Okta"))
    assert outcome.refusal is Refusal.OWNED_FIELDS
    assert bench.user().last_name == "Carter"


def test_a_whole_record_may_repeat_what_another_directory_owns(bench: Bench) -> None:
    bench.take(policy=owning(bench))
    second = replace(owning(bench, name="Okta"), repeats=frozenset({Field.FIRST_NAME}))
    bench.take(reading_of(active=False), second)
    outcome = bench.take(reading_of(first_name="Janet", active=True), second)
    assert (outcome.kind, outcome.blocked) == (OutcomeKind.REACTIVATED, (Field.FIRST_NAME,))
    outcome = bench.take(reading_of(first_name="Janet", last_name="Baker"), second)
    assert (outcome.refusal, outcome.blocked) == (Refusal.OWNED_FIELDS, (Field.LAST_NAME,))
    assert (bench.user().first_name, bench.user().last_name) == ("Jane", "Carter")


def test_who_leaves_leaves_whatever_others_own(bench: Bench) -> None:
    bench.take(policy=owning(bench))
    outcome = bench.take(reading_of(first_name="Janet", active=False), owning(bench, name="Okta"))
    assert outcome.kind is OutcomeKind.DEACTIVATED
    assert bench.user().status == UserStatus.LEAVER


def test_a_directory_that_is_switched_off_owns_nothing(bench: Bench) -> None:
    bench.take(policy=owning(bench, enabled=False))
    assert owned(bench) == set()


def test_somebody_named_before_the_first_day_has_an_account_without_access(bench: Bench) -> None:
    outcome = bench.take(reading_of(active=False), owning(bench))
    assert outcome.kind is OutcomeKind.CREATED
    assert (bench.user().status, bench.mails()) == (UserStatus.LEAVER, [])
    assert bench.session.scalars(select(Deactivation)).all() == []


def test_the_welcome_comes_on_the_first_day_and_once(bench: Bench) -> None:
    policy = owning(bench)
    for active in (False, True, False, True):
        bench.now += timedelta(days=1)
        bench.take(reading_of(active=active), policy)
    assert [mail.kind for mail in bench.mails()] == [MailKind.WELCOME]
    assert bench.tags() == ["user:created", "user:reactivated", "user:deactivated", "user:reactivated"]


def test_other_sources_create_nobody_who_has_left(bench: Bench) -> None:
    assert bench.take(reading_of(active=False)).refusal is Refusal.NO_ACCOUNT


def test_details_of_a_leaver_follow_the_directory(bench: Bench) -> None:
    policy = owning(bench)
    bench.take(policy=policy)
    bench.take(reading_of(active=False), policy)
    outcome = bench.take(reading_of(active=False, last_name="Baker"), policy)
    assert outcome.kind is OutcomeKind.UPDATED
    assert (bench.user().last_name, bench.user().status) == ("Baker", UserStatus.LEAVER)


@pytest.mark.parametrize(("whole", "kind"), [(True, OutcomeKind.REJECTED), (False, OutcomeKind.UNCHANGED)])
def test_a_leavers_unsound_record_is_refused_only_where_it_counts_as_a_whole(
    bench: Bench, whole: bool, kind: OutcomeKind
) -> None:
    policy = owning(bench, whole=whole)
    bench.take(policy=policy)
    bench.take(reading_of(active=False), policy)
    assert bench.take(reading_of(active=False, email="nonsense"), policy).kind is kind


# The guard.


@pytest.mark.parametrize(
    ("removals", "active", "unusual"),
    [(5, 10, False), (6, 10, True), (6, 60, False), (6, 59, True), (10, 100, False), (11, 100, True), (0, 0, False)],
)
def test_more_than_both_limits_is_unusual_and_exactly_at_one_is_not(removals: int, active: int, unusual: bool) -> None:
    assert Limit(percent=10, people=5).is_exceeded(removals, active) is unusual


def company(bench: Bench, people: int) -> Policy:
    """Fill the programme with active people."""
    policy = owning(bench)
    for number in range(people):
        bench.take(reading_of(membership_no=f"P{number}", email=f"p{number}@acme.example"), policy)
    return policy


def leave(bench: Bench, policy: Policy, *numbers: int) -> list[bool]:
    """Take people out one after the other, and let the guard look after each."""
    raised = []
    for number in numbers:
        reading = reading_of(membership_no=f"P{number}", email=f"p{number}@acme.example", active=False)
        assert bench.take(reading, policy).kind is OutcomeKind.DEACTIVATED
        raised.append(guard.watch(bench.session, bench.programme.id, policy, now=bench.now))
    return raised


def test_the_sixth_of_twenty_in_a_day_raises_one_alert_and_mails_each_admin(bench: Bench) -> None:
    ann, ben = bench.make.staff(bench.programme), bench.make.staff(bench.programme)
    policy = company(bench, 20)
    assert leave(bench, policy, 0, 1, 2, 3, 4) == [False] * 5
    assert leave(bench, policy, 5, 6) == [True, False]
    mails = [mail for mail in bench.mails() if mail.kind == MailKind.UNUSUAL_LEAVERS]
    assert sorted(mail.recipient for mail in mails) == sorted([ann.email, ben.email])
    events = bench.session.scalars(select(AuditEvent).where(AuditEvent.tag == "programme:guard-alerted")).all()
    assert [event.facts for event in events] == [{"name": "Entra", "removals": 6}]


def test_a_share_that_is_usual_raises_nothing(bench: Bench) -> None:
    policy = company(bench, 70)
    assert leave(bench, policy, *range(7)) == [False] * 7


def test_only_the_last_day_counts(bench: Bench) -> None:
    policy = company(bench, 20)
    leave(bench, policy, 0, 1, 2, 3)
    bench.now += timedelta(hours=25)
    assert leave(bench, policy, 4, 5, 6) == [False] * 3


def test_what_people_decide_is_not_counted(bench: Bench) -> None:
    policy = company(bench, 10)
    for number in range(6):
        reading = reading_of(membership_no=f"P{number}", email=f"p{number}@acme.example", active=False)
        bench.take(reading, bench.policy(Source.HAND))
    assert bench.session.scalars(select(Deactivation)).all() == []
    assert leave(bench, policy, 7) == [False]


def test_all_feeds_count_together(bench: Bench) -> None:
    policy = company(bench, 20)
    leave(bench, policy, 0, 1, 2)
    assert leave(bench, bench.policy(Source.SFTP, name="Payroll"), 3, 4, 5)[-1] is True


def test_another_programme_is_not_counted(bench: Bench) -> None:
    other = Bench(bench.session, bench.make.programme("globex"), bench.make)
    leave(other, company(other, 20), 0, 1, 2, 3, 4)
    policy = company(bench, 20)
    assert leave(bench, policy, 0) == [False]


def test_after_an_alert_was_settled_the_count_begins_anew(bench: Bench) -> None:
    policy = company(bench, 30)
    leave(bench, policy, *range(6))
    (alert,) = guard.open_alerts(bench.session, bench.programme.id)
    bench.now += timedelta(minutes=1)
    assert guard.settle(bench.session, bench.programme.id, alert.id, actor=ACTOR, now=bench.now)
    assert not guard.settle(bench.session, bench.programme.id, alert.id, actor=ACTOR, now=bench.now)
    assert guard.open_alerts(bench.session, bench.programme.id) == []
    bench.now += timedelta(minutes=1)
    assert leave(bench, policy, 6, 7, 8, 9, 10, 11) == [False] * 5 + [True]
    assert len(bench.session.scalars(select(Alert)).all()) == 2


def test_an_alert_of_another_programme_is_not_settled(bench: Bench) -> None:
    policy = company(bench, 20)
    leave(bench, policy, *range(6))
    (alert,) = guard.open_alerts(bench.session, bench.programme.id)
    other = bench.make.programme("globex")
    assert not guard.settle(bench.session, other.id, alert.id, actor=ACTOR, now=bench.now)


def test_the_alert_is_undone_with_what_raised_it(bench: Bench) -> None:
    bench.make.staff(bench.programme)
    policy = company(bench, 20)
    leave(bench, policy, 0, 1, 2, 3, 4)
    bench.session.commit()
    leave(bench, policy, 5)
    bench.session.rollback()
    assert bench.session.scalars(select(OutboxMail).where(OutboxMail.kind == MailKind.UNUSUAL_LEAVERS)).all() == []
    assert guard.open_alerts(bench.session, bench.programme.id) == []


@contextmanager
def counted(bench: Bench) -> Iterator[list[str]]:
    """Return the statements that count whom feeds took out."""
    said: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "count" in statement and "FROM deactivations" in statement:
            said.append(statement)

    engine = bench.session.get_bind()
    event.listen(engine, "before_cursor_execute", note)
    yield said
    event.remove(engine, "before_cursor_execute", note)


def gone(bench: Bench, policy: Policy, people: int) -> None:
    """Note that a feed took out so many."""
    for _ in range(people):
        guard.remember(bench.session, bench.programme.id, new_id(), policy, bench.now)


def test_many_who_leave_one_after_the_other_are_not_counted_each_time(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "FAR", 10)
    policy = company(bench, 320)
    gone(bench, policy, 12)
    watched = lambda: guard.watch(bench.session, bench.programme.id, policy, now=bench.now)  # noqa: E731 - said often.
    with counted(bench) as said:
        assert [watched() for _ in range(50)] == [False] * 50
        assert len(said) == 1
        # 13 more may go of those whom it looked at, at five thousand a second.
        bench.now += timedelta(seconds=12 / 5_000)
        assert (watched(), len(said)) == (False, 1)
        bench.now += timedelta(seconds=1 / 5_000)
        gone(bench, policy, 12)
        assert (watched(), len(said)) == (False, 2)
        bench.now += timedelta(seconds=1)
        gone(bench, policy, 8)
        assert (watched(), len(said)) == (False, 3)
        # 32 of 352 are fewer than a tenth, 36 of 356 are more.
        bench.now += timedelta(seconds=1)
        gone(bench, policy, 4)
        assert (watched(), len(said)) == (True, 4)
        bench.now += timedelta(seconds=1)
        assert (watched(), len(said)) == (False, 4)


def test_another_limit_counts_at_once(bench: Bench) -> None:
    bench.programme.guard_people = 200
    policy = company(bench, 20)
    gone(bench, policy, 7)
    assert not guard.watch(bench.session, bench.programme.id, policy, now=bench.now)
    bench.programme.guard_people = 5
    assert guard.watch(bench.session, bench.programme.id, policy, now=bench.now)


def test_what_is_remembered_of_programmes_does_not_grow_without_end(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "MOST_REMEMBERED", 1)
    for slug in ("globex", "initech"):
        other = Bench(bench.session, bench.make.programme(slug), bench.make)
        other.programme.guard_people = 200
        assert not guard.watch(other.session, other.programme.id, owning(other), now=other.now)
    assert len(guard._STANDING_OF) == 1
