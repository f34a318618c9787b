"""Fill a SCIM integration with people by plain SQL, each like one that came through the front door."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
from uuid_utils.compat import uuid7

TABLES = ("users", "scim_users")
MODEL = "model"


def resource(name: str) -> dict[str, Any]:
    """Return what Entra says of a person, about 700 bytes of JSON."""
    return {
        "schemas": [
            "urn:ietf:params:scim:schemas:core:2.0:User",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        ],
        "userName": f"{name}@acme.example",
        "externalId": f"E-{name}",
        "active": True,
        "displayName": f"Jane {name}",
        "title": "Account manager",
        "preferredLanguage": "en-GB",
        "name": {"formatted": "Jane Carter", "givenName": "Jane", "familyName": "Carter"},
        "emails": [{"value": f"{name}@acme.example", "type": "work", "primary": True}],
        "phoneNumbers": [{"value": "+44 20 7946 0000", "type": "work"}],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {
            "employeeNumber": f"E-{name}",
            "department": "Sales",
        },
    }


def fill(address: str, names: Sequence[str]) -> None:
    """Copy the person called `model`, whom a client created before, once for each name."""
    if address.startswith("sqlite"):
        _fill_sqlite(address.removeprefix("sqlite:///"), names)
    else:
        _fill_postgresql(address, names)


def _copies(
    rows: dict[str, dict[str, Any]], names: Sequence[str], table: str, identifiers: Sequence[Any]
) -> Iterator[list[Any]]:
    """Yield the rows of one table: the model's, with every name in it replaced."""
    model = rows[table]
    for name, identifier in zip(names, identifiers, strict=True):
        row = {}
        for column, value in model.items():
            if isinstance(value, str) and MODEL in value.casefold():
                value = value.replace(MODEL, name).replace(MODEL.upper(), name)
            row[column] = value
        row["id" if table == "users" else "user_id"] = identifier
        yield list(row.values())


def _fill_sqlite(file: str, names: Sequence[str]) -> None:
    connection = sqlite3.connect(file, isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA cache_size = -1000000")
    rows = {table: dict(connection.execute(f"SELECT * FROM {table}").fetchone()) for table in TABLES}  # noqa: S608
    identifiers = [uuid7().hex for _ in names]
    connection.execute("BEGIN")
    for table in TABLES:
        marks = ", ".join("?" * len(rows[table]))
        statement = f"INSERT INTO {table} ({', '.join(rows[table])}) VALUES ({marks})"  # noqa: S608 - our own names.
        connection.executemany(statement, _copies(rows, names, table, identifiers))
    connection.execute("COMMIT")
    connection.execute("ANALYZE")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _fill_postgresql(address: str, names: Sequence[str]) -> None:
    identifiers = [uuid7() for _ in names]
    with psycopg.connect(address, autocommit=True) as connection:
        cursor = connection.cursor(row_factory=psycopg.rows.dict_row)
        rows: dict[str, dict[str, Any]] = {}
        for table in TABLES:
            found = cursor.execute(f"SELECT * FROM {table} LIMIT 1").fetchone()  # noqa: S608 - our own names.
            if found is None:
                raise RuntimeError(f"there is no model in {table}")
            rows[table] = {
                column: json.dumps(value) if isinstance(value, dict | list) else value
                for column, value in found.items()
            }
        for table in TABLES:
            statement = f"COPY {table} ({', '.join(rows[table])}) FROM STDIN"
            with connection.cursor() as writer, writer.copy(statement) as copy:
                for row in _copies(rows, names, table, identifiers):
                    copy.write_row(row)
        connection.execute("VACUUM ANALYZE")
