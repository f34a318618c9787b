"""Fresh, migrated databases for tests: SQLite files by default, PostgreSQL with `--database=postgresql`."""

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import psycopg
from flask import Flask
from flask_migrate import upgrade
from psycopg import sql
from sqlalchemy import Connection

from rgapp.extensions import db


class Databases(Protocol):
    """Gives each application of a test a database with every migration and no rows."""

    def fresh(self, instance: Path) -> str:
        """Return the address of a new database."""

    def release(self) -> None:
        """Take back every database that was given out: nobody uses them any more."""


class SQLiteDatabases:
    """Copies one migrated file."""

    def __init__(self, migrated: Path) -> None:
        self._migrated = migrated

    def fresh(self, instance: Path) -> str:
        """Copy the file into the instance folder."""
        shutil.copy(self._migrated, instance / "rgapp.db")
        return f"sqlite:///{instance / 'rgapp.db'}"

    def release(self) -> None:
        """The files go with the folders that they are in."""


class PostgreSQLDatabases:
    """Copies one migrated database of a server that lives as long as the test run, and empties what comes back.

    Emptying takes a tenth of the time that copying takes.
    """

    TEMPLATE = "migrated"
    # The rows go without looking at who refers to them, and only from tables that have any.
    EMPTY = """
        DO $$
        DECLARE found regclass; filled boolean;
        BEGIN
            PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid();
            SET LOCAL session_replication_role = replica;
            FOR found IN SELECT oid FROM pg_class
                WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'
            LOOP
                EXECUTE format('SELECT EXISTS (SELECT FROM %s)', found) INTO filled;
                IF filled THEN EXECUTE format('DELETE FROM %s', found); END IF;
            END LOOP;
        END $$
    """

    TABLES = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"

    def __init__(self, server: str) -> None:
        self._server = server
        self._made = 0
        self._tables: frozenset[str] | None = None
        self._used: list[str] = []
        self._free: list[str] = []

    def address(self, name: str) -> str:
        """Return the address of a database."""
        return self._server.replace("///postgres?", f"///{name}?")

    def fresh(self, instance: Path) -> str:
        """Empty a database that came back, or copy the migrated one."""
        if not self._free:
            self._made += 1
            self._copy(f"test_{self._made}")
        name = self._free.pop()
        with psycopg.connect(self.address(name), autocommit=True) as connection:
            connection.execute(self.EMPTY)
            tables = frozenset(name for (name,) in connection.execute(self.TABLES))
        if tables != self._tables:  # A test took a table away, or made one.
            self.run("DROP DATABASE {} WITH (FORCE)", name)
            self._copy(name)
            self._free.pop()
        self._used.append(name)
        return self.address(name)

    def _copy(self, name: str) -> None:
        self.run("CREATE DATABASE {} TEMPLATE {}", name, self.TEMPLATE)
        self._free.append(name)
        if self._tables is None:
            with psycopg.connect(self.address(name), autocommit=True) as connection:
                self._tables = frozenset(name for (name,) in connection.execute(self.TABLES))

    def release(self) -> None:
        """Keep the databases for the tests that follow."""
        self._free += reversed(self._used)
        self._used.clear()

    def run(self, statement: str, *names: str) -> None:
        """Run one statement as the server's administrator."""
        with psycopg.connect(self._server, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def impatient(connection: Connection) -> None:
    """Let a connection wait for no lock."""
    sqlite = connection.dialect.name == "sqlite"
    connection.exec_driver_sql("PRAGMA busy_timeout = 0" if sqlite else "SET lock_timeout = 1")
    connection.commit()


def migrate(create: Callable[[], Flask]) -> None:
    """Run every migration on the database of an application."""
    app = create()
    with app.app_context():
        upgrade()
        db.engine.dispose()


def settle(file: Path) -> None:
    """Bring everything into the SQLite file itself, so that it can be copied alone."""
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
