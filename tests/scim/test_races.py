"""Requests at the same moment: one wins, the others are told so, and nobody is made twice."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Update, select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from rgapp.clock import utcnow
from rgapp.extensions import db
from rgapp.models import Integration, SCIMRequest, SCIMToken, SCIMUser, User, UserStatus
from rgapp.scim import auth, exchange
from tests.scim.conftest import SCIMClient, jane

AT_ONCE = 4


def at_once(app: Flask, scim: SCIMClient, requests: list[Callable[[SCIMClient], Any]]) -> list[Any]:
    """Send requests at the same moment, each from a client of its own; returns their answers."""
    barrier = Barrier(len(requests))

    def send(request: Callable[[SCIMClient], Any]) -> Any:
        client = SCIMClient(app.test_client(), scim.base, scim.token)
        barrier.wait()
        return request(client)

    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(send, requests))


def test_the_same_person_at_once_is_made_once(app: Flask, scim: SCIMClient, session: Session) -> None:
    for number in range(5):
        person = jane(userName=f"jane{number}", externalId=f"E{number}", emails=[{"value": f"j{number}@acme.example"}])
        answers = at_once(app, scim, [lambda client, body=person: client("POST", "/Users", body)] * AT_ONCE)
        assert sorted(answer.status_code for answer in answers) == [201] + [409] * (AT_ONCE - 1)
    assert len(session.scalars(select(User)).all()) == 5
    assert len(session.scalars(select(SCIMUser)).all()) == 5
    assert len(session.scalars(select(SCIMRequest)).all()) == 5 * AT_ONCE


def test_changes_at_once_are_applied_one_after_the_other_or_refused(app: Flask, scim: SCIMClient) -> None:
    made = scim("POST", "/Users", jane()).json

    def change(number: int) -> Callable[[SCIMClient], Any]:
        operation = {"op": "replace", "path": "title", "value": f"T{number}"}
        body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation]}
        return lambda client: client("PATCH", f"/Users/{made['id']}", body)

    answers = at_once(app, scim, [change(number) for number in range(AT_ONCE)])
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) <= {200, 412}
    assert 200 in statuses
    after = scim("GET", f"/Users/{made['id']}").json
    assert after["title"] in [answer.json["title"] for answer in answers if answer.status_code == 200]


@pytest.mark.postgresql
@pytest.mark.parametrize(
    "said", [{"path": "active", "value": False}, {"value": {"active": False, "title": "Boss"}}], ids=["short", "long"]
)
def test_who_is_brought_back_at_the_same_moment_is_taken_out_after_that(
    app: Flask, scim: SCIMClient, session: Session, said: dict[str, Any]
) -> None:
    made = scim("POST", "/Users", jane(active=False)).json
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "replace", **said}]}
    with Session(db.engine) as other, ThreadPoolExecutor(1) as pool:
        other.execute(update(SCIMUser).values(version=SCIMUser.version + 1))
        other.execute(update(User).values(status=UserStatus.ACTIVE, deactivated_at=None))
        client = SCIMClient(app.test_client(), scim.base, scim.token)
        sent = pool.submit(client, "PATCH", f"/Users/{made['id']}", body)
        while not session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
            session.commit()
        other.commit()
        answer = sent.result(30)
    assert (answer.status_code, answer.json["active"]) == (200, False)
    session.commit()
    assert session.scalars(select(User.status)).all() == [UserStatus.LEAVER]


def test_a_deletion_and_a_change_at_once_leave_nobody_half_there(
    app: Flask, scim: SCIMClient, session: Session
) -> None:
    made = scim("POST", "/Users", jane()).json
    path = f"/Users/{made['id']}"
    answers = at_once(
        app, scim, [lambda client: client("DELETE", path), lambda client: client("PUT", path, jane(title="Boss"))]
    )
    assert answers[0].status_code in {204, 412}
    assert answers[1].status_code in {200, 404, 412}
    gone = answers[0].status_code == 204
    assert (session.scalars(select(SCIMUser)).all() == []) is gone


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/Users", 200), ("POST", "/Users/.search", 200)])
def test_a_read_during_which_somebody_wrote_is_answered_and_has_its_line(
    scim: SCIMClient, session: Session, monkeypatch: pytest.MonkeyPatch, method: str, path: str, status: int
) -> None:
    really, tries = exchange.note, []

    def fails_at_first(*args: Any, **options: Any) -> Any:
        tries.append(args)
        if len(tries) == 1:  # So SQLite says that what was read is older than what is there.
            raise OperationalError("INSERT", {}, Exception("database is locked"))
        return really(*args, **options)

    monkeypatch.setattr(exchange, "note", fails_at_first)
    search = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]}
    assert scim(method, path, search if method == "POST" else None).status_code == status
    assert len(tries) == 2
    assert [line.path for line in session.scalars(select(SCIMRequest))] == [path]


@pytest.mark.parametrize(
    ("change", "status"),
    [(update(SCIMToken).values(revoked_at=utcnow()), 401), (update(Integration).values(enabled=False), 403)],
    ids=["revoked", "switched off"],
)
def test_what_was_closed_while_a_request_waited_for_its_turn_is_closed_to_it(
    scim: SCIMClient, session: Session, monkeypatch: pytest.MonkeyPatch, change: Update, status: int
) -> None:
    really = exchange.end_reading

    def is_overtaken(of_request: Session) -> None:
        really(of_request)
        session.execute(change)
        session.commit()

    monkeypatch.setattr(exchange, "end_reading", is_overtaken)
    assert scim("POST", "/Users", jane()).status_code == status
    assert session.scalars(select(User)).all() == []


def test_a_token_that_was_revoked_is_a_strangers_from_its_next_request_on(scim: SCIMClient, session: Session) -> None:
    assert scim("GET", "/Users").status_code == 200
    session.execute(update(SCIMToken).values(revoked_at=utcnow()))
    session.commit()
    assert auth.was_right_here(scim.token)
    assert scim("GET", "/Users").status_code == 401
    assert not auth.was_right_here(scim.token)
