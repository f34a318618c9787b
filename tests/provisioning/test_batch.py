"""Many records at once: what a batch writes is what provisioning one by one writes, whatever comes in between."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import inspect, select

from rgapp.models import AuditEvent, Deactivation, OutboxMail, User
from rgapp.provisioning import (
    Field,
    OutcomeKind,
    Policy,
    Refusal,
    Source,
    feed_policy,
    provision,
)
from rgapp.provisioning.batch import Batches, Done
from rgapp.provisioning.cells import CellReader, Line
from tests.conftest import NOW
from tests.provisioning.conftest import ACTOR, RULES, Bench

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
