"""Sign a test client in to Reward Manager, and count the queries of a request."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from rgapp.auth import staff as accounts
from rgapp.clock import utcnow
from rgapp.extensions import db
from rgapp.models import Staff


def browser_of(app: Flask, staff: Staff) -> FlaskClient:
    """Return a browser in which this staff member is signed in."""
    token = accounts.open_session(db.session(), staff, user_agent="a test", now=utcnow())
    db.session.commit()
    client = app.test_client()
    client.set_cookie("rg_staff", token)
    return with_form_token(client, "/manager/programmes")


def with_form_token(client: FlaskClient, page: str) -> FlaskClient:
    """Let a browser send the CSRF token of a page with everything it posts, as the page's own forms do."""
    found = re.search(r'name="csrf_token"[^>]* value="([^"]+)"', client.get(page).text)
    assert found is not None
    client.environ_base["HTTP_X_CSRFTOKEN"] = found[1]
    return client


@contextmanager
def counted_queries() -> Iterator[list[str]]:
    """Collect the SELECT statements that run inside the block."""
    statements: list[str] = []

    def note(_: Any, __: Any, statement: str, *rest: Any) -> None:
        if statement.lstrip().upper().startswith("SELECT"):
            statements.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
