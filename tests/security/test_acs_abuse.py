"""Posts to the ACS that are made to hold the database, the processor or the disk."""

import io
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from rgapp.extensions import db
from rgapp.models import SignInAttempt, User
from tests.databases import impatient
from tests.sso.conftest import Door

FORM = "application/x-www-form-urlencoded"


def last_attempt(session: Session) -> SignInAttempt:
    """Return the newest sign-in attempt."""
    return session.scalars(select(SignInAttempt).order_by(SignInAttempt.id.desc())).one()


class SlowBody(io.RawIOBase):
    """A body that takes its time; `meanwhile` happens while the application waits for it."""

    def __init__(self, data: bytes, meanwhile: Callable[[], None]) -> None:
        self.data = io.BytesIO(data)
        self.meanwhile = meanwhile

    def readable(self) -> bool:
        """Say that this can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read a little, and let something happen."""
        self.meanwhile()
        part = self.data.read(min(16, len(buffer)))
        buffer[: len(part)] = part
        return len(part)


def test_a_body_that_trickles_in_holds_no_lock(door: Door, app: Flask, session: Session) -> None:
    """Anybody can open the ACS; whoever sends slowly must not stop everybody else from writing."""
    session.commit()
    wrote = []

    def write_elsewhere() -> None:
        with db.engine.connect() as other:
            impatient(other)
            other.execute(text("UPDATE programmes SET contact_name = 'x'"))
            other.commit()
            wrote.append(True)

    body = b"SAMLResponse=" + b"A" * 100
    answer = app.test_client().post(
        f"{door.root}/acs",
        content_type=FORM,
        environ_overrides={
            "wsgi.input": io.BufferedReader(SlowBody(body, write_elsewhere), 16),
            "CONTENT_LENGTH": str(len(body)),
        },
    )
    assert answer.status_code == 403
    assert len(wrote) > 2


@pytest.mark.parametrize("path", ["/acs", "/login-form"])
def test_a_million_fields_are_not_even_taken_apart(door: Door, client: FlaskClient, path: str) -> None:
    address = f"{door.root}/acs" if path == "/acs" else "/p/acme/login"
    started = time.process_time()
    answer = client.post(address, data=b"a&" * 1_000_000, content_type=FORM)
    assert answer.status_code == 413
    assert time.process_time() - started < 0.5


def test_a_body_larger_than_any_response_is_refused_unread(door: Door, client: FlaskClient) -> None:
    body = b"SAMLResponse=" + b"A" * 1024 * 1024
    assert client.post(f"{door.root}/acs", data=body, content_type=FORM).status_code == 413


@pytest.mark.parametrize("twice", ["SAMLResponse", "RelayState"])
def test_a_field_that_comes_twice_is_refused(door: Door, client: FlaskClient, session: Session, twice: str) -> None:
    """One reader takes the first, another the last: what was checked and what was meant may differ."""
    request_id, relay_state = door.start(client)
    fields = {"SAMLResponse": [door.response(request_id)], "RelayState": [relay_state]}
    fields[twice].append("another")
    assert client.post(f"{door.root}/acs", data=fields).status_code == 403
    assert session.scalars(select(User)).all() == []
    attempt = last_attempt(session)
    assert attempt.reason == "protocol:parameter_missing"
    (check,) = [check for check in attempt.checks if check["code"] == "parameter_missing"]
    assert check["got"].count(twice) == 2


def test_the_address_of_the_acs_carries_no_response(door: Door, client: FlaskClient, session: Session) -> None:
    request_id, relay_state = door.start(client)
    query = {"SAMLResponse": door.response(request_id), "RelayState": relay_state}
    assert client.post(f"{door.root}/acs", query_string=query).status_code == 403
    assert client.get(f"{door.root}/acs", query_string=query).location == "/p/acme/login"
    assert session.scalars(select(User)).all() == []


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"SAMLResponse=x", "text/plain"),
        (b'{"SAMLResponse": "x"}', "application/json"),
        (b"--b\r\nfoo", "multipart/form-data; boundary=b"),
        (b"--b\r\nfoo", "multipart/form-data"),
        (b"\xff\xfe=1", FORM),
        (b"SAMLResponse=x&RelayState=%ED%A0%80", FORM),
        (b"", FORM),
        (
            b'--b\r\nContent-Disposition: form-data; name="RelayState"\r\nContent-Type: text/plain; charset=utf-7'
            b"\r\n\r\n+2AA-\r\n--b--\r\n",
            "multipart/form-data; boundary=b",
        ),
    ],
)
def test_a_body_of_another_kind_is_a_calm_refusal(
    door: Door, client: FlaskClient, body: bytes, content_type: str
) -> None:
    assert client.post(f"{door.root}/acs", data=body, content_type=content_type).status_code == 403


def test_an_unsigned_response_leaves_little_behind(door: Door, client: FlaskClient, session: Session) -> None:
    """Anybody can post one: names of attributes by the kilobyte must not fill the disk."""
    flood = {f"name-{number}-{'x' * 300}": ["y"] for number in range(300)}
    assert door.post(client, door.response(None, attributes=flood, sign="none")).status_code == 403
    attempt = last_attempt(session)
    assert 0 < len(attempt.arrived) <= 100
    assert max(map(len, attempt.arrived)) <= 200
    assert len(str((attempt.arrived, attempt.checks, attempt.fields, attempt.facts))) < 40_000


@pytest.mark.parametrize("where", ["path", "slug", "query", "field", "name"])
def test_a_zero_byte_is_refused_before_the_database_sees_it(door: Door, client: FlaskClient, where: str) -> None:
    """PostgreSQL refuses NUL in text with an error that would be a server error."""
    answer = {
        "path": lambda: client.get("/sso/%00/login"),
        "slug": lambda: client.get("/p/ac%00me/"),
        "query": lambda: client.get("/p/acme/login?next=/p/acme/%00"),
        "field": lambda: client.post("/p/acme/login", data=b"email=a%00b", content_type=FORM),
        "name": lambda: client.post(f"{door.root}/acs", data=b"a%00b=c", content_type=FORM),
    }[where]()
    assert answer.status_code in {400, 404}
