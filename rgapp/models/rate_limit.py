"""Rate limits: how often something happened, counted for all web processes together."""

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from rgapp.models.base import Base


class RateLimit(Base):
    """One counter of one window of time; `key` is a hash, so no address of anybody stands here.

    On PostgreSQL the table is unlogged: a counter is written often and may be lost in a crash. An installation on
    SQLite counts in a file of its own with this same table, because there is one writer to a file.
    """

    __tablename__ = "rate_limits"
    __table_args__ = (Index("ix_rate_limits_expires_at", "expires_at"),)

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    hits: Mapped[int]
    expires_at: Mapped[datetime]
