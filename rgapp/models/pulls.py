"""Pulls: what opens the way into the other side of an integration, sealed, and how it went there last."""

import uuid
from datetime import datetime

from sqlalchemy import ForeignKeyConstraint, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from rgapp.models.base import Base


class PullAccess(Base):
    """What opens the way into the other side of one integration that pulls; settings and versions never hold it.

    `sealed` are the secrets of its `method`. `checked_at` is when the other side let us in last, `problem` a code for
    why it does not since `problem_since`, with the `sentence` for it. A consent that was begun is known by the hash of
    its state and of the session that began it, until `consent_until`.
    """

    __tablename__ = "pull_access"
    __table_args__ = (
        ForeignKeyConstraint(["programme_id", "integration_id"], ["integrations.programme_id", "integrations.id"]),
    )

    programme_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    integration_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    method: Mapped[str] = mapped_column(String(20))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    set_at: Mapped[datetime]
    set_by: Mapped[str] = mapped_column(String(200))
    checked_at: Mapped[datetime | None]
    problem: Mapped[str] = mapped_column(String(40), default="")
    sentence: Mapped[str] = mapped_column(String(500), default="")
    problem_since: Mapped[datetime | None]
    consent_hash: Mapped[str | None] = mapped_column(String(64))
    consent_until: Mapped[datetime | None]
