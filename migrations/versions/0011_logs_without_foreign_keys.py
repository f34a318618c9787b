"""What a file writes beside its people refers to others without a look-up for each row"""

from alembic import op


revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

DROPPED = {
    "audit_events": [("programmes", ["programme_id"], ["id"])],
    "outbox_mails": [("programmes", ["programme_id"], ["id"])],
    "feed_records": [
        ("integrations", ["programme_id", "integration_id"], ["programme_id", "id"]),
        ("users", ["programme_id", "user_id"], ["programme_id", "id"]),
    ],
}
# SQLite makes each table anew, and nothing that it can be asked says that one of them has no row numbers.
OPTIONS = {"feed_records": {"sqlite_with_rowid": False}}


def upgrade() -> None:
    for table, keys in DROPPED.items():
        with op.batch_alter_table(table, table_kwargs=OPTIONS.get(table, {})) as changed:
            for referred, columns, _ in keys:
                changed.drop_constraint(name_of(table, referred, columns), type_="foreignkey")


def downgrade() -> None:
    for table, keys in DROPPED.items():
        with op.batch_alter_table(table, table_kwargs=OPTIONS.get(table, {})) as changed:
            for referred, columns, remote in keys:
                changed.create_foreign_key(name_of(table, referred, columns), referred, columns, remote)


def name_of(table: str, referred: str, columns: list[str]) -> str:
    return op.f(f"fk_{table}_{'_'.join(columns)}_{referred}")
