"""Sync runs of feeds, what they found, whom a feed has brought; a second person for what the guard held"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql


revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def key_text(length):
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
OPEN = "state IN ('received', 'running')"


def upgrade() -> None:
    op.add_column(
        "programmes", sa.Column("guard_second_person", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.create_table(
        "sync_runs",
        sa.Column("integration_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("phase", sa.String(length=10), nullable=False),
        sa.Column("preview", sa.Boolean(), nullable=False),
        sa.Column("file", sa.String(length=255), nullable=False),
        sa.Column("path", sa.String(length=1000), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=True),
        sa.Column("content_digest", sa.LargeBinary(), nullable=True),
        sa.Column("wants_full", sa.Boolean(), nullable=False),
        sa.Column("full", sa.Boolean(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("settings", JSON, nullable=True),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease", sa.String(length=200), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("share", sa.Integer(), nullable=False),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.Column("stage_offset", sa.BigInteger(), nullable=False),
        sa.Column("created", sa.Integer(), nullable=False),
        sa.Column("updated", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("reactivated", sa.Integer(), nullable=False),
        sa.Column("deactivated", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("warnings", sa.Integer(), nullable=False),
        sa.Column("leavers", sa.Integer(), nullable=False),
        sa.Column("problems", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=60), nullable=False),
        sa.Column("facts", JSON, nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("release_asked_by", sa.Uuid(), nullable=True),
        sa.Column("release_asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.String(length=200), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id", "integration_id"],
            ["integrations.programme_id", "integrations.id"],
            name=op.f("fk_sync_runs_programme_id_integration_id_integrations"),
        ),
        sa.ForeignKeyConstraint(["programme_id"], ["programmes.id"], name=op.f("fk_sync_runs_programme_id_programmes")),
        sa.PrimaryKeyConstraint("programme_id", "id", name=op.f("pk_sync_runs")),
    )
    op.create_index(
        "ix_sync_runs_programme_id_integration_id", "sync_runs", ["programme_id", "integration_id", "id"]
    )
    op.create_index(
        "ix_sync_runs_open",
        "sync_runs",
        ["programme_id", "integration_id", "id"],
        sqlite_where=sa.text(OPEN),
        postgresql_where=sa.text(OPEN),
    )
    op.create_table(
        "sync_problems",
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("row_number", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Boolean(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("column_name", sa.String(length=200), nullable=False),
        sa.Column("cell", sa.String(length=200), nullable=False),
        sa.Column("membership_no", key_text(64), nullable=True),
        sa.Column("facts", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id", "run_id"],
            ["sync_runs.programme_id", "sync_runs.id"],
            name=op.f("fk_sync_problems_programme_id_run_id_sync_runs"),
        ),
        sa.PrimaryKeyConstraint("programme_id", "run_id", "number", name=op.f("pk_sync_problems")),
    )
    op.create_index("ix_sync_problems_membership_no", "sync_problems", ["programme_id", "membership_no"])
    op.create_table(
        "sync_leavers",
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("key", key_text(64), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("person", sa.String(length=200), nullable=False),
        sa.Column("row_number", sa.Integer(), nullable=True),
        sa.Column("gone", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id", "run_id"],
            ["sync_runs.programme_id", "sync_runs.id"],
            name=op.f("fk_sync_leavers_programme_id_run_id_sync_runs"),
        ),
        sa.PrimaryKeyConstraint("programme_id", "run_id", "key", name=op.f("pk_sync_leavers")),
    )
    op.create_index("ix_sync_leavers_run", "sync_leavers", ["programme_id", "run_id", "gone", "key"])
    op.create_table(
        "feed_records",
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("integration_id", sa.Uuid(), nullable=False),
        sa.Column("key", key_text(64), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("row_digest", sa.LargeBinary(), nullable=True),
        sa.Column("present", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id", "integration_id"],
            ["integrations.programme_id", "integrations.id"],
            name=op.f("fk_feed_records_programme_id_integration_id_integrations"),
        ),
        sa.ForeignKeyConstraint(
            ["programme_id", "user_id"],
            ["users.programme_id", "users.id"],
            name=op.f("fk_feed_records_programme_id_user_id_users"),
        ),
        sa.PrimaryKeyConstraint("programme_id", "integration_id", "key", name=op.f("pk_feed_records")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_feed_records_programme_id_user_id", "feed_records", ["programme_id", "user_id"])


def downgrade() -> None:
    for table in ("feed_records", "sync_leavers", "sync_problems", "sync_runs"):
        op.drop_table(table)
    op.drop_column("programmes", "guard_second_person")
