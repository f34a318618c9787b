"""The guard's memory: who was taken out by a feed, and alerts that wait for an admin."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from rgapp.models.base import Base, Tenant


class Deactivation(Tenant, Base):
    """One deactivation by a feed; the guard counts those of the last day over all feeds of a programme."""

    __tablename__ = "deactivations"
    __table_args__ = (Index("ix_deactivations_programme_id_at", "programme_id", "at", "integration_id"),)

    at: Mapped[datetime]
    user_id: Mapped[uuid.UUID]
    source: Mapped[str] = mapped_column(String(20))
    integration_id: Mapped[uuid.UUID | None]


class Alert(Tenant, Base):
    """Something unusual that an admin has to look at; open until somebody settles it."""

    __tablename__ = "alerts"
    __table_args__ = (
        Index("ix_alerts_programme_id_settled_at", "programme_id", "settled_at", "raised_at"),
        # One alert of a kind stands at a time, whoever raises it.
        Index(
            "uq_alerts_open",
            "programme_id",
            "kind",
            unique=True,
            sqlite_where=text("settled_at IS NULL"),
            postgresql_where=text("settled_at IS NULL"),
        ),
    )

    kind: Mapped[str] = mapped_column(String(40))
    integration_id: Mapped[uuid.UUID | None]
    raised_at: Mapped[datetime]
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[str] = mapped_column(String(200), default="")
