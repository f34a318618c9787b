"""Values made to look like, to become, or to break something else."""

from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import String, select
from sqlalchemy.orm import Session

from rgapp.integrations.saml.logout import ReceivedLogoutRequest
from rgapp.mail.render import Message
from rgapp.mail.transport import SMTPTransport, compose
from rgapp.models import OutboxMail, SignInAttempt, User, UserSession
from rgapp.provisioning.record import InvalidValue
from rgapp.provisioning.validation import clean_identifier, read_email, read_membership_no
from rgapp.sso.context import load
from rgapp.sso.logout import end_sessions
from tests.conftest import NOW
from tests.mailbox import Mailbox
from tests.sso.conftest import Door


@pytest.mark.parametrize(
    "address",
    [
        "=?utf-8?q?victim=40bank.example=3E?=@acme.example",
        "=?x?q?=41=42?=@acme.example",
        "=?utf-8?b?YUBi?=@acme.example",
        "a@acme.example\u202e",
        "a\u200d@acme.example",
        "a@acme.example, b@acme.example",
        "a@acme.example\nBcc: b@acme.example",
        '"a b"@acme.example',
        "a@[127.0.0.1]",
        "\u212aate@acme.example",
    ],
)
def test_an_address_that_mail_programs_read_differently_is_refused(address: str) -> None:
    """Header parsers decode encoded words (RFC 2047), also in an address: the mail would go to somebody else."""
    with pytest.raises(InvalidValue):
        read_email(clean_identifier(address))


@pytest.mark.parametrize(
    "number", ["\u212a1001", "E1001\u200d", "E\u200c1001", "\u21261", "E1001\u202e", "E\u00ad1001"]
)
def test_a_number_that_turns_into_or_looks_like_another_is_refused(number: str) -> None:
    """The Kelvin sign composes to K: what the identity provider holds apart must not become one account here."""
    with pytest.raises(InvalidValue):
        read_membership_no(clean_identifier(number))


def test_composed_and_decomposed_letters_are_the_same_number() -> None:
    assert read_membership_no(clean_identifier("E\u0301-1")) == "\u00c9-1"


def test_the_envelope_has_the_address_on_file_and_no_other(smtp: Mailbox) -> None:
    message = compose(
        Message("Hello", "text", "<p>text</p>"),
        mail_id="1",
        sender="rewards@acme.example",
        sender_name="Acme, <x@evil.example> Bcc: y@evil.example",
        recipient="jane@acme.example",
        domain="acme.example",
        now=NOW,
    )
    with closing(SMTPTransport(smtp.url)) as transport:
        transport.send(message)
    (received,) = smtp.messages
    assert received["To"] == "jane@acme.example"
    assert received["Bcc"] is None
    assert [address.addr_spec for address in received["From"].addresses] == ["rewards@acme.example"]


def test_what_an_assertion_says_fits_the_columns(
    make_door: Callable[..., Door], client: FlaskClient, session: Session
) -> None:
    """PostgreSQL refuses text that is too long for its column; SQLite would keep it quietly."""
    door = make_door(idp_initiated=True)
    odd = "ß" * 31 + "@" + ".".join(["x" * 50] * 3) + ".example"
    long: dict[str, Any] = {"name_id_format": "urn:" + "x" * 900, "session_index": "s" * 3000, "name_id": "n" * 1000}
    for changes in (long, long | {"attributes": door.attributes | {"mail": [odd], "employeeNumber": ["E2"]}}):
        assert door.post(client, door.response(None, **changes)).status_code in {303, 403}
    for model in (User, UserSession, SignInAttempt, OutboxMail):
        for row in session.scalars(select(model)):
            for column in model.__table__.columns:
                value = getattr(row, column.name)
                if isinstance(column.type, String) and column.type.length and value:
                    assert len(value) <= column.type.length, (model, column.name)


def test_a_logout_still_ends_a_session_with_a_long_index(
    make_door: Callable[..., Door], client: FlaskClient, session: Session
) -> None:
    door = make_door(idp_initiated=True)
    assert door.post(client, door.response(None, session_index="s" * 3000)).status_code == 303
    found = load(session, door.integration.public_id)
    assert found is not None
    assert end_sessions(session, found, ReceivedLogoutRequest("_1", "E1001", ("s" * 3000,), "")) == 1
