"""Users: one index for every combination of filters in the place of four; one with both names by the first"""

from alembic import op


revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_users_programme_id_kind",
        "users",
        ["programme_id", "status", "source", "incomplete", "last_key", "first_key", "id"],
    )
    op.create_index("ix_users_programme_id_first_name", "users", ["programme_id", "first_key", "last_key", "id"])
    op.drop_index("ix_users_programme_id_facets", table_name="users")
    op.drop_index("ix_users_programme_id_first_key", table_name="users")
    op.drop_index("ix_users_programme_id_incomplete", table_name="users")
    op.drop_index("ix_users_programme_id_source", table_name="users")
    op.drop_index("ix_users_programme_id_status", table_name="users")


def downgrade() -> None:
    op.create_index("ix_users_programme_id_status", "users", ["programme_id", "status", "last_key", "first_key", "id"])
    op.create_index("ix_users_programme_id_source", "users", ["programme_id", "source", "last_key", "first_key", "id"])
    op.create_index(
        "ix_users_programme_id_incomplete", "users", ["programme_id", "incomplete", "last_key", "first_key", "id"]
    )
    op.create_index("ix_users_programme_id_first_key", "users", ["programme_id", "first_key", "id"])
    op.create_index("ix_users_programme_id_facets", "users", ["programme_id", "status", "source", "incomplete"])
    op.drop_index("ix_users_programme_id_first_name", table_name="users")
    op.drop_index("ix_users_programme_id_kind", table_name="users")
