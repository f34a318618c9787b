"""Staff: people who sign in to Reward Manager, the programmes they may see, and their sessions."""

import uuid
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from rgapp.models.base import Base, new_id
from rgapp.models.principal import Principal


class Role(StrEnum):
    """What a staff member may do: an admin runs given programmes, the others see all of them."""

    ADMIN = "admin"
    SUPPORT = "support"
    OPERATOR = "operator"


class Staff(Principal, Base):
    """Someone who signs in to Reward Manager with e-mail and password, and a second step since `second_factor_at`."""

    __tablename__ = "staff"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(String(200))
    email_key: Mapped[str] = mapped_column(String(200), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    role: Mapped[Role] = mapped_column(String(20))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    second_factor_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    deactivated_at: Mapped[datetime | None]
    last_sign_in_at: Mapped[datetime | None]

    @property
    def is_active(self) -> bool:
        """Tell whether this person still has access."""
        return self.deactivated_at is None

    @property
    def has_second_factor(self) -> bool:
        """Tell whether this person signs in with a second step."""
        return self.second_factor_at is not None

    @property
    def sees_all(self) -> bool:
        """Tell whether this person works across all programmes."""
        return self.role != Role.ADMIN

    @property
    def can_change(self) -> bool:
        """Tell whether this person may change things in the programmes they see; support only looks."""
        return self.role in {Role.ADMIN, Role.OPERATOR}


class StaffGrant(Base):
    """One programme that one admin may run."""

    __tablename__ = "staff_grants"

    staff_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    programme_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("programmes.id"), primary_key=True)
    granted_at: Mapped[datetime]


class StaffSession(Base):
    """A signed-in browser of a staff member; the cookie holds the token, this row only its SHA-256."""

    __tablename__ = "staff_sessions"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    staff_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("staff.id"), index=True)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    user_agent: Mapped[str] = mapped_column(String(200), default="")


class StaffLink(Base):
    """A one-time link with which a staff member sets a password."""

    __tablename__ = "staff_links"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    staff_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("staff.id"), index=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
