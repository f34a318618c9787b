"""SFTP: accounts, their public keys, and the files that were handed over from the spool"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql


revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def key_text(length):
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "sftp_accounts",
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("integration_id", sa.Uuid(), nullable=False),
        sa.Column("username", key_text(32), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("password_set_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("password_set_by", sa.String(length=200), nullable=False),
        sa.Column("password_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("earlier_hash", sa.String(length=200), nullable=True),
        sa.Column("earlier_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_sign_in_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("known_from", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id", "integration_id"],
            ["integrations.programme_id", "integrations.id"],
            name=op.f("fk_sftp_accounts_programme_id_integration_id_integrations"),
        ),
        sa.PrimaryKeyConstraint("programme_id", "integration_id", name=op.f("pk_sftp_accounts")),
        sa.UniqueConstraint("username", name=op.f("uq_sftp_accounts_username")),
    )

    op.create_table(
        "sftp_keys",
        sa.Column("integration_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("public_key", sa.String(length=2000), nullable=False),
        sa.Column("fingerprint", sa.String(length=60), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("added_by", sa.String(length=200), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id", "integration_id"],
            ["sftp_accounts.programme_id", "sftp_accounts.integration_id"],
            name=op.f("fk_sftp_keys_programme_id_integration_id_sftp_accounts"),
        ),
        sa.ForeignKeyConstraint(["programme_id"], ["programmes.id"], name=op.f("fk_sftp_keys_programme_id_programmes")),
        sa.PrimaryKeyConstraint("programme_id", "id", name=op.f("pk_sftp_keys")),
        sa.UniqueConstraint(
            "programme_id",
            "integration_id",
            "fingerprint",
            name=op.f("uq_sftp_keys_programme_id_integration_id_fingerprint"),
        ),
    )

    op.create_table(
        "sftp_files",
        sa.Column("integration_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id", "integration_id"],
            ["integrations.programme_id", "integrations.id"],
            name=op.f("fk_sftp_files_programme_id_integration_id_integrations"),
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_sftp_files_programme_id_programmes")
        ),
        sa.PrimaryKeyConstraint("programme_id", "id", name=op.f("pk_sftp_files")),
    )
    op.create_index("ix_sftp_files_programme_id_integration_id", "sftp_files", ["programme_id", "integration_id", "id"])


def downgrade() -> None:
    for table in ("sftp_files", "sftp_keys", "sftp_accounts"):
        op.drop_table(table)
