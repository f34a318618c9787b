"""Put mails into the outbox, in the transaction that causes them."""

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from rgapp.models import MailStatus, OutboxMail, Role, Staff, StaffGrant
from rgapp.models.base import new_id
from rgapp.models.rows import insert_if_new

WAITING_MAIL = "rgapp.waiting_mail"


class MailKind(StrEnum):
    """The mails this application sends."""

    WELCOME = "welcome"
    CERTIFICATE_EXPIRES = "certificate_expires"
    TOKEN_EXPIRES = "token_expires"  # noqa: S105 - the name of a mail.
    UNUSUAL_LEAVERS = "unusual_leavers"
    SYNC_RUN = "sync_run"
    FEED_SILENT = "feed_silent"
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
) -> bool:
    """Write one mail to the outbox unless there is one with this `once_key` in the programme; tells whether it was."""
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
    written = insert_if_new(session, OutboxMail, row)
    if written:
        session.info[WAITING_MAIL] = True  # The job queue wakes the mailer once this transaction is committed.
    return written


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


def put_for_admins(
    session: Session,
    kind: MailKind,
    *,
    programme_id: uuid.UUID,
    once_key: str,
    now: datetime,
    data: dict[str, Any],
) -> int:
    """Write one mail to each admin of a programme, each once for this key; returns how many were written."""
    return sum(
        put(
            session,
            kind,
            person.email,
            programme_id=programme_id,
            once_key=f"{once_key}:{person.id.hex}",
            now=now,
            data=data,
        )
        for person in admins_of(session, programme_id)
    )


def admins_of(session: Session, programme_id: uuid.UUID) -> list[Staff]:
    """Return the admins who run a programme now."""
    query = (
        select(Staff)
        .join(StaffGrant, StaffGrant.staff_id == Staff.id)
        .where(StaffGrant.programme_id == programme_id, Staff.role == Role.ADMIN, Staff.deactivated_at.is_(None))
        .order_by(Staff.id)
    )
    return list(session.scalars(query))
