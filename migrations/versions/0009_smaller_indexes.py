"""Events by integration and mails that are due: only the few that are looked for stand in their indexes"""

import sqlalchemy as sa
from alembic import op


revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

OF_NOBODY = "user_id IS NULL"
DUE = "status IN ('waiting', 'sending')"


def upgrade() -> None:
    op.drop_index("ix_audit_events_programme_id_integration_id", table_name="audit_events")
    op.create_index(
        "ix_audit_events_programme_id_integration_id",
        "audit_events",
        ["programme_id", "integration_id", "id"],
        sqlite_where=sa.text(OF_NOBODY),
        postgresql_where=sa.text(OF_NOBODY),
    )
    op.drop_index("ix_outbox_mails_due", table_name="outbox_mails")
    op.create_index(
        "ix_outbox_mails_due",
        "outbox_mails",
        ["due_at"],
        sqlite_where=sa.text(DUE),
        postgresql_where=sa.text(DUE),
    )


def downgrade() -> None:
    op.drop_index("ix_outbox_mails_due", table_name="outbox_mails")
    op.create_index("ix_outbox_mails_due", "outbox_mails", ["status", "due_at"])
    op.drop_index("ix_audit_events_programme_id_integration_id", table_name="audit_events")
    op.create_index(
        "ix_audit_events_programme_id_integration_id", "audit_events", ["programme_id", "integration_id", "id"]
    )
