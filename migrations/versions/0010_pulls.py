"""Pulls: what opens the way into the other side of an integration, how it went there, and what each pull said"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql


revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "pull_access",
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("integration_id", sa.Uuid(), nullable=False),
        sa.Column("method", sa.String(length=20), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("set_by", sa.String(length=200), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.String(length=40), nullable=False),
        sa.Column("sentence", sa.String(length=500), nullable=False),
        sa.Column("problem_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("consent_hash", sa.String(length=64), nullable=True),
        sa.Column("consent_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["programme_id", "integration_id"],
            ["integrations.programme_id", "integrations.id"],
            name=op.f("fk_pull_access_programme_id_integration_id_integrations"),
        ),
        sa.PrimaryKeyConstraint("programme_id", "integration_id", name=op.f("pk_pull_access")),
    )
    op.add_column("sync_runs", sa.Column("pulled", JSON, nullable=True))


def downgrade() -> None:
    op.drop_column("sync_runs", "pulled")
    op.drop_table("pull_access")
