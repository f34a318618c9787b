"""First sign-ins where a thousand, a hundred thousand and a million people are in the database already."""

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from benchmarks import databases, installation, load, population, report, servers
from benchmarks.databases import Databases
from benchmarks.sign_in import Bench, expect, warm
from benchmarks.users import SIZES
from rgapp.extensions import db
from rgapp.models import Programme

# All sizes are served at once and take turns: whatever else the machine does then disturbs all alike.
TURNS = 10
CLIENTS = 8


@dataclass(frozen=True)
class Measured:
    """What a first sign-in cost with so many people in the database."""

    database: str
    size: str
    cpu_ms: float
    database_cpu_ms: float | None
    p95: float


def filled(source: Databases, folder: Path, size: str, operations: int) -> Bench:
    """Return an installation with so many people in it."""
    name = f"scale_{SIZES[size]}"
    where = installation.install(folder / name, source.fresh(name))
    population.fill(where.environment["RGAPP_DATABASE_URL"], _big(where), SIZES[size])
    return Bench(source, where, operations)


def _big(where: installation.Installation) -> UUID:
    with where.app().app_context():
        found = db.session.scalars(select(Programme.id)).one()
        db.session.rollback()
        db.engine.dispose()
    return found


def measure(source: Databases, folder: Path, sizes: Sequence[str], operations: int) -> Iterator[Measured]:
    """Measure all sizes on one kind of database, in turns."""
    benches = {size: filled(source, folder, size, operations) for size in sizes}
    spent = {size: [0.0, 0.0] for size in sizes}
    answers: dict[str, list[load.Answer]] = {size: [] for size in sizes}
    with ExitStack() as stack:
        running = {}
        for size, bench in benches.items():
            running[size] = stack.enter_context(servers.application(bench.where.instance, bench.where.environment))
            warm(bench, running[size])
        for _ in range(TURNS):
            for size, bench in benches.items():
                server, own = running[size], source.meter
                errands, _ = installation.start_sign_ins(server.port, bench.where, bench.people(operations // TURNS))
                posts = bench.posts(errands)
                before, before_own = server.meter.read(), own.read() if own else 0.0
                done = load.run(server.port, posts, clients=CLIENTS)
                spent[size][0] += server.meter.read() - before
                spent[size][1] += own.read() - before_own if own else 0.0
                expect(done, 303, f"first sign-in among {size}")
                answers[size] += done.answers
    for size in sizes:
        count = len(answers[size])
        yield Measured(
            source.name,
            size,
            spent[size][0] / count,
            spent[size][1] / count if source.meter else None,
            load.Load(answers[size], 1, 0).percentile(95),
        )


def table(found: Sequence[Measured]) -> str:
    """Return the table: CPU at each size, and how it compares with the smallest."""
    rows = []
    for one in found:
        first = next(other for other in found if other.database == one.database)
        own = f"{one.database_cpu_ms:.2f}" if one.database_cpu_ms is not None else "–"
        total, least = (each.cpu_ms + (each.database_cpu_ms or 0) for each in (one, first))
        rows.append([one.database, one.size, f"{one.cpu_ms:.2f}", own, f"{total / least:.2f}", f"{one.p95:.1f}"])
    heads = ["database", "people", "CPU ms", "database's CPU ms", "both, × the smallest", "p95 ms"]
    return report.table(heads, rows)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default=",".join(SIZES), help="1 k,100 k,1 M")
    parser.add_argument("--operations", type=int, default=1000, help="first sign-ins at each size")
    parser.add_argument("--databases", default=databases.available())
    asked = parser.parse_args()
    found: list[Measured] = []
    for name in asked.databases.split(","):
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rgapp-benchmark-")))
            source = stack.enter_context(databases.databases(name, folder))
            found += measure(source, folder, asked.sizes.split(","), asked.operations)
    report.keep("scale", table(found), [asdict(one) for one in found])


if __name__ == "__main__":
    main()
