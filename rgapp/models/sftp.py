"""SFTP: the account of an integration, its public keys, and the files that were handed over from its spool."""

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from rgapp.models.base import Base, Tenant, key_text


class SFTPAccount(Base):
    """The account with which one integration's files are uploaded.

    The user name is unique over all programmes, for a client that signs in names nothing else: like
    `ConnectionDirectory`, this look-up starts without a programme. The earlier password works until
    `earlier_until`, so that it can be changed without a gap. `known_from` are the addresses of the last good
    sign-ins: who guesses from elsewhere does not slow them down.
    """

    __tablename__ = "sftp_accounts"
    __table_args__ = (
        ForeignKeyConstraint(["programme_id", "integration_id"], ["integrations.programme_id", "integrations.id"]),
        UniqueConstraint("username"),
    )

    programme_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    integration_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(key_text(32))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    password_set_at: Mapped[datetime | None]
    password_set_by: Mapped[str] = mapped_column(String(200), default="")
    password_used_at: Mapped[datetime | None]
    earlier_hash: Mapped[str | None] = mapped_column(String(200))
    earlier_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    last_sign_in_at: Mapped[datetime | None]
    known_from: Mapped[list[Any]] = mapped_column(default=list)


class SFTPKey(Tenant, Base):
    """A public key that opens one account, in OpenSSH's form without its comment; the fingerprint tells it by."""

    __tablename__ = "sftp_keys"
    __table_args__ = (
        ForeignKeyConstraint(
            ["programme_id", "integration_id"], ["sftp_accounts.programme_id", "sftp_accounts.integration_id"]
        ),
        UniqueConstraint("programme_id", "integration_id", "fingerprint"),
    )

    integration_id: Mapped[uuid.UUID]
    name: Mapped[str] = mapped_column(String(100))
    public_key: Mapped[str] = mapped_column(String(2000))
    fingerprint: Mapped[str] = mapped_column(String(60))
    added_at: Mapped[datetime]
    added_by: Mapped[str] = mapped_column(String(200))
    last_used_at: Mapped[datetime | None]


class FileState(StrEnum):
    """What became of a file in the spool."""

    EXAMPLE = "example"
    HANDED_OVER = "handed-over"


class SFTPFile(Tenant, Base):
    """A file of the spool that was taken note of, once: as a run, or as the example of a draft.

    Its `id` is that of the file in the spool, made when it was complete, so the order of ids is that of arrival. A file
    in the spool without a row here still has to be handed over.
    """

    __tablename__ = "sftp_files"
    __table_args__ = (
        ForeignKeyConstraint(["programme_id", "integration_id"], ["integrations.programme_id", "integrations.id"]),
        Index("ix_sftp_files_programme_id_integration_id", "programme_id", "integration_id", "id"),
    )

    integration_id: Mapped[uuid.UUID]
    name: Mapped[str] = mapped_column(String(255))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    received_at: Mapped[datetime]
    state: Mapped[FileState] = mapped_column(String(20))
    run_id: Mapped[uuid.UUID | None]
