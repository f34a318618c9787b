"""Kinds of people in the order in which they came, which costs a load little; filters are checked beside the names"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql


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
    write_sources_out()


USERS = sa.table(
    "users",
    sa.column("programme_id", sa.Uuid()),
    sa.column("id", sa.Uuid()),
    sa.column("field_sources", sa.JSON().with_variant(postgresql.JSONB(), "postgresql")),
)
AT_ONCE = 5_000


def write_sources_out() -> None:
    """Write the sources of fields as the version before reads them: each under its field, however often."""
    connection, key = op.get_bind(), sa.tuple_(USERS.c.programme_id, USERS.c.id)
    page = sa.select(USERS).order_by(USERS.c.programme_id, USERS.c.id).limit(AT_ONCE)
    written = (
        sa.update(USERS)
        .where(USERS.c.programme_id == sa.bindparam("of_programme"), USERS.c.id == sa.bindparam("of_user"))
        .values(field_sources=sa.bindparam("sources"))
    )
    rows = connection.execute(page).all()
    while rows:
        packed = [
            {
                "of_programme": row.programme_id,
                "of_user": row.id,
                "sources": {field: source for source, fields in row.field_sources for field in fields},
            }
            for row in rows
            if isinstance(row.field_sources, list)
        ]
        if packed:
            connection.execute(written, packed)
        rows = connection.execute(page.where(key > (rows[-1].programme_id, rows[-1].id))).all()


def replace(kind: list[str], name: list[str]) -> None:
    for index, columns in (("ix_users_programme_id_kind", kind), ("ix_users_programme_id_name", name)):
        op.drop_index(index, table_name="users")
        op.create_index(index, "users", columns)
