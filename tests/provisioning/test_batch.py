"""Many records at once: what a batch writes is what provisioning one by one writes, whatever comes in between."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import inspect, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from rgapp.models import AuditEvent, Deactivation, OutboxMail, User, UserSession, UserStatus
from rgapp.models.bulk import Form
from rgapp.provisioning import (
    Field,
    OutcomeKind,
    Policy,
    Refusal,
    Source,
    batch_writing,
    deactivate,
    feed_policy,
    guard,
    provision,
    service,
)
from rgapp.provisioning.batch import Batches, Done
from rgapp.provisioning.batch_matching import Known, find_many, left_by_hand
from rgapp.provisioning.cells import CellReader, Line
from tests.conftest import NOW
from tests.provisioning.conftest import ACTOR, RULES, Bench, reading_of

FIELDS = [field.value for field in Field]


def line_of(number: int = 1, *, active: bool | None = None, changed: bool = True, **fields: str | None) -> Line:
    """Read one line as a feed gives it; Jane's values where nothing is said."""
    given = {
        "membership_no": "E1001",
        "email": "jane.carter@acme.example",
        "first_name": "Jane",
        "last_name": "Carter",
        "date_of_birth": "1990-04-03",
    } | fields
    values, flaws = CellReader(RULES, NOW.date()).read([given[name] or "" for name in FIELDS])
    gaps = [(flaw.field.value, flaw.problem.code.value) for flaw in flaws]
    return Line(number, given["membership_no"] or "", *values, active, changed, None, gaps)


def person(number: int, **fields: Any) -> Line:
    """Return somebody by number."""
    given = {"membership_no": f"P{number}", "email": f"p{number}@acme.example"} | fields
    return line_of(number, **given)


def policy_of(bench: Bench, *, owns: bool = True, name: str = "Payroll") -> Policy:
    integration = bench.directory()
    return feed_policy(Source.SFTP, integration_id=integration.id, name=name, owns=owns, welcome_email=True)


def write(bench: Bench, policy: Policy, *lines: Line, free: frozenset[str] = frozenset()) -> list[Done]:
    batches = Batches(bench.programme.id, policy, RULES, ACTOR)
    done = batches.write(bench.session, lines, now=bench.now, free=free)
    bench.session.flush()
    bench.session.expire_all()
    return done


def kinds(done: Sequence[Done]) -> list[str]:
    return [each.refusal or each.kind for each in done]


def test_a_batch_creates_people_with_an_event_and_a_mail_each(bench: Bench) -> None:
    done = write(bench, policy_of(bench), *(person(number) for number in range(3)))
    assert kinds(done) == ["created"] * 3
    assert [user.membership_no for user in bench.users()] == ["P0", "P1", "P2"]
    assert bench.tags() == ["user:created"] * 3
    assert [mail.recipient for mail in bench.mails()] == [f"p{number}@acme.example" for number in range(3)]


def everything(bench: Bench) -> dict[str, list[dict[str, Any]]]:
    """Return all that was written, without what is made anew each time, people by their numbers."""
    names = {user.id: user.membership_no for user in bench.users()}
    found: dict[str, list[dict[str, Any]]] = {}
    for model in (User, AuditEvent, OutboxMail, Deactivation):
        rows = []
        for row in bench.session.scalars(select(model)):
            columns = {column.key: getattr(row, column.key) for column in inspect(model).columns}
            columns.pop("id")
            columns.pop("programme_id")
            if "user_id" in columns:
                columns["user_id"] = names.get(columns["user_id"])
            if "once_key" in columns:
                columns.pop("once_key")
            if not str(columns.get("tag", "user:")).startswith("user:"):
                continue
            rows.append(columns)
        found[model.__name__] = sorted(rows, key=str)
    return found


ROW = st.fixed_dictionaries(
    {
        "membership_no": st.sampled_from(["E1", "E2", "E3", "E4"]),
        "email": st.sampled_from(["a@acme.example", "A@acme.example", "b@acme.example", "c@acme.example", "nonsense"]),
        "first_name": st.sampled_from(["Jane", "Zoë", "", "R2D2"]),
        "last_name": st.sampled_from(["Carter", ""]),
        "date_of_birth": st.sampled_from(["1990-04-03", "", "yesterday"]),
        "active": st.sampled_from([None, None, True, False]),
    }
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ROW, max_size=8), st.booleans())
def test_a_batch_writes_what_one_by_one_writes(bench: Bench, rows: list[dict[str, Any]], owns: bool) -> None:
    """Batches of one line, so that both ways see the same before each."""
    bench.session.commit()
    policy = policy_of(bench, owns=owns)
    results, written = [], []
    for at_once in (True, False):
        point = bench.session.begin_nested()
        kinds_found = []
        for step, row in enumerate(rows):
            moment = NOW + timedelta(minutes=step)
            line = line_of(step, **row)
            if at_once:
                (done,) = Batches(bench.programme.id, policy, RULES, ACTOR).write(bench.session, [line], now=moment)
                kind: str = done.refusal or done.kind
            else:
                outcome = provision(bench.session, bench.programme.id, line.reading(RULES), policy, ACTOR, now=moment)
                unknown_leaver = outcome.refusal is Refusal.NO_ACCOUNT and line.active is False
                kind = OutcomeKind.UNCHANGED if unknown_leaver else outcome.refusal or outcome.kind
            kinds_found.append(kind)
        bench.session.flush()
        bench.session.expire_all()
        results.append(kinds_found)
        written.append(everything(bench))
        point.rollback()
        bench.session.expire_all()
    assert results[0] == results[1]
    assert written[0] == written[1]
    bench.session.rollback()


# Races: somebody else writes one of the people in between.


@contextmanager
def meanwhile(table: str, action: Callable[[], object]) -> Iterator[None]:
    """Do something right before a table is written for the first time, outside the batch's savepoint's sight."""
    real, pending = batch_writing.insert_many, [action]

    def insert(session: Session, model: Any, columns: Any, rows: Any) -> None:
        if model.__tablename__ == table and pending:
            pending.pop()()
        real(session, model, columns, rows)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch_writing, "insert_many", insert)
        yield
    assert not pending


def conflict() -> Callable[[], object]:
    """Return what another transaction did, seen when the unique constraints are asked."""

    def act() -> None:
        raise IntegrityError("INSERT INTO users", None, Exception("unique"))

    return act


def fresh(*lines: Line) -> list[Line]:
    return [line._replace(fresh=True) for line in lines]


def test_somebody_who_signs_in_first_meanwhile_is_found(bench: Bench) -> None:
    """The lines say that nobody knows them, and that is no longer so."""
    bench.take(reading_of(membership_no="P1", email="p1@acme.example"), bench.policy(Source.SAML))
    done = write(bench, policy_of(bench), *fresh(person(0), person(1), person(2)))
    assert kinds(done) == ["created", "unchanged", "created"]
    assert bench.tags() == ["user:created"] * 3
    assert len(bench.mails()) == 3


def test_where_a_batch_meets_somebody_elses_writing_its_lines_are_taken_one_by_one(bench: Bench) -> None:
    policy = policy_of(bench)
    leaver = person(3, active=False)
    deactivated = bench.take(reading_of(membership_no="P4", email="p4@acme.example"))
    deactivate(bench.session, bench.user("P4"), ACTOR, now=bench.now)
    taken = person(5, email="p6@acme.example")
    bench.take(reading_of(membership_no="P6", email="p6@acme.example"))
    lines = [person(1), person(2, email="nonsense"), leaver, person(4)._replace(changed=False), taken]
    with meanwhile("users", conflict()):
        done = write(bench, policy, *lines)
    assert kinds(done) == ["created", "fields", "unchanged", "unchanged", "email_conflict"]
    assert done[3].user_id == deactivated.user_id.hex if deactivated.user_id else None
    assert [mail.recipient for mail in bench.mails() if mail.recipient == "p1@acme.example"] == ["p1@acme.example"]


def test_who_cannot_be_written_alone_either_is_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(*_: Any, **__: Any) -> None:
        raise service.ProvisioningConflict

    monkeypatch.setattr(service, "provision", lost)
    with meanwhile("users", conflict()):
        done = write(bench, policy_of(bench), person(1))
    assert kinds(done) == ["email_conflict"]


def test_a_line_of_somebody_who_is_meant_by_it_finds_her_whatever_her_number(bench: Bench) -> None:
    policy = policy_of(bench)
    write(bench, policy, person(1))
    meant = person(2)._replace(user_id=bench.user("P1").id.hex)
    assert kinds(write(bench, policy, meant)) == ["updated"]
    assert [user.membership_no for user in bench.users()] == ["P2"]
    with meanwhile("audit_events", conflict()):
        again = person(3)._replace(user_id=bench.user("P2").id.hex)
        assert kinds(write(bench, policy, again)) == ["updated"]


def test_addresses_change_hands_together_or_not_at_all(bench: Bench) -> None:
    policy = policy_of(bench)
    write(bench, policy, person(1), person(2))
    free = frozenset(bench.user(name).id.hex for name in ("P1", "P2"))
    swap = [person(1, email="p2@acme.example"), person(2, email="p1@acme.example")]
    assert kinds(write(bench, policy, *swap, free=free)) == ["updated", "updated"]
    assert [user.email for user in bench.users()] == ["p2@acme.example", "p1@acme.example"]
    ring = [person(3, email="p1@acme.example"), person(2, email="p3@acme.example")]
    assert kinds(write(bench, policy, *ring, free=free)) == ["created", "updated"]
    assert [user.email for user in bench.users()] == ["p2@acme.example", "p3@acme.example", "p1@acme.example"]


def test_a_swap_that_cannot_be_is_refused_as_a_whole(bench: Bench) -> None:
    policy = policy_of(bench)
    write(bench, policy, person(1), person(2))
    free = frozenset(bench.user(name).id.hex for name in ("P1", "P2"))
    half = [person(1, email="p2@acme.example"), person(3)]
    assert kinds(write(bench, policy, *half, free=free)) == ["email_conflict"] * 2
    assert [user.email for user in bench.users()] == ["p1@acme.example", "p2@acme.example"]


def test_sources_that_may_not_create_refuse(bench: Bench) -> None:
    policy = replace(policy_of(bench), create=False)
    assert kinds(write(bench, policy, person(1))) == ["no_account"]


def test_a_leavers_row_about_somebody_unknown_whose_address_is_taken_is_no_mistake(bench: Bench) -> None:
    policy = policy_of(bench)
    write(bench, policy, person(1))
    deactivate(bench.session, bench.user("P1"), ACTOR, now=bench.now)
    assert kinds(write(bench, policy, person(2, email="p1@acme.example", active=False))) == ["unchanged"]


def test_people_named_before_their_first_day_wait(bench: Bench) -> None:
    policy = replace(policy_of(bench), creates_inactive=True)
    write(bench, policy, person(1, active=False))
    assert (bench.user("P1").status, bench.mails()) == (UserStatus.LEAVER, [])
    bench.now += timedelta(days=1)
    assert kinds(write(bench, policy, person(1, active=True))) == ["reactivated"]
    assert len(bench.mails()) == 1


def test_a_released_run_is_not_counted(bench: Bench) -> None:
    policy = policy_of(bench)
    write(bench, policy, *(person(number) for number in range(4)))
    ids = [user.id for user in bench.users()]
    released = Batches(bench.programme.id, replace(policy, counted=False), RULES, ACTOR)
    assert released.take_out(bench.session, ids[:2], now=bench.now, facts={"absent": True}) == 2
    counted = Batches(bench.programme.id, policy, RULES, ACTOR)
    assert counted.take_out(bench.session, ids[:3], now=bench.now, facts={"absent": True}) == 1
    assert len(bench.session.scalars(select(Deactivation)).all()) == 1


def test_who_leaves_is_signed_out_everywhere(bench: Bench) -> None:
    policy = policy_of(bench)
    write(bench, policy, person(1), person(2))
    bench.make.user_session(bench.user("P1"))
    write(bench, policy, person(1, active=False))
    assert bench.session.scalars(select(UserSession)).all() == []


def test_programmes_are_apart(bench: Bench) -> None:
    other = Bench(bench.session, bench.make.programme("globex"), bench.make)
    write(other, policy_of(other), person(1))
    assert kinds(write(bench, policy_of(bench), person(1))) == ["created"]


def test_a_decision_says_why_it_refuses_and_writes_nothing(bench: Bench) -> None:
    bench.take(reading_of(membership_no="P1", email="p1@acme.example"))
    batches = Batches(bench.programme.id, policy_of(bench), RULES, ACTOR)
    found = batches.decide(bench.session, [person(2, email="p1@acme.example"), person(3)])
    assert [each.refusal for each in found] == [Refusal.EMAIL_CONFLICT, None]
    assert [user.membership_no for user in bench.users()] == ["P1"]


def test_a_leaver_nobody_knows_is_no_mistake_although_somebody_has_the_address(bench: Bench) -> None:
    policy = replace(policy_of(bench), creates_inactive=False)
    write(bench, policy, person(1))
    write(bench, policy, person(1, active=False))
    assert kinds(write(bench, policy, person(2, email="p1@acme.example", active=False))) == ["unchanged"]
    assert bench.user("P1").email == "p1@acme.example"


def test_an_address_that_only_a_leaver_holds_passes_on(bench: Bench) -> None:
    policy = policy_of(bench)
    write(bench, policy, person(1), person(2), person(3))
    write(bench, policy, person(1, active=False), person(2, active=False))
    done = write(bench, policy, person(4, email="p1@acme.example"), person(3, email="p2@acme.example"))
    assert kinds(done) == ["created", "updated"]
    assert [user.email for user in bench.users()] == [None, None, "p2@acme.example", "p1@acme.example"]
    assert bench.tags().count("user:email-released") == 2
    assert "email" not in bench.user("P1").field_sources
    assert kinds(write(bench, policy, person(1, email="new@acme.example", active=True))) == ["reactivated"]
    assert bench.user("P1").email == "new@acme.example"


def test_what_is_stated_is_owned_although_nothing_changes(bench: Bench) -> None:
    bench.take(reading_of(membership_no="P1", email="p1@acme.example"), bench.policy(Source.SAML))
    policy = policy_of(bench)
    assert kinds(write(bench, policy, person(1))) == ["unchanged"]
    given = {name: source["integration_id"] for name, source in bench.user("P1").field_sources.items()}
    assert given == dict.fromkeys(FIELDS, str(policy.integration_id))


def test_who_was_taken_out_by_hand_last_is_known(bench: Bench) -> None:
    policy = policy_of(bench)
    write(bench, policy, person(1), person(2), person(3))
    write(bench, policy, person(1, active=False))
    deactivate(bench.session, bench.user("P2"), ACTOR, now=bench.now)
    matches = find_many(bench.session, bench.programme.id, [person(number) for number in (1, 2, 3)])
    users = [match.user for match in matches if isinstance(match.user, Known)]
    assert left_by_hand(bench.session, bench.programme.id, users) == {bench.user("P2").id}
    assert left_by_hand(bench.session, bench.programme.id, users[2:]) == set()


@pytest.mark.parametrize(
    ("removals", "pending", "held"), [(0, 9, False), (4, 0, False), (5, 0, False), (6, 0, True), (3, 3, True)]
)
def test_a_run_is_weighed_with_what_is_about_to_happen(bench: Bench, removals: int, pending: int, held: bool) -> None:
    write(bench, policy_of(bench), *(person(number) for number in range(20)))
    weighed = guard.weigh(bench.session, bench.programme.id, removals, pending=pending, now=bench.now)
    assert (weighed.held, weighed.active) == (held, 20)


def test_of_how_many_is_the_greater_of_now_and_yesterday(bench: Bench) -> None:
    policy = policy_of(bench)
    write(bench, policy, *(person(number) for number in range(20)))
    bench.now += timedelta(days=2)
    write(bench, policy, *(person(number, active=False) for number in range(5)))
    weighed = guard.weigh(bench.session, bench.programme.id, 1, now=bench.now)
    assert (weighed.recent, weighed.active, weighed.held) == (5, 20, True)
    write(bench, policy, *(person(number) for number in range(20, 40)))
    assert guard.weigh(bench.session, bench.programme.id, 1, now=bench.now).active == 35


def test_people_whom_nobody_knows_are_made_as_they_are_written(bench: Bench) -> None:
    policy = policy_of(bench)
    lines = fresh(person(1), person(2, first_name=None, date_of_birth="yesterday"), person(3, active=False))
    results = []
    for at_once in (True, False):
        point = bench.session.begin_nested()
        batches = Batches(bench.programme.id, policy, RULES, ACTOR)
        if at_once:
            made = batches.make(Form(bench.session), lines[:2], now=bench.now)
            made.write(bench.session)
            assert made.user_ids == [user.id.hex for user in bench.users()]
        else:
            assert kinds(batches.write(bench.session, lines[:2], now=bench.now)) == ["created"] * 2
        bench.session.expire_all()
        results.append(everything(bench))
        point.rollback()
    assert results[0] == results[1]
    assert bench.users() == []


def test_who_is_not_new_is_not_made(bench: Bench) -> None:
    batches, form = Batches(bench.programme.id, policy_of(bench), RULES, ACTOR), Form(bench.session)
    with pytest.raises(ValueError, match="nobody knew"):
        batches.make(form, [person(1)], now=bench.now)
    with pytest.raises(ValueError, match="no accounts"):
        batches.make(form, fresh(person(1, active=False)), now=bench.now)
    bench.take(reading_of(membership_no="P1", email="p1@acme.example"))
    with pytest.raises(IntegrityError), bench.session.begin_nested():
        batches.make(form, fresh(person(0), person(1)), now=bench.now).write(bench.session)
    assert [user.membership_no for user in bench.users()] == ["P1"]


def test_whose_account_is_gone_is_matched_by_her_number(bench: Bench) -> None:
    write(bench, policy_of(bench), person(1))
    gone = person(1, last_name="Baker")._replace(user_id="0" * 32)
    (match,) = find_many(bench.session, bench.programme.id, [gone])
    assert match.user is not None
    assert (match.user.membership_no, match.membership_holder) == ("P1", None)
