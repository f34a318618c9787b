"""Kinds of people in the order in which they came, which costs a load little; filters are checked beside the names"""

from alembic import op


revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

KIND = ["programme_id", "status", "source", "incomplete"]
NAME = ["programme_id", "last_key", "first_key", "id"]


def upgrade() -> None:
    replace([*KIND, "id"], [*NAME, "status", "source", "incomplete"])


def downgrade() -> None:
    replace([*KIND, "last_key", "first_key", "id"], NAME)


def replace(kind: list[str], name: list[str]) -> None:
    for index, columns in (("ix_users_programme_id_kind", kind), ("ix_users_programme_id_name", name)):
        op.drop_index(index, table_name="users")
        op.create_index(index, "users", columns)
