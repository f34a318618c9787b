"""The fixtures: a fresh database, sessions that do not leak into requests, no way to other machines."""

import smtplib
import socket
import urllib.request
from email.message import EmailMessage

import pytest
from flask.testing import FlaskClient, FlaskCliRunner
from sqlalchemy import select

from rgapp.models import Programme, User
from tests.factories import Factory
from tests.mailbox import Mailbox


def test_a_request_sees_what_the_test_wrote(client: FlaskClient, make: Factory) -> None:
    programme = make.programme("acme")
    assert client.get(f"/p/{programme.slug}/login").status_code != 404


def test_users_are_made_by_provisioning(make: Factory) -> None:
    user = make.user(make.programme(), first_name="Zoë")
    assert make.session.scalars(select(User)).one() is user
    assert user.first_name == "Zoë"


def test_every_test_starts_without_rows(make: Factory) -> None:
    assert make.session.scalars(select(Programme)).all() == []


def test_commands_run_on_the_same_database(make: Factory, runner: FlaskCliRunner) -> None:
    make.session.commit()
    assert runner.invoke(args=["--help"]).exit_code == 0


def test_no_other_machine_can_be_reached() -> None:
    with socket.socket() as outside, pytest.raises(AssertionError, match="tried to connect"):
        outside.connect(("192.0.2.1", 80))
    with pytest.raises(OSError, match="asked for the name"):
        urllib.request.urlopen("http://idp.example.com/", timeout=1)


def test_the_mail_server_keeps_what_it_is_sent(smtp: Mailbox) -> None:
    message = EmailMessage()
    message["To"], message["From"], message["Subject"] = "a@acme.example", "b@acme.example", "Grüße"
    message.set_content("Hello")
    with smtplib.SMTP(smtp.url.removeprefix("smtp://")) as connection:
        connection.send_message(message)
    assert [arrived["Subject"] for arrived in smtp.messages] == ["Grüße"]
