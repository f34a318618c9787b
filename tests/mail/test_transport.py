"""Real deliveries: to a mail server, and into a folder."""

import smtplib
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from rgapp.mail.render import Message
from rgapp.mail.transport import FolderTransport, SMTPTransport, compose, make_transport
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


def test_a_mail_arrives_by_smtp_as_text_and_html(smtp: Mailbox) -> None:
    SMTPTransport(smtp.url).send(mail())
    (arrived,) = smtp.messages
    assert (arrived["Subject"], arrived["Auto-Submitted"]) == ("Grüße", "auto-generated")
    assert arrived["From"].addresses[0].display_name == "Ünïted Rewards"
    assert [part.get_content_type() for part in arrived.iter_parts()] == ["text/plain", "text/html"]


def test_a_server_that_turns_mail_away_is_an_smtp_error(smtp: Mailbox) -> None:
    smtp.refuse = "451 later"
    with pytest.raises(smtplib.SMTPDataError):
        SMTPTransport(smtp.url).send(mail())


def test_a_server_without_the_tls_that_is_asked_for_gets_no_mail(smtp: Mailbox) -> None:
    with pytest.raises(smtplib.SMTPNotSupportedError):
        SMTPTransport(smtp.url + "?starttls=1").send(mail())
    assert smtp.messages == []


def test_a_server_without_sign_in_gets_no_password(smtp: Mailbox) -> None:
    with pytest.raises(smtplib.SMTPNotSupportedError):
        SMTPTransport(smtp.url.replace("//", "//user:p%40ss@")).send(mail())


def test_a_plain_server_is_no_smtps_server(smtp: Mailbox) -> None:
    with pytest.raises(OSError, match=r"(?i)ssl|wrong version|record"):
        SMTPTransport(smtp.url.replace("smtp:", "smtps:")).send(mail())


def test_without_a_server_mails_become_files(tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    transport = make_transport("", str(folder))
    transport.send(mail())
    transport.send(mail())
    assert [file.name for file in folder.iterdir()] == ["0190-1.eml"]
    read = message_from_bytes((folder / "0190-1.eml").read_bytes(), policy=policy.default)
    assert read["To"] == "zoe@acme.example"


def test_the_configuration_chooses(tmp_path: Path) -> None:
    assert isinstance(make_transport("smtp://mail.example", str(tmp_path)), SMTPTransport)
    assert isinstance(make_transport("", str(tmp_path)), FolderTransport)


def test_a_header_cannot_be_smuggled_in() -> None:
    with pytest.raises(ValueError, match=r"(?i)linefeed|newline|header"):
        mail("Hello\nBcc: all@acme.example")
