"""Sync runs of feeds: each file and each pull, what it found, whom it would take out, and whom a feed has brought."""

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from rgapp.models.base import Base, Tenant, key_text

OPEN = "state IN ('received', 'running')"


class RunState(StrEnum):
    """Where a run stands."""

    RECEIVED = "received"
    RUNNING = "running"
    APPLIED = "applied"
    HELD = "held"
    FAILED = "failed"
    DISCARDED = "discarded"


class RunPhase(StrEnum):
    """What is done with a running one; a run that was cut off goes on there.

    Listed are those who are absent while another feed names them. Last come those who take an address that somebody
    gives up in the same run.
    """

    CHECK = "check"
    APPLY = "apply"
    LEAVERS = "leavers"
    ABSENT = "absent"
    LISTED = "listed"
    LAST = "last"


class SyncRun(Tenant, Base):
    """One file or one pull of one integration, from its arrival to its end.

    `reason` is a code, `facts` what its sentence needs. `version` is that of the settings by which it was read; a
    preview of a draft keeps its own `settings`. `fingerprint` identifies how rows were read, `content_digest` the bytes
    of the file. Whoever works on a run holds its lease, under a token that every write of that work names.
    `stage_offset` is where in the staged rows the next batch begins. The counters move while a run works. `pulled` is
    what a pull said of itself: how many people there were, how many had each field, and where the next pull goes on.
    """

    __tablename__ = "sync_runs"
    __table_args__ = (
        ForeignKeyConstraint(["programme_id", "integration_id"], ["integrations.programme_id", "integrations.id"]),
        Index("ix_sync_runs_programme_id_integration_id", "programme_id", "integration_id", "id"),
        Index(
            "ix_sync_runs_open",
            "programme_id",
            "integration_id",
            "id",
            sqlite_where=text(OPEN),
            postgresql_where=text(OPEN),
        ),
    )

    integration_id: Mapped[uuid.UUID]
    state: Mapped[RunState] = mapped_column(String(10), default=RunState.RECEIVED)
    phase: Mapped[RunPhase] = mapped_column(String(10), default=RunPhase.CHECK)
    preview: Mapped[bool] = mapped_column(default=False)
    file: Mapped[str] = mapped_column(String(255), default="")
    path: Mapped[str | None] = mapped_column(String(1000))
    size_bytes: Mapped[int | None] = mapped_column(BigInteger)
    content_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    wants_full: Mapped[bool] = mapped_column(default=False)
    full: Mapped[bool | None]
    version: Mapped[int | None]
    settings: Mapped[dict[str, Any] | None]
    fingerprint: Mapped[bytes | None] = mapped_column(LargeBinary)
    pulled: Mapped[dict[str, Any] | None]
    received_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    checked_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    lease: Mapped[str | None] = mapped_column(String(200))
    lease_until: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)
    share: Mapped[int] = mapped_column(default=0)
    row_count: Mapped[int] = mapped_column(default=0)
    stage_offset: Mapped[int] = mapped_column(BigInteger, default=0)
    created: Mapped[int] = mapped_column(default=0)
    updated: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    reactivated: Mapped[int] = mapped_column(default=0)
    deactivated: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    warnings: Mapped[int] = mapped_column(default=0)
    leavers: Mapped[int] = mapped_column(default=0)
    problems: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str] = mapped_column(String(60), default="")
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    released_at: Mapped[datetime | None]
    release_asked_by: Mapped[uuid.UUID | None]
    release_asked_at: Mapped[datetime | None]
    settled_by: Mapped[str] = mapped_column(String(200), default="")


class SyncProblem(Base):
    """One thing that a run found in one row: why it is refused, or what of it was left out with a warning."""

    __tablename__ = "sync_problems"
    __table_args__ = (
        ForeignKeyConstraint(["programme_id", "run_id"], ["sync_runs.programme_id", "sync_runs.id"]),
        Index("ix_sync_problems_membership_no", "programme_id", "membership_no"),
    )

    programme_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    run_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    row_number: Mapped[int]
    refused: Mapped[bool]
    code: Mapped[str] = mapped_column(String(40))
    column_name: Mapped[str] = mapped_column(String(200), default="")
    cell: Mapped[str] = mapped_column(String(200), default="")
    membership_no: Mapped[str | None] = mapped_column(key_text(64))
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)


class SyncLeaver(Base):
    """Somebody whom a run would take out or took out; `gone` once that was done or was no longer called for."""

    __tablename__ = "sync_leavers"
    __table_args__ = (
        ForeignKeyConstraint(["programme_id", "run_id"], ["sync_runs.programme_id", "sync_runs.id"]),
        Index("ix_sync_leavers_run", "programme_id", "run_id", "gone", "key"),
    )

    programme_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    run_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(key_text(64), primary_key=True)
    user_id: Mapped[uuid.UUID]
    person: Mapped[str] = mapped_column(String(200))
    row_number: Mapped[int | None]
    gone: Mapped[bool] = mapped_column(default=False)


class FeedRecord(Base):
    """Somebody whom a feed has created or matched, under the feed's own key: the Membership No. in a file.

    Absence concerns these people alone. `digest` is of what the row said, `row_digest` of how it said it: where the
    latter is equal, the row is known to the last cell and found good. `present` is False once she was absent and taken
    out, or left to another feed that names her. There are no foreign keys: the database would look up for each row of a
    file what has just been written.
    """

    __tablename__ = "feed_records"
    __table_args__ = (
        Index("ix_feed_records_programme_id_user_id", "programme_id", "user_id"),
        # One tree instead of two: a file of a million people is compared with this table.
        {"sqlite_with_rowid": False},
    )

    programme_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    integration_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(key_text(64), primary_key=True)
    user_id: Mapped[uuid.UUID]
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    row_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    present: Mapped[bool] = mapped_column(default=True)
