"""Outbox: mails written in the transaction that caused them and delivered afterwards by the worker."""

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from rgapp.models.base import Base, new_id

DUE = "status IN ('waiting', 'sending')"


class MailStatus(StrEnum):
    """Where a mail stands."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    CANCELLED = "cancelled"


class OutboxMail(Base):
    """One mail to one person.

    `once_key` makes a second one of the same purpose impossible. `data` holds what the message cannot look up when it
    is rendered, which happens on delivery: off the request path, and true at the time of sending. Like what is kept in
    the history it has no foreign keys: the database would look the programme up for every row of a file.
    """

    __tablename__ = "outbox_mails"
    __table_args__ = (
        UniqueConstraint("programme_id", "once_key"),
        Index("ix_outbox_mails_due", "due_at", sqlite_where=text(DUE), postgresql_where=text(DUE)),
        Index("ix_outbox_mails_programme_id_user_id", "programme_id", "user_id", "id"),
    )

    programme_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[uuid.UUID | None]
    kind: Mapped[str] = mapped_column(String(40))
    once_key: Mapped[str] = mapped_column(String(120))
    recipient: Mapped[str] = mapped_column(String(200))
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    status: Mapped[MailStatus] = mapped_column(String(10), default=MailStatus.WAITING)
    tries: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    last_error: Mapped[str] = mapped_column(String(300), default="")
