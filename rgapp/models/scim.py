"""SCIM: bearer tokens, what a client says of users and groups, and the log of its requests."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKeyConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from rgapp.models.base import Base, Tenant, key_text


class SCIMToken(Tenant, Base):
    """A bearer token of one integration; only its SHA-256 is kept, and the last characters to tell it by."""

    __tablename__ = "scim_tokens"
    __table_args__ = (
        ForeignKeyConstraint(["programme_id", "integration_id"], ["integrations.programme_id", "integrations.id"]),
        UniqueConstraint("programme_id", "token_hash"),
        Index("ix_scim_tokens_programme_id_integration_id", "programme_id", "integration_id", "id"),
    )

    integration_id: Mapped[uuid.UUID]
    token_hash: Mapped[str] = mapped_column(String(64))
    label: Mapped[str] = mapped_column(String(60), default="")
    hint: Mapped[str] = mapped_column(String(8))
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(200))
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class SCIMUser(Base):
    """What one SCIM client says of one user (RFC 7643 section 4.1); its SCIM `id` is the user's own.

    `resource` is SCIM JSON as the client left it, without `id`, `meta`, `groups` and `active`: whether somebody is
    active is the user's own status. `search` is the same with every value that is compared without case folded; filters
    and sorting read it.
    """

    __tablename__ = "scim_users"
    __table_args__ = (
        ForeignKeyConstraint(["programme_id", "user_id"], ["users.programme_id", "users.id"]),
        ForeignKeyConstraint(["programme_id", "integration_id"], ["integrations.programme_id", "integrations.id"]),
        UniqueConstraint("programme_id", "integration_id", "user_name_key"),
        Index("ix_scim_users_external_id", "programme_id", "integration_id", "external_id"),
        Index("ix_scim_users_programme_id_user_id", "programme_id", "user_id"),
    )

    programme_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    integration_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    user_name: Mapped[str] = mapped_column(String(255))
    user_name_key: Mapped[str] = mapped_column(key_text(255))
    external_id: Mapped[str | None] = mapped_column(key_text(255))
    resource: Mapped[dict[str, Any]]
    search: Mapped[dict[str, Any]]
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class SCIMGroup(Tenant, Base):
    """A group that a client pushed (RFC 7643 section 4.2): kept for it, and a filter on the Users page."""

    __tablename__ = "scim_groups"
    __table_args__ = (
        ForeignKeyConstraint(["programme_id", "integration_id"], ["integrations.programme_id", "integrations.id"]),
        Index("ix_scim_groups_display_key", "programme_id", "integration_id", "display_key", "id"),
        Index("ix_scim_groups_external_id", "programme_id", "integration_id", "external_id"),
    )

    integration_id: Mapped[uuid.UUID]
    display_name: Mapped[str] = mapped_column(String(255))
    display_key: Mapped[str] = mapped_column(key_text(255))
    external_id: Mapped[str | None] = mapped_column(key_text(255))
    resource: Mapped[dict[str, Any]]
    search: Mapped[dict[str, Any]]
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class SCIMGroupMember(Base):
    """One user in one group."""

    __tablename__ = "scim_group_members"
    __table_args__ = (
        ForeignKeyConstraint(["programme_id", "group_id"], ["scim_groups.programme_id", "scim_groups.id"]),
        ForeignKeyConstraint(["programme_id", "user_id"], ["users.programme_id", "users.id"]),
        Index("ix_scim_group_members_programme_id_user_id", "programme_id", "user_id", "group_id"),
    )

    programme_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    group_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)


class SCIMRequest(Tenant, Base):
    """One request of a client, good or refused, with what provisioning made of it.

    `fields` keeps our mapped fields only, in the form of a sign-in attempt's; `changes` what changed of them, and
    `arrived` the names of the attributes of one that needs explaining. A `listening` request was answered as if it were
    real, and nothing of it was written. Deleted after `expires_at`.
    """

    __tablename__ = "scim_requests"
    __table_args__ = (
        ForeignKeyConstraint(["programme_id", "integration_id"], ["integrations.programme_id", "integrations.id"]),
        Index("ix_scim_requests_integration", "programme_id", "integration_id", "at", "accepted", "listening", "id"),
        Index("ix_scim_requests_user", "programme_id", "user_id", "at"),
        Index("ix_scim_requests_membership_no", "programme_id", "membership_no", "at"),
        Index("ix_scim_requests_email_key", "programme_id", "email_key", "at"),
        Index("ix_scim_requests_expires_at", "expires_at"),
    )

    integration_id: Mapped[uuid.UUID]
    at: Mapped[datetime]
    listening: Mapped[bool]
    method: Mapped[str] = mapped_column(String(8))
    path: Mapped[str] = mapped_column(String(500))
    status: Mapped[int]
    outcome: Mapped[str] = mapped_column(String(20))
    accepted: Mapped[bool]
    reason: Mapped[str] = mapped_column(String(60), default="")
    scim_type: Mapped[str] = mapped_column(String(30), default="")
    detail: Mapped[str] = mapped_column(String(1000), default="")
    user_id: Mapped[uuid.UUID | None]
    membership_no: Mapped[str | None] = mapped_column(key_text(64))
    email_key: Mapped[str | None] = mapped_column(key_text(200))
    person: Mapped[str | None] = mapped_column(String(200))
    fields: Mapped[list[Any]] = mapped_column(default=list)
    changes: Mapped[list[Any]] = mapped_column(default=list)
    arrived: Mapped[list[Any]] = mapped_column(default=list)
    token_hint: Mapped[str] = mapped_column(String(8), default="")
    duration_ms: Mapped[int] = mapped_column(default=0)
    expires_at: Mapped[datetime]
