"""Hand a rendered mail to SMTP, or to a folder where no SMTP server is configured."""

import os
import smtplib
import ssl
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from rgapp.mail.render import Message

SMTP_TIMEOUT_SECONDS = 20


class Transport(Protocol):
    """Something that takes a mail for delivery, or raises `OSError` or `smtplib.SMTPException`."""

    def send(self, message: EmailMessage) -> None:
        """Deliver one mail."""


class SMTPTransport:
    """Deliver by SMTP: `smtp://user:password@host:port`, `smtps://…`, or `smtp://…?starttls=1`."""

    def __init__(self, url: str) -> None:
        self.parts = urlsplit(url)
        self.starttls = parse_qs(self.parts.query).get("starttls") == ["1"]

    def send(self, message: EmailMessage) -> None:
        """Deliver one mail over its own connection."""
        host, context = self.parts.hostname or "localhost", ssl.create_default_context()
        if self.parts.scheme == "smtps":
            connection: smtplib.SMTP = smtplib.SMTP_SSL(
                host, self.parts.port or 465, timeout=SMTP_TIMEOUT_SECONDS, context=context
            )
        else:
            connection = smtplib.SMTP(host, self.parts.port or 25, timeout=SMTP_TIMEOUT_SECONDS)
        with connection as smtp:
            if self.starttls:
                smtp.starttls(context=context)
            if self.parts.username:
                smtp.login(unquote(self.parts.username), unquote(self.parts.password or ""))
            smtp.send_message(message, to_addrs=[str(message["To"])])


class FolderTransport:
    """Write each mail as one `.eml` file: the demo's mailbox. Writing twice gives the same file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def send(self, message: EmailMessage) -> None:
        """Write one mail, whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        name = message["Message-ID"].strip("<>").partition("@")[0]
        draft = self.folder / f".{name}"
        draft.write_bytes(message.as_bytes())
        os.replace(draft, self.folder / f"{name}.eml")


def make_transport(smtp_url: str, folder: str) -> Transport:
    """Return SMTP where it is configured, else the folder."""
    return SMTPTransport(smtp_url) if smtp_url else FolderTransport(Path(folder))


def compose(
    message: Message,
    *,
    mail_id: str,
    sender: str,
    sender_name: str,
    recipient: str,
    domain: str,
    now: datetime,
) -> EmailMessage:
    """Build the MIME message; its Message-ID follows from the outbox id, so a second copy is recognisable as one."""
    mime = EmailMessage()
    mime["Subject"] = message.subject
    mime["From"] = formataddr((sender_name, sender))
    mime["To"] = recipient
    mime["Date"] = format_datetime(now)
    mime["Message-ID"] = f"<{mail_id}@{domain}>"
    mime["Auto-Submitted"] = "auto-generated"
    mime.set_content(message.text)
    mime.add_alternative(message.html, subtype="html")
    return mime
