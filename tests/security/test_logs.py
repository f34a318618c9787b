"""What the log may not hold."""

import logging
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.exc import IntegrityError

from rgapp.access import public
from tests.sso.conftest import Door

SECRETS = ("Jane", "E1001", "jane.carter", "SAMLResponse", "RelayState", "PHNhbWxw")


def test_a_sign_in_and_its_refusals_leave_nobody_in_the_log(
    door: Door, app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = app.test_client()
    door.sign_in(client, "/p/acme/details")
    client.get("/p/acme/details")
    door.sign_in(client, mail=None)
    door.post(client, door.response(None))
    door.post(client, "garbage")
    for secret in SECRETS:
        assert secret not in caplog.text


def test_an_error_of_the_database_names_no_value(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    class Violation(Exception):
        """What PostgreSQL says of a constraint."""

    value = "@".join(("jane", "acme.example"))  # The trace quotes lines of code, which is all it may quote.

    @app.get("/fails")
    @public
    def fails() -> Any:
        raise IntegrityError("INSERT", {"email": value}, Violation(f"Key (email)=({value})"))

    answer = app.test_client().get("/fails")
    assert answer.status_code == 500
    assert value not in caplog.text + answer.text
    assert "Violation" in caplog.text
