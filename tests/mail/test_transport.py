"""Real deliveries: to a mail server, and into a folder."""

import smtplib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from rgapp.mail.render import Message
from rgapp.mail.transport import (
    FAREWELL_SECONDS,
    STEP_SECONDS,
    VERDICT_SECONDS,
    FolderTransport,
    SMTPTransport,
    compose,
    make_transport,
)
from tests.conftest import NOW
from tests.mailbox import Mailbox


def mail(subject: str = "Grüße") -> object:
    """Compose a mail with text outside ASCII."""
    return compose(
        Message(subject, "Hallo Zoë\n", "<p>Hallo Zoë</p>"),
        mail_id="0190-1",
        sender="rewards@rewards.example",
        sender_name="Ünïted Rewards",
        recipient="zoe@acme.example",
        domain="rewards.example",
        now=NOW,
    )


@pytest.fixture
def connect() -> Iterator[Callable[[str], SMTPTransport]]:
    """Return a function that makes transports, which are closed in the end."""
    with ExitStack() as opened:
        yield lambda url: opened.enter_context(closing(SMTPTransport(url)))


Connect = Callable[[str], SMTPTransport]


def test_a_mail_arrives_by_smtp_as_text_and_html(smtp: Mailbox, connect: Connect) -> None:
    connect(smtp.url).send(mail())
    (arrived,) = smtp.messages
    assert (arrived["Subject"], arrived["Auto-Submitted"]) == ("Grüße", "auto-generated")
    assert arrived["From"].addresses[0].display_name == "Ünïted Rewards"
    assert [part.get_content_type() for part in arrived.iter_parts()] == ["text/plain", "text/html"]


def test_a_server_that_turns_mail_away_is_an_smtp_error(smtp: Mailbox, connect: Connect) -> None:
    smtp.refuse = "451 later"
    with pytest.raises(smtplib.SMTPDataError):
        connect(smtp.url).send(mail())


def test_one_conversation_serves_many_mails(smtp: Mailbox, connect: Connect) -> None:
    transport = connect(smtp.url)
    for subject in ("one", "two", "three"):
        transport.send(mail(subject))
    assert [message["Subject"] for message in smtp.messages] == ["one", "two", "three"]
    assert smtp.conversations == 1


def test_a_mail_that_is_turned_away_does_not_spoil_the_next(smtp: Mailbox, connect: Connect) -> None:
    transport, smtp.refuse = connect(smtp.url), "451 later"
    with pytest.raises(smtplib.SMTPDataError):
        transport.send(mail())
    smtp.refuse = None
    transport.send(mail())
    assert len(smtp.messages) == 1


def test_a_conversation_that_the_server_ended_is_begun_again(smtp: Mailbox, connect: Connect) -> None:
    transport = connect(smtp.url)
    transport.send(mail("one"))
    smtp.hang_up()
    transport.send(mail("two"))
    assert [message["Subject"] for message in smtp.messages] == ["one", "two"]
    assert smtp.conversations == 2


def test_a_bad_farewell_makes_no_failure_of_a_mail_that_was_taken(smtp: Mailbox, connect: Connect) -> None:
    """It used to: the mail was sent once more."""
    smtp.farewell = "421 too busy to say goodbye"
    transport = connect(smtp.url)
    transport.send(mail())
    transport.close()
    assert len(smtp.messages) == 1


def test_the_answer_to_a_mail_is_waited_for_longer_than_other_answers(
    smtp: Mailbox, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float | None] = []
    really_read = smtplib.SMTP.getreply

    def read(self: smtplib.SMTP) -> tuple[int, bytes]:
        waits.append(self.sock.gettimeout() if self.sock else None)
        return really_read(self)

    monkeypatch.setattr(smtplib.SMTP, "getreply", read)
    transport = connect(smtp.url)
    transport.send(mail())
    transport.close()
    assert waits[-3:] == [VERDICT_SECONDS, VERDICT_SECONDS, FAREWELL_SECONDS]
    assert set(waits[:-3]) == {STEP_SECONDS}


def test_a_server_without_the_tls_that_is_asked_for_gets_no_mail(smtp: Mailbox, connect: Connect) -> None:
    with pytest.raises(smtplib.SMTPNotSupportedError):
        connect(smtp.url + "?starttls=1").send(mail())
    assert smtp.messages == []


def test_a_server_without_sign_in_gets_no_password(smtp: Mailbox, connect: Connect) -> None:
    with pytest.raises(smtplib.SMTPNotSupportedError):
        connect(smtp.url.replace("//", "//user:p%40ss@")).send(mail())


def test_a_plain_server_is_no_smtps_server(smtp: Mailbox, connect: Connect) -> None:
    with pytest.raises(OSError, match=r"(?i)ssl|wrong version|record"):
        connect(smtp.url.replace("smtp:", "smtps:")).send(mail())


def test_without_a_server_mails_become_files(tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    transport = make_transport("", str(folder))
    transport.send(mail())
    transport.send(mail())
    transport.close()
    assert [file.name for file in folder.iterdir()] == ["0190-1.eml"]
    read = message_from_bytes((folder / "0190-1.eml").read_bytes(), policy=policy.default)
    assert read["To"] == "zoe@acme.example"


def test_the_configuration_chooses(tmp_path: Path) -> None:
    assert isinstance(make_transport("smtp://mail.example", str(tmp_path)), SMTPTransport)
    assert isinstance(make_transport("", str(tmp_path)), FolderTransport)


def test_a_header_cannot_be_smuggled_in() -> None:
    with pytest.raises(ValueError, match=r"(?i)linefeed|newline|header"):
        mail("Hello\nBcc: all@acme.example")
