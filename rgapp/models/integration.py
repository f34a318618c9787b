"""Integration: one configured connection of one kind, its published versions, and the directory of public ids."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from rgapp.models.base import Base, Tenant


class Integration(Tenant, Base):
    """One configured connection of one kind.

    `draft` holds settings being worked on and may be incomplete; what is live is the settings of version
    `live_version`, and employees see `live_name`. `tested_digest` is the digest of the draft that last passed a test,
    so an edited draft needs a new one. `directory_owner` makes a directory integration the owner of the fields it maps.
    """

    __tablename__ = "integrations"
    __table_args__ = (UniqueConstraint("programme_id", "name_key"),)

    kind: Mapped[str] = mapped_column(String(20))
    provider: Mapped[str] = mapped_column(String(30))
    name: Mapped[str] = mapped_column(String(60))
    name_key: Mapped[str] = mapped_column(String(60))
    public_id: Mapped[str] = mapped_column(String(43))
    draft: Mapped[dict[str, Any]] = mapped_column(default=dict)
    tested_digest: Mapped[str | None] = mapped_column(String(64))
    live_version: Mapped[int | None]
    live_name: Mapped[str | None] = mapped_column(String(60))
    enabled: Mapped[bool] = mapped_column(default=False)
    directory_owner: Mapped[bool] = mapped_column(default=False)
    service_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    service_certificate: Mapped[str | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    last_activity_at: Mapped[datetime | None]

    @property
    def is_live(self) -> bool:
        """Tell whether people can use this integration now."""
        return self.live_version is not None and self.enabled


class IntegrationVersion(Base):
    """The settings as they were published once; never changed afterwards."""

    __tablename__ = "integration_versions"
    __table_args__ = (
        ForeignKeyConstraint(["programme_id", "integration_id"], ["integrations.programme_id", "integrations.id"]),
    )

    programme_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    integration_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(60))
    settings: Mapped[dict[str, Any]]
    tested: Mapped[bool]
    published_at: Mapped[datetime]
    published_by: Mapped[str] = mapped_column(String(200))


class ConnectionDirectory(Base):
    """Where a public id leads: the only look-up that starts without a programme, because the URL has none."""

    __tablename__ = "connection_directory"
    __table_args__ = (Index("ix_connection_directory_programme_id", "programme_id", "integration_id"),)

    public_id: Mapped[str] = mapped_column(String(43), primary_key=True)
    programme_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("programmes.id"))
    integration_id: Mapped[uuid.UUID]
