"""Many at once on several web processes: each employee is one, and a leaver's session is nobody's."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from rgapp.clock import utcnow
from rgapp.database import reading
from rgapp.extensions import db
from rgapp.models import SAMLRequest, User
from rgapp.provisioning import deactivate
from tests.crash.house import Answer, House, Traces, wait_until
from tests.provisioning.conftest import ACTOR
from tests.sso.conftest import Door

AT_ONCE = 20


def at_once(calls: list[Callable[[], Answer]]) -> list[Answer]:
    """Make all calls at the same time."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def leave(home: House, number: str) -> None:
    """Deactivate an employee."""
    with home.session() as session:
        user = session.scalars(select(User).where(User.membership_no == number)).one()
        assert deactivate(session, user, ACTOR, now=utcnow())
        session.commit()


def test_different_employees_at_once_each_get_an_account_of_their_own(home: House) -> None:
    numbers = [f"D{number}" for number in range(AT_ONCE)]
    visits = [home.visit(number) for number in numbers]
    assert [answer.status for answer in at_once([visit.post for visit in visits])] == [303] * AT_ONCE
    assert {number: home.traces(number) for number in numbers} == dict.fromkeys(numbers, Traces(1, 1, 1, 1, 1))
    home.ask()
    wait_until("each has a mail", lambda: all(home.received(number) for number in numbers))
    assert [len(home.received(number)) for number in numbers] == [1] * AT_ONCE


def test_one_employee_at_once_is_one_account_and_gets_one_mail(home: House) -> None:
    visits = [home.visit("ONE") for _ in range(AT_ONCE)]
    assert [answer.status for answer in at_once([visit.post for visit in visits])] == [303] * AT_ONCE
    assert home.traces("ONE") == Traces(1, 1, 1, AT_ONCE, AT_ONCE)
    home.ask()
    wait_until("she has her mail", lambda: home.received("ONE"))
    assert len(home.received("ONE")) == 1


def test_one_response_brought_to_all_processes_at_once_is_taken_once(home: House) -> None:
    visit = home.visit("TWICE")
    answers = at_once([visit.post] * AT_ONCE)
    assert sorted(answer.status for answer in answers) == [303] + [403] * (AT_ONCE - 1)
    assert home.traces("TWICE") == Traces(1, 1, 1, 1, 1)
    with home.session() as session:
        assert session.scalars(select(SAMLRequest)).all() == []


def test_who_leaves_while_she_signs_in_is_signed_in_nowhere(home: House) -> None:
    assert home.visit("LEAVES").post().status == 303
    visits = [home.visit("LEAVES") for _ in range(AT_ONCE)]
    calls = [visit.post for visit in visits]
    with ThreadPoolExecutor(AT_ONCE + 1) as pool:
        answers: list[Future[Answer]] = [pool.submit(call) for call in calls[: AT_ONCE // 2]]
        left = pool.submit(leave, home, "LEAVES")
        answers += [pool.submit(call) for call in calls[AT_ONCE // 2 :]]
        left.result()
        assert {answer.result().status for answer in answers} <= {303, 403}
    for visit in visits:
        assert visit.browser.request("GET", "/p/acme/").status == 302
    assert home.visit("LEAVES").post().status == 403


@contextmanager
def meanwhile(statement: str, action: Callable[[], None]) -> Iterator[None]:
    """Do something at the moment before a statement is executed, once."""
    pending = [action]

    def before(_: Any, __: Any, text: str, *___: Any) -> None:
        if statement in text and pending:
            pending.pop()()

    event.listen(db.engine, "before_cursor_execute", before)
    try:
        yield
    finally:
        event.remove(db.engine, "before_cursor_execute", before)
    assert not pending, "there was no such moment"


@pytest.mark.postgresql  # SQLite lets one transaction write at a time, so there is no such moment.
def test_a_session_that_is_opened_right_after_she_left_is_nobodys(
    app: Flask, door: Door, session: Session, other_session: Callable[[], Any]
) -> None:
    """The narrowest moment: she was active when the sign-in looked, and gone when it writes."""
    assert door.sign_in(app.test_client()).status_code == 303

    def leave_now() -> None:
        with other_session() as other, reading():
            other.execute(text("SET LOCAL lock_timeout = '5s'"))  # Where the sign-in holds her row it fails, not hangs.
            assert deactivate(other, other.scalars(select(User)).one(), ACTOR, now=utcnow())
            other.commit()

    browser = app.test_client()
    with meanwhile("UPDATE users", leave_now):
        door.sign_in(browser)
    assert browser.get("/p/acme/").status_code == 302
    assert door.sign_in(app.test_client()).status_code == 403
