"""The list of users at three sizes: every kind of search, filter and page, with the plans of its queries."""

import argparse
import gc
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, event, func, select
from sqlalchemy.orm import Session

from benchmarks import databases, installation, population, report
from benchmarks.databases import Databases
from benchmarks.meter import CPUMeter
from rgapp.database import reading
from rgapp.extensions import db
from rgapp.models import Programme, User, UserStatus
from rgapp.paging import write_cursor
from rgapp.provisioning import Source
from rgapp.users.queries import Listing
from rgapp.users.scope import Scope, UserFilter

SIZES = {"1 k": 1_000, "100 k": 100_000, "1 M": 1_000_000}
WARM_UP, ROUNDS = 3, 20
# PostgreSQL reads a smaller table than this at once, whatever indexes there are, and is right to.
READ_AT_ONCE = 10_000
# How far into the list the deep page lies: one that nobody reaches by hand.
DEEP = 0.9
SEARCHES = {
    "first name": "jane",
    "beginning of a name": "ja",
    "one letter": "j",
    "two names": "jane carter",
    "name in a name": "noor dijk",
    "three words": "noor van dijk",
    "two letters": "j c",
    "e-mail": "jane.carter.",
    "Membership No.": "E0000500",
    "nobody": "zzyzx",
    "a name and nobody": "jane zzyzx",
}
FILTERS = {
    "everybody": UserFilter(),
    "active": UserFilter(status=UserStatus.ACTIVE),
    "leavers": UserFilter(status=UserStatus.LEAVER),
    "by hand": UserFilter(source=Source.HAND),
    "incomplete": UserFilter(incomplete=True),
    "incomplete leavers by hand": UserFilter(status=UserStatus.LEAVER, source=Source.HAND, incomplete=True),
    "a source of nobody": UserFilter(source=Source.SFTP),
    "name, then leavers": UserFilter(search="jane", status=UserStatus.LEAVER),
}


@dataclass(frozen=True)
class Measured:
    """How long one page with its counts took, in milliseconds; CPU is that of both sides together."""

    database: str
    size: str
    what: str
    p50: float
    p95: float
    cpu_ms: float
    scans: bool


@dataclass(frozen=True)
class Asked:
    """One page with the counts beside it, as the list shows it."""

    scope: Scope
    wanted: UserFilter
    sort: str = "name"
    after: str | None = None

    def answer(self, session: Session) -> Any:
        """Read what the page shows."""
        listing = Listing(session, self.scope, self.wanted)
        page = listing.page(self.sort, after=self.after)
        return page, listing.facets()


def questions(session: Session, big: UUID) -> dict[str, Asked]:
    """Return everything that is measured."""
    one, every = Scope((big,)), Scope(None, True)
    found = {f"search: {name}": Asked(one, UserFilter(search=words)) for name, words in SEARCHES.items()}
    found |= {f"filter: {name}": Asked(one, wanted) for name, wanted in FILTERS.items()}
    found |= {f"all programmes: {name}": Asked(every, UserFilter(search=words)) for name, words in SEARCHES.items()}
    for sort in ("name", "number"):
        found[f"deep page by {sort}"] = Asked(one, UserFilter(), sort, _deep_cursor(session, one, sort))
    found["deep page of leavers"] = Asked(
        one, UserFilter(status=UserStatus.LEAVER), "name", _deep_cursor(session, one, "name")
    )
    return found


def _deep_cursor(session: Session, scope: Scope, sort: str) -> str | None:
    """Return the cursor of a page far into the list, without walking there."""
    count = session.scalar(select(func.count()).select_from(User).where(scope.condition())) or 0
    order = (User.last_key, User.first_key, User.id) if sort == "name" else (User.membership_no, User.id)
    row = session.execute(
        select(*order).where(scope.condition()).order_by(*order).offset(int(count * DEEP)).limit(1)
    ).one()
    return write_cursor(list(row))


@contextmanager
def statements(session: Session) -> Iterator[list[tuple[str, Any]]]:
    """Collect what is sent to the database."""
    sent: list[tuple[str, Any]] = []

    def note(_: Connection, __: Any, statement: str, parameters: Any, ___: Any, ____: bool) -> None:
        sent.append((statement, parameters))

    engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


def plans(session: Session, asked: Asked) -> list[str]:
    """Return the plan of every query of a page, as lines."""
    with statements(session) as sent:
        asked.answer(session)
    connection, lines = session.connection(), []
    on_sqlite = connection.dialect.name == "sqlite"
    for statement, parameters in [each for each in sent if each[0].startswith(("SELECT", "WITH"))]:
        rows = connection.exec_driver_sql(f"EXPLAIN {'QUERY PLAN ' if on_sqlite else ''}{statement}", parameters).all()
        lines += [str(row[-1]) for row in rows]
    return lines


def full_scans(plan: Sequence[str]) -> list[str]:
    """Return the lines of a plan in which all of the users are read."""
    return [line for line in plan if "Seq Scan on users" in line or line.startswith("SCAN users")]


def timed(session: Session, asked: Asked, meter: CPUMeter | None) -> tuple[list[float], float]:
    """Return how many milliseconds each round took, sorted, and the CPU of one round here and in the database's server.

    The first rounds, which compile the statements, are left out.
    """
    taken = []
    for number in range(WARM_UP + ROUNDS):
        if number == WARM_UP:
            used, used_there = time.process_time(), meter.read() if meter else 0.0
        started = time.perf_counter()
        asked.answer(session)
        taken.append((time.perf_counter() - started) * 1000)
        session.rollback()
        session.expunge_all()
    spent = (time.process_time() - used) * 1000 + (meter.read() - used_there if meter else 0.0)
    return sorted(taken[WARM_UP:]), spent / ROUNDS


def measure(source: Databases, size: str, where: installation.Installation, shown: bool) -> Iterator[Measured]:
    """Fill one database and ask it everything."""
    name, people = source.name, SIZES[size]
    with where.app().app_context(), reading():
        session = db.session()
        big = session.scalars(select(Programme.id)).one()
        session.rollback()
        population.fill(where.environment["RGAPP_DATABASE_URL"], big, people)
        gc.collect()
        gc.freeze()  # As the web processes do.
        for what, asked in questions(session, big).items():
            plan = plans(session, asked)
            taken, cpu = timed(session, asked, source.meter)
            if shown:
                print("\n".join([f"\n{name}, {size}: {what}", *(f"    {line}" for line in plan)]))
            p50, p95 = taken[len(taken) // 2], taken[int(len(taken) * 0.95)]
            yield Measured(name, size, what, p50, p95, cpu, people >= READ_AT_ONCE and bool(full_scans(plan)))
        session.rollback()
        db.engine.dispose()


def table(found: Sequence[Measured], head: str, value: str) -> str:
    """Return one table: a line for each question, a column for each database and size."""
    columns = list(dict.fromkeys((one.database, one.size) for one in found))
    cells = {(one.database, one.size, one.what): one for one in found}
    rows = []
    for what in dict.fromkeys(one.what for one in found):
        line = [cells[database, size, what] for database, size in columns]
        rows.append(
            [what, *(f"{getattr(one, value):.1f}" for one in line), "yes" if any(one.scans for one in line) else "no"]
        )
    heads = [f"{database} {size}" for database, size in columns]
    return report.table([head, *heads, "full scan"], rows)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default=",".join(SIZES), help="1 k,100 k,1 M")
    parser.add_argument("--databases", default=databases.available())
    parser.add_argument("--plans", action="store_true", help="print the plan of every query")
    asked = parser.parse_args()
    found: list[Measured] = []
    for name in asked.databases.split(","):
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rgapp-benchmark-")))
            source = stack.enter_context(databases.databases(name, folder))
            for number, size in enumerate(asked.sizes.split(",")):
                where = installation.install(folder / f"instance-{number}", source.fresh(f"users_{number}"))
                found += measure(source, size, where, asked.plans)
    words = [table(found, "p95, ms", "p95"), table(found, "CPU, ms, the database's included", "cpu_ms")]
    report.keep("users", "\n\n".join(words), [asdict(one) for one in found])


if __name__ == "__main__":
    main()
