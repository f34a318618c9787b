"""Run Alembic inside the application: its engine, our metadata, on SQLite and PostgreSQL alike."""

from alembic import context
from flask import current_app
from sqlalchemy import JSON

from rgapp.models import Base
from rgapp.models.base import UTCDateTime
from rgapp.models.sources import FieldSources


def render_item(kind: str, item: object, _: object) -> str | bool:
    """Write our own types as the column types underneath, so that old migrations do not import the models."""
    if kind == "type" and isinstance(item, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, JSON | FieldSources):
        return "sa.JSON().with_variant(postgresql.JSONB(), 'postgresql')"
    return False


engine = current_app.extensions["migrate"].db.engine

with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=engine.dialect.name == "sqlite",
        compare_type=True,
        render_item=render_item,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
