"""Deliver due mails: claim, render, send, note what came of it."""

import logging
import smtplib
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from urllib.parse import urlsplit

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from rgapp.mail.contexts import NotSent, build_context
from rgapp.mail.render import render
from rgapp.mail.transport import Transport, compose
from rgapp.models import MailStatus, OutboxMail, Programme

logger = logging.getLogger(__name__)

TRIES = 12
FIRST_PAUSE = timedelta(seconds=20)
LONGEST_PAUSE = timedelta(hours=4)
# A mail that was claimed and never settled belonged to a worker that died; after this time it is tried again.
CLAIM_LASTS = timedelta(minutes=5)


@dataclass(frozen=True)
class Delivery:
    """What the sender needs besides the database."""

    transport: Transport
    base_url: str
    sender: str


def deliver_due(session: Session, delivery: Delivery, *, now: datetime, limit: int = 100) -> int:
    """Deliver the mails that are due, one transaction for the claim and one for the result of each.

    A second copy is possible in one case only: the process dies after the server took the mail and before the result
    is committed. Returns how many were sent.
    """
    sent = 0
    due = select(OutboxMail.programme_id, OutboxMail.id).where(
        OutboxMail.status.in_((MailStatus.WAITING, MailStatus.SENDING)), OutboxMail.due_at <= now
    )
    keys = session.execute(due.order_by(OutboxMail.due_at).limit(limit)).all()
    session.commit()
    for programme_id, mail_id in keys:
        claimed = session.execute(
            update(OutboxMail)
            .where(
                OutboxMail.programme_id == programme_id,
                OutboxMail.id == mail_id,
                OutboxMail.status.in_((MailStatus.WAITING, MailStatus.SENDING)),
                OutboxMail.due_at <= now,
            )
            .values(status=MailStatus.SENDING, due_at=now + CLAIM_LASTS, tries=OutboxMail.tries + 1)
        )
        session.commit()
        if claimed.rowcount == 1:  # type: ignore[attr-defined]  # CursorResult has it; else another worker was first.
            mail = session.get_one(OutboxMail, (programme_id, mail_id), populate_existing=True)
            sent += _deliver(session, mail, delivery, now)
            session.commit()
    return sent


def _deliver(session: Session, mail: OutboxMail, delivery: Delivery, now: datetime) -> bool:
    programme = session.get_one(Programme, mail.programme_id)
    context = build_context(session, mail, programme, base_url=delivery.base_url, now=now)
    if isinstance(context, NotSent):
        mail.status, mail.last_error = MailStatus.CANCELLED, context.value
        return False
    try:
        message = compose(
            render(mail.kind, context),
            mail_id=str(mail.id),
            sender=delivery.sender,
            sender_name=programme.name,
            recipient=mail.recipient,
            domain=urlsplit(delivery.base_url).hostname or "localhost",
            now=now,
        )
    except Exception as error:
        # A mail that cannot be written down must not hold up the others; a new release may be able to.
        logger.exception("mail %s could not be composed on try %d", mail.id, mail.tries)
        _note_failure(mail, type(error).__name__, now, permanent=False)
        return False
    session.commit()  # The sending is not inside a transaction: a slow mail server must not hold the database.
    return _send(mail, message, delivery.transport, now)


def _send(mail: OutboxMail, message: EmailMessage, transport: Transport, now: datetime) -> bool:
    try:
        transport.send(message)
    except (OSError, smtplib.SMTPException) as error:
        _note_failure(mail, type(error).__name__ + _smtp_code(error), now, permanent=_is_permanent(error))
        logger.warning("mail %s was not sent on try %d: %s", mail.id, mail.tries, mail.last_error)
        return False
    mail.status, mail.sent_at, mail.last_error = MailStatus.SENT, now, ""
    return True


def _note_failure(mail: OutboxMail, reason: str, now: datetime, *, permanent: bool) -> None:
    """Plan the next try, each pause twice as long as the one before, or give up."""
    mail.status = MailStatus.FAILED if permanent or mail.tries >= TRIES else MailStatus.WAITING
    mail.due_at = now + min(FIRST_PAUSE * 2 ** (mail.tries - 1), LONGEST_PAUSE)
    mail.last_error = reason


def _is_permanent(error: Exception) -> bool:
    """Tell whether trying again is useless: the server refuses this recipient for good (RFC 5321 section 4.2.1)."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(500 <= code < 600 for code, _ in error.recipients.values())
    return False


def _smtp_code(error: Exception) -> str:
    code = getattr(error, "smtp_code", None)
    return f" {code}" if code else ""
