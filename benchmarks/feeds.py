"""A file of many people: first load, unchanged reload, 1 % changed; beside reading it and inserting the same rows."""

import argparse
import csv
import hashlib
import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import select

from benchmarks import databases, installation, report, table
from rgapp import create_app
from rgapp.audit.service import COMMAND_LINE
from rgapp.clock import utcnow
from rgapp.extensions import db
from rgapp.integrations import service
from rgapp.integrations.sync import runs
from rgapp.integrations.sync.engine import work_on_next
from rgapp.jobs.sync import tools_of
from rgapp.models import Programme, RunState

# What a load writes, and what the limit inserts. The feed's own memory is no part of the limit.
WRITTEN = {
    "users": "source = 'sftp'",
    "audit_events": "tag = 'user:created'",
    "outbox_mails": "kind = 'welcome'",
}
AT_ONCE = 5_000
STEPS = ("first load", "unchanged reload", "1 % changed")


@dataclass(frozen=True)
class Measured:
    """One step on one database: seconds, processor seconds of this process, the limit's, and memory at its most."""

    database: str
    step: str
    rows: int
    seconds: float
    cpu_seconds: float
    limit_seconds: float
    memory_mb: float


def timed(action: Callable[[], Any]) -> tuple[float, float]:
    """Return how long something took, and how much of this process's time."""
    started, used = time.perf_counter(), time.process_time()
    action()
    return time.perf_counter() - started, time.process_time() - used


def prepare(environment: dict[str, str]) -> dict[str, str]:
    """Publish the table; returns whom it belongs to."""
    table.register()
    with create_app(environment).app_context():
        session, now = db.session(), utcnow()
        programme = session.scalars(select(Programme)).one()
        made = service.create(
            session,
            programme,
            kind="table",
            provider="scim",
            name="Payroll",
            sealer=tools_of(session).sealer,
            actor=COMMAND_LINE,
            now=now,
        )
        service.publish(session, made, actor=COMMAND_LINE, now=now, without_test=True)
        session.commit()
        db.engine.dispose()
        return {"programme": programme.id.hex, "integration": made.id.hex}


def load(environment: dict[str, str], path: Path) -> dict[str, float]:
    """Let one file arrive and be worked on in this process; returns what it took."""
    table.register()
    with create_app(environment).app_context():
        session = db.session()
        made = service.by_name(session, session.scalars(select(Programme)).one(), "Payroll")
        assert made is not None  # noqa: S101 - `prepare` made it.
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").digest()
        runs.receive(session, made, now=utcnow(), path=path, content_digest=digest)
        session.commit()
        done: list[Any] = []
        seconds, cpu = timed(lambda: done.append(work_on_next(session, made.programme_id, made.id, tools_of(session))))
        if done[0] is None or done[0].state != RunState.APPLIED:
            raise RuntimeError(f"The run was not applied: {done[0] and done[0].reason}")
        return {"seconds": seconds, "cpu": cpu, "memory": most_memory()}


def most_memory() -> float:
    """Return how much memory this process had at its most, in MB; `getrusage` would count that of who started it."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def in_a_process(environment: dict[str, str], path: Path) -> dict[str, float]:
    """Load in a process of its own, whose memory is that of the load alone."""
    asked = json.dumps({"environment": environment, "path": str(path)})
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.feeds", "--load"], input=asked, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def read_file(path: Path) -> None:
    """Read the file and keep nothing."""
    with path.open(newline="") as file:
        for _ in csv.reader(file):
            pass


def read_table(address: str) -> None:
    """Read all users and keep nothing."""
    connection: Any = connect(address)
    cursor = connection.cursor("users") if not address.startswith("sqlite") else connection.cursor()
    cursor.execute("SELECT * FROM users")
    while cursor.fetchmany(AT_ONCE):
        pass
    connection.close()


def insert_again(address: str, other: str) -> float:
    """Insert what a load wrote into the same tables of another database; returns the seconds of the inserts alone."""
    spent = 0.0
    for name, where in {"programmes": "true", "integrations": "true", **WRITTEN}.items():
        source: Any = connect(address)
        target: Any = connect(other)
        on_sqlite = address.startswith("sqlite")
        if name == "programmes":  # What the others refer to comes beside what the installation made.
            target.execute("UPDATE programmes SET slug = 'own-' || slug WHERE slug = 'acme'")
            target.commit()
        cursor = source.cursor() if on_sqlite else source.cursor(name)
        cursor.execute(f"SELECT * FROM {name} WHERE {where}")  # noqa: S608 - our own tables.
        columns = [column[0] for column in cursor.description or ()]
        while rows := cursor.fetchmany(AT_ONCE):
            taken = timed(lambda: _insert(target, name, columns, rows, on_sqlite))[0]  # noqa: B023 - called at once.
            spent += taken if name in WRITTEN else 0
        source.close()
        target.close()
    return spent


def _insert(target: Any, name: str, columns: Sequence[str], rows: Sequence[Any], on_sqlite: bool) -> None:
    if on_sqlite:
        target.execute("BEGIN IMMEDIATE")
        marks = ", ".join("?" * len(columns))
        target.executemany(f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({marks})", rows)  # noqa: S608
        target.execute("COMMIT")
        return
    from psycopg.types.json import Jsonb

    with target.cursor() as cursor, cursor.copy(f"COPY {name} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row([Jsonb(value) if isinstance(value, dict | list) else value for value in row])
    target.commit()


def connect(address: str) -> Any:
    """Open a database as bare as its driver does."""
    if address.startswith("sqlite"):
        opened = sqlite3.connect(address.removeprefix("sqlite:///"), isolation_level=None)
        opened.execute("PRAGMA journal_mode = WAL")
        opened.execute("PRAGMA synchronous = NORMAL")
        opened.execute("PRAGMA foreign_keys = ON")
        return opened
    return psycopg.connect(address)


def measure(source: databases.Databases, folder: Path, rows: int) -> list[Measured]:
    """Measure the three steps on one kind of database, each beside its limit in the same minutes."""
    address = source.fresh("feeds")
    environment = dict(installation.install(folder / "instance", address).environment)
    prepare(environment)
    first, same, changed = folder / "first.csv", folder / "same.csv", folder / "changed.csv"
    table.write(first, rows)
    same.write_bytes(first.read_bytes() + b"\n")
    table.write(changed, rows, every=100)
    found = []
    for step, path in zip(STEPS, (first, same, changed), strict=True):
        taken = in_a_process(environment, path)
        reading = timed(lambda: read_file(path))[0]  # noqa: B023 - called at once.
        if step == STEPS[0]:
            other = source.fresh("limit")
            installation.install(folder / "limit", other)
            limit = reading + insert_again(address, other)
        else:
            limit = reading + timed(lambda: read_table(address))[0]
        found.append(Measured(source.name, step, rows, taken["seconds"], taken["cpu"], limit, taken["memory"]))
    return found


def words(found: Sequence[Measured]) -> str:
    """Return the table."""
    lines = [
        [
            one.database,
            one.step,
            f"{one.rows / one.seconds:,.0f}",
            f"{one.rows / one.cpu_seconds:,.0f}",
            f"{one.rows / one.limit_seconds:,.0f}",
            f"{one.seconds / one.limit_seconds:.1f}",
            f"{one.memory_mb:.0f}",
        ]
        for one in found
    ]
    heads = ["database", "step", "rows/s", "rows/s of CPU", "limit, rows/s", "× the limit", "memory, MB"]
    return report.table(heads, lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--databases", default="")
    parser.add_argument("--load", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.load:
        given = json.loads(sys.stdin.read())
        print(json.dumps(load(given["environment"], Path(given["path"]))))
        return
    found: list[Measured] = []
    for name in (asked.databases or databases.available()).split(","):
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rgapp-benchmark-")))
            source = stack.enter_context(databases.databases(name, folder))
            found += measure(source, folder, asked.rows)
    report.keep("feeds", words(found), [asdict(one) for one in found])


if __name__ == "__main__":
    main()
