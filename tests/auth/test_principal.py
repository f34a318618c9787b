"""A session in use is noted now and then, and may end while that happens."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from rgapp.auth import principal
from rgapp.auth import staff as accounts
from rgapp.clock import utcnow
from rgapp.database import writing
from rgapp.models import StaffSession, UserSession
from tests.factories import Factory

AGO = timedelta(minutes=30)


@pytest.fixture
def staff_page(app: Flask, make: Factory, session: Session) -> Callable[[], Any]:
    """Return a way to open a page with a session that was last noted half an hour ago."""
    client = app.test_client()
    token = accounts.open_session(session, make.staff(), user_agent="a test", now=utcnow() - AGO)
    client.set_cookie("rg_staff", token)
    return lambda: client.get("/manager/account")


def test_a_session_in_use_is_noted(staff_page: Callable[[], Any], session: Session) -> None:
    assert staff_page().status_code == 200
    seen = session.scalars(select(StaffSession.last_seen_at)).one()
    assert utcnow() - seen < timedelta(minutes=1)


def test_an_employees_session_in_use_is_noted(app: Flask, make: Factory, session: Session) -> None:
    client, user = app.test_client(), make.user(make.programme("acme"))
    client.set_cookie("rg_user_acme", make.user_session(user))
    past = utcnow() - AGO
    session.execute(
        update(UserSession).values(last_seen_at=past, created_at=past, expires_at=past + timedelta(hours=12))
    )
    assert client.get("/p/acme/").status_code == 200
    assert utcnow() - session.scalars(select(UserSession.last_seen_at)).one() < timedelta(minutes=1)


def test_a_session_that_ends_meanwhile_is_no_error(
    staff_page: Callable[[], Any], monkeypatch: pytest.MonkeyPatch, other_session: Callable[[], Any]
) -> None:
    @contextmanager
    def after_somebody_signed_her_out() -> Iterator[None]:
        with other_session() as other:
            other.execute(delete(StaffSession))
            other.commit()
        with writing():
            yield

    monkeypatch.setattr(principal, "writing", after_somebody_signed_her_out)
    assert staff_page().status_code in {200, 302}
