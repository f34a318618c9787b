"""Deliver due mails: claim, render, send, note what came of it.

SMTP has no transaction that spans two parties, so one of two things must be possible: a lost mail or a second one.
We choose the second one. It can happen in exactly these cases, and every copy carries the same Message-ID:

1. The server took the mail (its answer to DATA arrived) and this process dies before the commit that says so. Between
   the two there is that one UPDATE and nothing else: no farewell to the server, no other mail.
2. The answer to DATA never arrives: the connection breaks, or the server thinks longer than the two minutes that we
   wait (RFC 5321 section 4.5.3.2.6; RFC 1047). Only the server knows then whether it took the mail.
3. The database cannot be reached from that moment on for longer than `SETTLE_PAUSES`, which is the first case again.

A process that dies at any other line leaves the mail unsent and its claim behind; the claim lapses, and another worker
sends the mail.
"""

import logging
import smtplib
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Select, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from rgapp.mail.contexts import NotSent, build_context
from rgapp.mail.render import render
from rgapp.mail.transport import Transport, compose
from rgapp.models import MailStatus, OutboxMail, Programme
from rgapp.models.outbox import DUE
from rgapp.turnstile import patiently

logger = logging.getLogger(__name__)

TRIES = 12
FIRST_PAUSE = timedelta(seconds=20)
LONGEST_PAUSE = timedelta(hours=4)
# A mail that was claimed and never settled belonged to a worker that died; after this time it is tried again. Longer
# than a batch and the slowest conversation with a server together, so that nobody takes a mail that is being sent.
CLAIM_LASTS = timedelta(minutes=10)
BATCH_SECONDS = 60.0
# What happened to a mail must be kept although the database restarts at that moment: else it would be sent again.
SETTLE_PAUSES = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 30.0)


@dataclass(frozen=True)
class Delivery:
    """What the sender needs besides the database."""

    transport: Transport
    base_url: str
    sender: str
    wait: Callable[[float], None] = time.sleep


def deliver_due(session: Session, delivery: Delivery, *, now: datetime, limit: int = 100) -> int:
    """Deliver the mails that are due, one transaction for the claim and one for the result of each.

    Ends when nothing is due any more or a minute is over, whichever is first; returns how many were sent.
    """
    sent, started = 0, time.monotonic()
    try:
        with patiently():
            while keys := _due(session, now, limit):
                for programme_id, mail_id in keys:
                    if time.monotonic() - started > BATCH_SECONDS:
                        return sent  # Claims are counted from `now`: those of a longer batch would lapse too soon.
                    mail = _claim(session, programme_id, mail_id, now)
                    if mail is not None:
                        sent += _deliver(session, mail, delivery, now)
    finally:
        delivery.transport.close()
    return sent


def due_mails(now: datetime, limit: int) -> Select[uuid.UUID, uuid.UUID]:
    """Return the query for programme and id of the mails that are due, those that wait longest first."""
    # In the words of the index that holds them, for it is used for no others.
    due = select(OutboxMail.programme_id, OutboxMail.id).where(text(DUE), OutboxMail.due_at <= now)
    return due.order_by(OutboxMail.due_at).limit(limit)


def _due(session: Session, now: datetime, limit: int) -> list[Any]:
    keys = list(session.execute(due_mails(now, limit)))
    session.commit()
    return keys


def _claim(session: Session, programme_id: Any, mail_id: Any, now: datetime) -> OutboxMail | None:
    """Take a mail for ourselves; None where another worker was first."""
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
    if claimed.rowcount != 1:  # type: ignore[attr-defined]  # CursorResult has it.
        return None
    return session.get_one(OutboxMail, (programme_id, mail_id), populate_existing=True)


def _deliver(session: Session, mail: OutboxMail, delivery: Delivery, now: datetime) -> bool:
    if mail.tries > TRIES:
        # Every try ended with the death of its worker: the mail must not go on to kill them.
        _settle(session, mail, delivery, status=MailStatus.FAILED, last_error=mail.last_error or "never finished")
        return False
    programme = session.get_one(Programme, mail.programme_id)
    context = build_context(session, mail, programme, base_url=delivery.base_url, now=now)
    if isinstance(context, NotSent):
        _settle(session, mail, delivery, status=MailStatus.CANCELLED, last_error=context.value)
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
        session.rollback()
        logger.exception("mail %s could not be composed on try %d", mail.id, mail.tries)
        _settle(session, mail, delivery, **_failure(mail, type(error).__name__, now, permanent=False))
        return False
    session.commit()  # The sending is not inside a transaction: a slow mail server must not hold the database.
    return _send(session, mail, message, delivery, now)


def _send(session: Session, mail: OutboxMail, message: EmailMessage, delivery: Delivery, now: datetime) -> bool:
    try:
        delivery.transport.send(message)
    except (OSError, smtplib.SMTPException) as error:
        failure = _failure(mail, type(error).__name__ + _smtp_code(error), now, permanent=_is_permanent(error))
        logger.warning("mail %s was not sent on try %d: %s", mail.id, mail.tries, failure["last_error"])
        _settle(session, mail, delivery, **failure)
        return False
    _settle(session, mail, delivery, status=MailStatus.SENT, sent_at=now, last_error="")
    return True


def _settle(session: Session, mail: OutboxMail, delivery: Delivery, **values: Any) -> None:
    """Write what came of our claim and commit; where the database is away, try again for a while.

    The number of the try stands for the claim: what came of a claim that has lapsed is not written over a newer one.
    """
    ours = (
        OutboxMail.programme_id == mail.programme_id,
        OutboxMail.id == mail.id,
        OutboxMail.status == MailStatus.SENDING,
        OutboxMail.tries == mail.tries,
    )
    for pause in (*SETTLE_PAUSES, None):
        try:
            session.execute(update(OutboxMail).where(*ours).values(**values))
            session.commit()
        except DBAPIError as error:
            session.rollback()
            if pause is None:
                raise
            logger.warning("what came of mail %s could not be kept yet: %s", mail.id, type(error.orig).__name__)
            delivery.wait(pause)
        else:
            return


def _failure(mail: OutboxMail, reason: str, now: datetime, *, permanent: bool) -> dict[str, Any]:
    """Return what is kept of a failure: the next try, each pause twice as long as the one before, or the end."""
    return {
        "status": MailStatus.FAILED if permanent or mail.tries >= TRIES else MailStatus.WAITING,
        "due_at": now + min(FIRST_PAUSE * 2 ** (mail.tries - 1), LONGEST_PAUSE),
        "last_error": reason,
    }


def _is_permanent(error: Exception) -> bool:
    """Tell whether trying again is useless: the server refuses this recipient for good (RFC 5321 section 4.2.1)."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(500 <= code < 600 for code, _ in error.recipients.values())
    return False


def _smtp_code(error: Exception) -> str:
    code = getattr(error, "smtp_code", None)
    return f" {code}" if code else ""
