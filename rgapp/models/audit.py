"""Audit event: one line of history about a programme, a user, an integration or a staff member."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from rgapp.models.base import Base, new_id

OF_NOBODY = "user_id IS NULL"


class AuditEvent(Base):
    """What happened, who did it, to whom, with the facts as data; words are chosen where it is shown.

    `programme_id` is empty for events of the platform itself (staff without a programme). There are no foreign keys:
    history outlives what it is about, and the database would look each up for every row of a file.
    """

    __tablename__ = "audit_events"
    __table_args__ = (
        Index("ix_audit_events_programme_id_id", "programme_id", "id"),
        Index("ix_audit_events_programme_id_user_id", "programme_id", "user_id", "id"),
        # What happened to people stands under them: a file of a million people is a million events of its integration.
        Index(
            "ix_audit_events_programme_id_integration_id",
            "programme_id",
            "integration_id",
            "id",
            sqlite_where=text(OF_NOBODY),
            postgresql_where=text(OF_NOBODY),
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    programme_id: Mapped[uuid.UUID | None]
    at: Mapped[datetime]
    tag: Mapped[str] = mapped_column(String(60))
    actor_kind: Mapped[str] = mapped_column(String(20))
    actor_id: Mapped[uuid.UUID | None]
    actor_label: Mapped[str] = mapped_column(String(200))
    user_id: Mapped[uuid.UUID | None]
    integration_id: Mapped[uuid.UUID | None]
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
