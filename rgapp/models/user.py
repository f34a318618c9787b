"""User: an employee's account in one programme, its sessions and its password link."""

import uuid
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKeyConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from rgapp.models.base import Base, Tenant, key_text
from rgapp.models.principal import Principal
from rgapp.models.sources import FieldSources


class UserStatus(StrEnum):
    """Whether an account may be used."""

    ACTIVE = "active"
    LEAVER = "leaver"


class User(Principal, Tenant, Base):
    """An employee's account in one programme.

    Written by `rgapp.provisioning` alone. `email_key` and the two name keys are the case-folded forms that uniqueness
    and search compare. `field_sources` tells for each field which source gave it: `{field: {"source", "name",
    "integration_id", "at"}}`. `gaps` lists the recommended fields that are empty, with the reason where one is known.
    """

    __tablename__ = "users"
    __table_args__ = (
        UniqueConstraint("programme_id", "membership_no"),
        UniqueConstraint("programme_id", "email_key"),
        # Each starts with the programme and ends with what lists are ordered by, so that pages are read in order. The
        # filters stand beside the names, where they are checked while a page is looked for.
        Index(
            "ix_users_programme_id_name",
            "programme_id",
            "last_key",
            "first_key",
            "id",
            "status",
            "source",
            "incomplete",
        ),
        Index("ix_users_programme_id_first_name", "programme_id", "first_key", "last_key", "id"),
        # The counts beside the filters, and kinds of which there are few. Without names: a load adds to its end.
        Index("ix_users_programme_id_kind", "programme_id", "status", "source", "incomplete", "id"),
    )

    membership_no: Mapped[str] = mapped_column(key_text(64))
    email: Mapped[str | None] = mapped_column(String(200))
    email_key: Mapped[str | None] = mapped_column(key_text(200))
    first_name: Mapped[str | None] = mapped_column(String(50))
    last_name: Mapped[str | None] = mapped_column(String(50))
    first_key: Mapped[str] = mapped_column(key_text(100), default="")
    last_key: Mapped[str] = mapped_column(key_text(100), default="")
    date_of_birth: Mapped[date | None]
    status: Mapped[UserStatus] = mapped_column(String(10), default=UserStatus.ACTIVE)
    source: Mapped[str] = mapped_column(String(20))
    source_integration_id: Mapped[uuid.UUID | None]
    field_sources: Mapped[dict[str, Any]] = mapped_column(FieldSources(), default=dict)
    gaps: Mapped[dict[str, Any]] = mapped_column(default=dict)
    incomplete: Mapped[bool] = mapped_column(default=False)
    password_hash: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    deactivated_at: Mapped[datetime | None]
    last_sign_in_at: Mapped[datetime | None]

    @property
    def is_active(self) -> bool:
        """Tell Flask-Login whether this account may be used."""
        return self.status == UserStatus.ACTIVE

    @property
    def display_name(self) -> str:
        """Return the name to address the person by, or the Membership No. where no name is known."""
        return " ".join(part for part in (self.first_name, self.last_name) if part) or self.membership_no


class UserSession(Base):
    """A signed-in browser of an employee; the cookie holds the token, this row only its SHA-256."""

    __tablename__ = "user_sessions"
    __table_args__ = (
        ForeignKeyConstraint(["programme_id", "user_id"], ["users.programme_id", "users.id"]),
        Index("ix_user_sessions_programme_id_user_id", "programme_id", "user_id"),
        Index("ix_user_sessions_programme_id_integration_id", "programme_id", "integration_id", "name_id"),
        Index("ix_user_sessions_expires_at", "expires_at"),
    )

    programme_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[uuid.UUID]
    integration_id: Mapped[uuid.UUID | None]
    name_id: Mapped[str | None] = mapped_column(String(1024))
    name_id_format: Mapped[str | None] = mapped_column(String(200))
    name_qualifier: Mapped[str | None] = mapped_column(String(1024))
    sp_name_qualifier: Mapped[str | None] = mapped_column(String(1024))
    session_index: Mapped[str | None] = mapped_column(String(1024))
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    user_agent: Mapped[str] = mapped_column(String(200), default="")


class UserLink(Base):
    """A one-time link with which an employee sets a password, in programmes that have passwords."""

    __tablename__ = "user_links"
    __table_args__ = (ForeignKeyConstraint(["programme_id", "user_id"], ["users.programme_id", "users.id"]),)

    programme_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[uuid.UUID]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
