"""External identity: what one integration calls one user, for sources that have a stable identifier of their own."""

import uuid
from datetime import datetime

from sqlalchemy import ForeignKeyConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from rgapp.models.base import Base


class ExternalIdentity(Base):
    """One integration's identifier of one user, compared exactly; unique in the integration by its key."""

    __tablename__ = "external_identities"
    __table_args__ = (
        ForeignKeyConstraint(["programme_id", "user_id"], ["users.programme_id", "users.id"]),
        ForeignKeyConstraint(["programme_id", "integration_id"], ["integrations.programme_id", "integrations.id"]),
        Index("ix_external_identities_programme_id_user_id", "programme_id", "user_id"),
    )

    programme_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    integration_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    external_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    user_id: Mapped[uuid.UUID]
    created_at: Mapped[datetime]
