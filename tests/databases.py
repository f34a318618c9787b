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

from rgapp.extensions import db


class Databases(Protocol):
    """Gives each application of a test a database with every migration and no rows."""

    def fresh(self, instance: Path) -> str:
        """Return the address of a new database."""


class SQLiteDatabases:
    """Copies one migrated file."""

    def __init__(self, migrated: Path) -> None:
        self._migrated = migrated

    def fresh(self, instance: Path) -> str:
        """Copy the file into the instance folder."""
        shutil.copy(self._migrated, instance / "rgapp.db")
        return f"sqlite:///{instance / 'rgapp.db'}"


class PostgreSQLDatabases:
    """Copies one migrated database of a server that lives as long as the test run."""

    TEMPLATE = "migrated"

    def __init__(self, server: str) -> None:
        self._server = server
        self._made = 0

    def address(self, name: str) -> str:
        """Return the address of a database."""
        return self._server.replace("///postgres?", f"///{name}?")

    def fresh(self, instance: Path) -> str:
        """Copy the migrated database; the one before it is not needed any more."""
        self._made += 1
        name = f"test_{self._made}"
        self.run("DROP DATABASE IF EXISTS {} WITH (FORCE)", f"test_{self._made - 3}")
        self.run("CREATE DATABASE {} TEMPLATE {}", name, self.TEMPLATE)
        return self.address(name)

    def run(self, statement: str, *names: str) -> None:
        """Run one statement as the server's administrator."""
        with psycopg.connect(self._server, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


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
