"""Sign-in: one-use AuthnRequest records, the replay memory, and the attempts that support staff look up."""

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKeyConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from rgapp.models.base import Base, Tenant


class Purpose(StrEnum):
    """What a sign-in is for: the real thing, or a dry run for an admin."""

    SIGN_IN = "sign-in"
    TEST = "test"
    PASTED = "pasted"


class SAMLRequest(Base):
    """An AuthnRequest that waits for its response; used once, found by the RelayState that carries its handle.

    `handle_hash` is the SHA-256 of the RelayState, `browser_hash` that of the cookie which binds the browser.
    """

    __tablename__ = "saml_requests"
    __table_args__ = (Index("ix_saml_requests_expires_at", "expires_at"),)

    programme_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    handle_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    integration_id: Mapped[uuid.UUID]
    request_id: Mapped[str] = mapped_column(String(80))
    browser_hash: Mapped[str] = mapped_column(String(64))
    next_path: Mapped[str] = mapped_column(String(2000), default="")
    purpose: Mapped[Purpose] = mapped_column(String(10))
    staff_id: Mapped[uuid.UUID | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class SAMLReplay(Base):
    """An assertion that was used; kept until it would have expired anyway, so that no web node takes it twice."""

    __tablename__ = "saml_replays"
    __table_args__ = (Index("ix_saml_replays_expires_at", "expires_at"),)

    programme_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    integration_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    replay_key: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at: Mapped[datetime]


class SignInAttempt(Tenant, Base):
    """One SAML login, good or bad, or one dry run of an admin.

    `fields` keeps our mapped fields only, `checks` the protocol's verdicts, `arrived` the names of attributes (never
    their values). Deleted after `expires_at`.
    """

    __tablename__ = "sign_in_attempts"
    __table_args__ = (
        ForeignKeyConstraint(["programme_id", "integration_id"], ["integrations.programme_id", "integrations.id"]),
        UniqueConstraint("programme_id", "reference"),
        Index(
            "ix_sign_in_attempts_integration",
            "programme_id",
            "integration_id",
            "at",
            "purpose",
            "accepted",
            "id",
        ),
        Index("ix_sign_in_attempts_user", "programme_id", "user_id", "at"),
        Index("ix_sign_in_attempts_programme_id_membership_no", "programme_id", "membership_no", "at"),
        Index("ix_sign_in_attempts_programme_id_email_key", "programme_id", "email_key", "at"),
        Index("ix_sign_in_attempts_expires_at", "expires_at"),
    )

    integration_id: Mapped[uuid.UUID]
    reference: Mapped[str] = mapped_column(String(12))
    at: Mapped[datetime]
    purpose: Mapped[Purpose] = mapped_column(String(10))
    accepted: Mapped[bool]
    outcome: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(String(60), default="")
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    user_id: Mapped[uuid.UUID | None]
    membership_no: Mapped[str | None] = mapped_column(String(64))
    email_key: Mapped[str | None] = mapped_column(String(200))
    person: Mapped[str | None] = mapped_column(String(200))
    fields: Mapped[list[Any]] = mapped_column(default=list)
    checks: Mapped[list[Any]] = mapped_column(default=list)
    arrived: Mapped[list[Any]] = mapped_column(default=list)
    idp_initiated: Mapped[bool] = mapped_column(default=False)
    expires_at: Mapped[datetime]
