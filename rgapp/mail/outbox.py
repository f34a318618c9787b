"""Put mails into the outbox, in the transaction that causes them."""

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from rgapp.models import MailStatus, OutboxMail
from rgapp.models.base import new_id
from rgapp.models.rows import insert_row

WAITING_MAIL = "rgapp.waiting_mail"


class MailKind(StrEnum):
    """The mails this application sends."""

    WELCOME = "welcome"
    CERTIFICATE_EXPIRES = "certificate_expires"
    PASSWORD_RESET = "password_reset"  # noqa: S105 - the name of a mail.


def put(
    session: Session,
    kind: MailKind,
    recipient: str,
    *,
    programme_id: uuid.UUID,
    once_key: str,
    now: datetime,
    user_id: uuid.UUID | None = None,
    data: dict[str, Any] | None = None,
) -> None:
    """Write one mail to the outbox; a second one with the same `once_key` in the programme is a constraint error."""
    row = {
        "programme_id": programme_id,
        "id": new_id(),
        "user_id": user_id,
        "kind": kind,
        "once_key": once_key,
        "recipient": recipient,
        "data": data or {},
        "status": MailStatus.WAITING,
        "tries": 0,
        "due_at": now,
        "created_at": now,
        "last_error": "",
    }
    insert_row(session, OutboxMail, row)
    session.info[WAITING_MAIL] = True  # The job queue wakes the mailer once this transaction is committed.


def put_welcome(
    session: Session, programme_id: uuid.UUID, user_id: uuid.UUID, recipient: str, *, now: datetime
) -> None:
    """Write the welcome e-mail of a new user; there can be only one."""
    put(
        session,
        MailKind.WELCOME,
        recipient,
        programme_id=programme_id,
        once_key=f"welcome:{user_id}",
        now=now,
        user_id=user_id,
    )


def resend_welcome(
    session: Session, programme_id: uuid.UUID, user_id: uuid.UUID, recipient: str, *, now: datetime
) -> None:
    """Write the welcome e-mail once more because a person asked for it."""
    put(
        session,
        MailKind.WELCOME,
        recipient,
        programme_id=programme_id,
        once_key=f"welcome:{user_id}:{now.isoformat()}",
        now=now,
        user_id=user_id,
        data={"again": True},
    )
