"""Hand a rendered mail to SMTP, or to a folder where no SMTP server is configured."""

import os
import smtplib
import socket
import ssl
from contextlib import suppress
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from rgapp.mail.render import Message

STEP_SECONDS = 20
# How long we wait for the answer to the mail itself. Who gives up sooner sends copies of mails that were taken
# (RFC 5321 section 4.5.3.2.6 asks for ten minutes; a worker's claim on a mail has to outlast it).
VERDICT_SECONDS = 120
FAREWELL_SECONDS = 5


class Transport(Protocol):
    """Something that takes mails for delivery."""

    def send(self, message: EmailMessage) -> None:
        """Hand over one mail and return as soon as it is taken; raises `OSError` or `smtplib.SMTPException`."""

    def close(self) -> None:
        """End the conversation, after any number of mails; never raises."""


class _Patience:
    """Waits longer for the answer to the mail itself than for the steps before it."""

    sock: socket.socket | None

    def data(self, msg: Any) -> tuple[int, bytes]:
        """Send the mail (RFC 5321 section 4.1.1.4)."""
        if self.sock is not None:
            self.sock.settimeout(VERDICT_SECONDS)
        try:
            answer: tuple[int, bytes] = super().data(msg)  # type: ignore[misc]  # The class beside this one has it.
        finally:
            if self.sock is not None:
                self.sock.settimeout(STEP_SECONDS)
        return answer


class _SMTP(_Patience, smtplib.SMTP):
    pass


class _SMTPOverTLS(_Patience, smtplib.SMTP_SSL):
    pass


class SMTPTransport:
    """Deliver by SMTP: `smtp://user:password@host:port`, `smtps://…`, or `smtp://…?starttls=1`.

    One connection serves all mails until `close()`. The farewell comes then, and not between the server's answer to
    a mail and our noting it.
    """

    def __init__(self, url: str) -> None:
        self.parts = urlsplit(url)
        self.starttls = parse_qs(self.parts.query).get("starttls") == ["1"]
        self._smtp: smtplib.SMTP | None = None

    def send(self, message: EmailMessage) -> None:
        """Deliver one mail; a connection that has ended meanwhile is opened again before anything is sent."""
        if self._smtp is not None and not _is_ready(self._smtp):
            self._drop()
        if self._smtp is None:
            self._smtp = self._open()
        try:
            self._smtp.send_message(message, to_addrs=[str(message["To"])])
        except (OSError, smtplib.SMTPException):
            self._drop()
            raise

    def close(self) -> None:
        """Say goodbye; nothing depends on the answer."""
        if self._smtp is not None and self._smtp.sock is not None:
            self._smtp.sock.settimeout(FAREWELL_SECONDS)
            with suppress(OSError, smtplib.SMTPException):
                self._smtp.quit()
        self._drop()

    def _drop(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
        self._smtp = None

    def _open(self) -> smtplib.SMTP:
        host, context = self.parts.hostname or "localhost", ssl.create_default_context()
        if self.parts.scheme == "smtps":
            smtp: smtplib.SMTP = _SMTPOverTLS(host, self.parts.port or 465, timeout=STEP_SECONDS, context=context)
        else:
            smtp = _SMTP(host, self.parts.port or 25, timeout=STEP_SECONDS)
        try:
            if self.starttls:
                smtp.starttls(context=context)
            if self.parts.username:
                smtp.login(unquote(self.parts.username), unquote(self.parts.password or ""))
        except (OSError, smtplib.SMTPException):
            smtp.close()
            raise
        return smtp


def _is_ready(smtp: smtplib.SMTP) -> bool:
    """Ask whether the server would take another mail; servers end conversations that last too long for them."""
    try:
        return smtp.rset()[0] == 250
    except (OSError, smtplib.SMTPException):
        return False


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

    def close(self) -> None:
        """Nothing is open."""


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
