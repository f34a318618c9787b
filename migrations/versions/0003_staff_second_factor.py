"""Staff: second factor, recovery codes, half-done sign-ins; hashes of earlier passwords; enforcement per programme"""

import sqlalchemy as sa
from alembic import op


revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "programmes",
        sa.Column("second_factor_required", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column("staff", sa.Column("second_factor_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "staff_second_factors",
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("begun_by", sa.String(length=64), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_staff_second_factors_staff_id_staff")),
        sa.PrimaryKeyConstraint("staff_id", name=op.f("pk_staff_second_factors")),
    )
    op.create_table(
        "staff_recovery_codes",
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_staff_recovery_codes_staff_id_staff")),
        sa.PrimaryKeyConstraint("staff_id", "code_hash", name=op.f("pk_staff_recovery_codes")),
    )
    op.create_table(
        "staff_challenges",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_staff_challenges_staff_id_staff")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_staff_challenges")),
    )
    op.create_index(op.f("ix_staff_challenges_staff_id"), "staff_challenges", ["staff_id"])
    op.create_index(op.f("ix_staff_challenges_expires_at"), "staff_challenges", ["expires_at"])
    op.create_table(
        "staff_passwords",
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_staff_passwords_staff_id_staff")),
        sa.PrimaryKeyConstraint("staff_id", "id", name=op.f("pk_staff_passwords")),
    )
    op.create_table(
        "user_passwords",
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id", "user_id"],
            ["users.programme_id", "users.id"],
            name=op.f("fk_user_passwords_programme_id_user_id_users"),
        ),
        sa.PrimaryKeyConstraint("programme_id", "user_id", "id", name=op.f("pk_user_passwords")),
    )


def downgrade() -> None:
    op.drop_table("user_passwords")
    op.drop_table("staff_passwords")
    op.drop_index(op.f("ix_staff_challenges_expires_at"), table_name="staff_challenges")
    op.drop_index(op.f("ix_staff_challenges_staff_id"), table_name="staff_challenges")
    op.drop_table("staff_challenges")
    op.drop_table("staff_recovery_codes")
    op.drop_table("staff_second_factors")
    # Not in batch mode: SQLite would drop tables there that others refer to, only to make them again.
    op.drop_column("staff", "second_factor_at")
    op.drop_column("programmes", "second_factor_required")
