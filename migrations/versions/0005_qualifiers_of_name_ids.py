"""Sessions keep the qualifiers of a NameID, which single logout has to repeat"""

import sqlalchemy as sa
from alembic import op


revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("user_sessions") as table:
        table.add_column(sa.Column("name_qualifier", sa.String(1024), nullable=True))
        table.add_column(sa.Column("sp_name_qualifier", sa.String(1024), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("user_sessions") as table:
        table.drop_column("sp_name_qualifier")
        table.drop_column("name_qualifier")
