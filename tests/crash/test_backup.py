"""A copy of the database that is taken while employees sign in: whole, and the software runs on it."""

import os
import sqlite3
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from tests.crash.house import House
from tests.tools import require

EMPLOYEES = 12


def copy_sqlite(home: House, folder: Path) -> str:
    """Do what `.backup` of the sqlite3 command does; returns the copy's address."""
    source = make_url(home.app.config["SQLALCHEMY_DATABASE_URI"]).database
    assert source
    with closing(sqlite3.connect(source)) as original, closing(sqlite3.connect(folder / "copy.db")) as copy:
        original.backup(copy)
        assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    return f"sqlite:///{folder / 'copy.db'}"


def copy_postgresql(home: House, folder: Path) -> str:
    """Dump, and restore into a new database; returns its address."""
    address = home.app.config["SQLALCHEMY_DATABASE_URI"].replace("+psycopg", "")
    programs = Path(require("postgresql"))

    def run(program: str, *words: str) -> None:
        subprocess.run([programs / program, *words], check=True, timeout=60, env=os.environ, cwd=folder)

    run("pg_dump", "--format=custom", f"--file={folder / 'dump'}", address)
    run("psql", "--quiet", "--command=CREATE DATABASE restored", address)
    restored = address.replace("///postgres?", "///restored?")
    run("pg_restore", "--no-owner", f"--dbname={restored}", str(folder / "dump"))
    return restored.replace("postgresql:", "postgresql+psycopg:")


def test_a_copy_that_is_taken_while_employees_sign_in_is_whole(home: House, tmp_path: Path) -> None:
    copy: Callable[[House, Path], str] = (
        copy_sqlite if home.app.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite") else copy_postgresql
    )
    assert home.visit("B").post().status == 303
    with ThreadPoolExecutor(3) as pool:
        arriving = [
            pool.submit(lambda number: home.visit(f"B{number}").post().status, number) for number in range(EMPLOYEES)
        ]
        address = copy(home, tmp_path)
        assert {visit.result() for visit in arriving} == {303}
    engine = create_engine(address)
    with engine.connect() as connection:
        people = "(SELECT id FROM users WHERE membership_no LIKE 'B%')"
        counted = [
            connection.scalar(text(f"SELECT count(DISTINCT {column}) FROM {table} WHERE {column} IN {people}"))  # noqa: S608
            for table, column in (
                ("users", "id"),
                ("audit_events", "user_id"),
                ("outbox_mails", "user_id"),
                ("user_sessions", "user_id"),
                ("sign_in_attempts", "user_id"),
            )
        ]
        in_copy = connection.scalar(text("SELECT version_num FROM alembic_version"))
    engine.dispose()
    with home.session() as session:
        assert in_copy == session.scalar(text("SELECT version_num FROM alembic_version"))
    assert 1 <= counted[0] <= 1 + EMPLOYEES
    assert set(counted) == {counted[0]}, counted
