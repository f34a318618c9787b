"""SCIM: tokens, what clients say of users and groups, the log of their requests; the guard's memory and alerts"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql


revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def key_text(length):
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "alerts",
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("integration_id", sa.Uuid(), nullable=True),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("facts", JSON, nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.String(length=200), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["programme_id"], ["programmes.id"], name=op.f("fk_alerts_programme_id_programmes")),
        sa.PrimaryKeyConstraint("programme_id", "id", name=op.f("pk_alerts")),
    )
    op.create_index("ix_alerts_programme_id_settled_at", "alerts", ["programme_id", "settled_at", "raised_at"])
    op.create_index(
        "uq_alerts_open",
        "alerts",
        ["programme_id", "kind"],
        unique=True,
        sqlite_where=sa.text("settled_at IS NULL"),
        postgresql_where=sa.text("settled_at IS NULL"),
    )

    op.create_table(
        "deactivations",
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("integration_id", sa.Uuid(), nullable=True),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_deactivations_programme_id_programmes")
        ),
        sa.PrimaryKeyConstraint("programme_id", "id", name=op.f("pk_deactivations")),
    )
    op.create_index("ix_deactivations_programme_id_at", "deactivations", ["programme_id", "at", "integration_id"])

    op.create_table(
        "scim_groups",
        sa.Column("integration_id", sa.Uuid(), nullable=False),
        sa.Column("display_name", sa.String(length=255), nullable=False),
        sa.Column("display_key", key_text(255), nullable=False),
        sa.Column("external_id", key_text(255), nullable=True),
        sa.Column("resource", JSON, nullable=False),
        sa.Column("search", JSON, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id", "integration_id"],
            ["integrations.programme_id", "integrations.id"],
            name=op.f("fk_scim_groups_programme_id_integration_id_integrations"),
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_scim_groups_programme_id_programmes")
        ),
        sa.PrimaryKeyConstraint("programme_id", "id", name=op.f("pk_scim_groups")),
    )
    op.create_index(
        "ix_scim_groups_display_key", "scim_groups", ["programme_id", "integration_id", "display_key", "id"]
    )
    op.create_index("ix_scim_groups_external_id", "scim_groups", ["programme_id", "integration_id", "external_id"])

    op.create_table(
        "scim_requests",
        sa.Column("integration_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("listening", sa.Boolean(), nullable=False),
        sa.Column("method", sa.String(length=8), nullable=False),
        sa.Column("path", sa.String(length=500), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("accepted", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(length=60), nullable=False),
        sa.Column("scim_type", sa.String(length=30), nullable=False),
        sa.Column("detail", sa.String(length=1000), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("membership_no", key_text(64), nullable=True),
        sa.Column("email_key", key_text(200), nullable=True),
        sa.Column("person", sa.String(length=200), nullable=True),
        sa.Column("fields", JSON, nullable=False),
        sa.Column("changes", JSON, nullable=False),
        sa.Column("arrived", JSON, nullable=False),
        sa.Column("token_hint", sa.String(length=8), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id", "integration_id"],
            ["integrations.programme_id", "integrations.id"],
            name=op.f("fk_scim_requests_programme_id_integration_id_integrations"),
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_scim_requests_programme_id_programmes")
        ),
        sa.PrimaryKeyConstraint("programme_id", "id", name=op.f("pk_scim_requests")),
    )
    op.create_index("ix_scim_requests_email_key", "scim_requests", ["programme_id", "email_key", "at"])
    op.create_index("ix_scim_requests_expires_at", "scim_requests", ["expires_at"])
    op.create_index(
        "ix_scim_requests_integration",
        "scim_requests",
        ["programme_id", "integration_id", "at", "accepted", "listening", "id"],
    )
    op.create_index("ix_scim_requests_membership_no", "scim_requests", ["programme_id", "membership_no", "at"])
    op.create_index("ix_scim_requests_user", "scim_requests", ["programme_id", "user_id", "at"])

    op.create_table(
        "scim_tokens",
        sa.Column("integration_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("label", sa.String(length=60), nullable=False),
        sa.Column("hint", sa.String(length=8), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id", "integration_id"],
            ["integrations.programme_id", "integrations.id"],
            name=op.f("fk_scim_tokens_programme_id_integration_id_integrations"),
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_scim_tokens_programme_id_programmes")
        ),
        sa.PrimaryKeyConstraint("programme_id", "id", name=op.f("pk_scim_tokens")),
        sa.UniqueConstraint("programme_id", "token_hash", name=op.f("uq_scim_tokens_programme_id_token_hash")),
    )
    op.create_index(
        "ix_scim_tokens_programme_id_integration_id", "scim_tokens", ["programme_id", "integration_id", "id"]
    )

    op.create_table(
        "scim_users",
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("integration_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("user_name", sa.String(length=255), nullable=False),
        sa.Column("user_name_key", key_text(255), nullable=False),
        sa.Column("external_id", key_text(255), nullable=True),
        sa.Column("resource", JSON, nullable=False),
        sa.Column("search", JSON, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id", "integration_id"],
            ["integrations.programme_id", "integrations.id"],
            name=op.f("fk_scim_users_programme_id_integration_id_integrations"),
        ),
        sa.ForeignKeyConstraint(
            ["programme_id", "user_id"],
            ["users.programme_id", "users.id"],
            name=op.f("fk_scim_users_programme_id_user_id_users"),
        ),
        sa.PrimaryKeyConstraint("programme_id", "integration_id", "user_id", name=op.f("pk_scim_users")),
        sa.UniqueConstraint(
            "programme_id",
            "integration_id",
            "user_name_key",
            name=op.f("uq_scim_users_programme_id_integration_id_user_name_key"),
        ),
    )
    op.create_index("ix_scim_users_external_id", "scim_users", ["programme_id", "integration_id", "external_id"])
    op.create_index("ix_scim_users_programme_id_user_id", "scim_users", ["programme_id", "user_id"])

    op.create_table(
        "scim_group_members",
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id", "group_id"],
            ["scim_groups.programme_id", "scim_groups.id"],
            name=op.f("fk_scim_group_members_programme_id_group_id_scim_groups"),
        ),
        sa.ForeignKeyConstraint(
            ["programme_id", "user_id"],
            ["users.programme_id", "users.id"],
            name=op.f("fk_scim_group_members_programme_id_user_id_users"),
        ),
        sa.PrimaryKeyConstraint("programme_id", "group_id", "user_id", name=op.f("pk_scim_group_members")),
    )
    op.create_index(
        "ix_scim_group_members_programme_id_user_id", "scim_group_members", ["programme_id", "user_id", "group_id"]
    )


def downgrade() -> None:
    for table in (
        "scim_group_members",
        "scim_users",
        "scim_tokens",
        "scim_requests",
        "scim_groups",
        "deactivations",
        "alerts",
    ):
        op.drop_table(table)
