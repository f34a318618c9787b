"""Declarative base: constraint names, UTC timestamps, UUIDv7 keys, and the tenant's part of every key."""

import uuid
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, ForeignKey, MetaData, String, TypeDecorator, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from uuid_utils.compat import uuid7

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class UTCDateTime(TypeDecorator[datetime]):
    """An aware datetime in UTC; SQLite keeps it without the zone, PostgreSQL as timestamptz."""

    impl = DateTime(timezone=True)
    cache_ok = True

    @property
    def python_type(self) -> type[datetime]:
        """Return what values are: cursors of pages are read by it."""
        return datetime

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive datetimes: a value without its zone is off by hours somewhere."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a timestamp must be aware")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the value aware, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def key_text(length: int) -> String:
    """Return the type of text that is compared by code point, so that an index answers prefix searches everywhere.

    SQLite compares so by itself; PostgreSQL would use the rules of the database's language.
    """
    return String(length).with_variant(String(length, collation="C"), "postgresql")


JSONType = JSON().with_variant(JSONB(), "postgresql")


def new_id() -> uuid.UUID:
    """Make a UUIDv7 (RFC 9562 section 5.7): sortable by time, made without asking the database."""
    return uuid7()


class Base(DeclarativeBase):
    """Base of every model; it knows no Flask, so that services and jobs can use the models anywhere."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads this class attribute by its name.
        datetime: UTCDateTime(),
        uuid.UUID: Uuid(),
        dict[str, Any]: JSONType,
        list[Any]: JSONType,
    }


class Tenant:
    """A row that belongs to one programme.

    The programme is the first part of the key, so a look-up without it cannot even be written, and programmes can be
    moved between databases or spread over the shards of a distributed PostgreSQL.
    """

    programme_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("programmes.id"), primary_key=True)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
