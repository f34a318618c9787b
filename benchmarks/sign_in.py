"""A sign-in over HTTP, everything included, beside the floor and the plain Flask app."""

import argparse
import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import func, select

from benchmarks import databases, floor, installation, load, report, servers
from benchmarks.databases import Databases
from benchmarks.installation import Installation
from benchmarks.responses import Errand, forms
from rgapp.extensions import db
from rgapp.models import OutboxMail, User

WARM_UP = 64
LEAST = {"floor": 2000, "plain Flask": 500}
FLOOR, PLAIN, LOGIN, FIRST, REPEAT = "floor", "plain Flask", "login (GET)", "first sign-in", "repeat sign-in"


@dataclass(frozen=True)
class Measured:
    """What one kind of operation cost on one database with so many clients at once."""

    database: str
    what: str
    clients: int
    operations: int
    cpu_ms: float
    database_cpu_ms: float | None
    per_second: float
    p50: float
    p95: float
    p99: float


@dataclass
class Bench:
    """One run on one kind of database."""

    databases: Databases
    where: Installation
    operations: int
    next_person: int = 0

    def people(self, count: int) -> range:
        """Return people who never signed in."""
        self.next_person += count
        return range(self.next_person - count, self.next_person)

    def measure(self, what: str, server: servers.Server, requests: Sequence[bytes], clients: int) -> Measured:
        """Send the requests and meter the server's processes, and the database's apart."""
        own = self.databases.meter
        before, before_own = server.meter.read(), own.read() if own else 0.0
        done = load.run(server.port, requests, clients=clients)
        used = server.meter.read() - before
        used_own = own.read() - before_own if own else None
        expect(done, 302 if what == LOGIN else 303, what)
        count = len(requests)
        return Measured(
            self.databases.name,
            what,
            clients,
            count,
            used / count,
            used_own / count if used_own is not None else None,
            done.per_second,
            done.percentile(50),
            done.percentile(95),
            done.percentile(99),
        )

    def posts(self, errands: Sequence[Errand]) -> list[bytes]:
        """Sign the responses and prepare their POSTs."""
        place = self.where.place
        bodies = forms(self.where.signer, errands)
        return [
            load.post(
                place.acs_path,
                body,
                host=place.host,
                cookie=errand.cookie,
                client=installation.address_of(errand.person),
            )
            for errand, body in zip(errands, bodies, strict=True)
        ]


def expect(done: load.Load, status: int, what: str) -> None:
    """Raise where not every answer was the right one: a refusal is quick and would look good."""
    if set(done.statuses()) != {status}:
        raise RuntimeError(f"{what}: expected {status} throughout, got {done.statuses()}")


def measure_database(found: Databases, folder: Path, operations: int, levels: Sequence[int]) -> Iterator[Measured]:
    """Measure everything on one kind of database; each level of clients has its own people."""
    where = installation.install(folder / "instance", found.fresh("application"))
    bench = Bench(found, where, operations)
    kept: dict[int, list[bytes]] = {}
    with servers.application(where.instance, where.environment) as server:
        warm(bench, server)
        for clients in levels:
            people = bench.people(operations)
            logins = [
                load.get(where.login_path, host=where.place.host, client=installation.address_of(p)) for p in people
            ]
            yield bench.measure(LOGIN, server, logins, clients)
            for what in (FIRST, REPEAT):
                errands, _ = installation.start_sign_ins(server.port, where, people)
                posts = bench.posts(errands)
                kept.setdefault(clients, posts)
                yield bench.measure(what, server, posts, clients)
    check_written(where, bench.next_person)
    for what in (FLOOR, PLAIN):
        with compared(what, bench, folder) as server:
            expect(load.run(server.port, kept[levels[0]][:WARM_UP], clients=32), 303, what)
            for clients in levels:
                # Neither minds a response that came before, and so few milliseconds want many operations.
                yield bench.measure(what, server, kept[clients] * max(1, LEAST[what] // operations), clients)


@contextmanager
def compared(what: str, bench: Bench, folder: Path) -> Iterator[servers.Server]:
    """Serve the floor or the plain app on a database of its own."""
    module = {FLOOR: "floor", PLAIN: "plain"}[what]
    address = bench.databases.fresh(module)
    floor.create_table(address)
    certificate = folder / "certificate.pem"
    certificate.write_text(bench.where.signer.certificate)
    environment = {
        "BENCHMARK_DATABASE": address,
        "BENCHMARK_CERTIFICATE": str(certificate),
        "BENCHMARK_PLACE": json.dumps(asdict(bench.where.place)),
    }
    with servers.peer(f"benchmarks.{module}", folder, environment) as server:
        yield server


def warm(bench: Bench, server: servers.Server) -> None:
    """Let every thread of the server have its connections and caches."""
    errands, _ = installation.start_sign_ins(server.port, bench.where, bench.people(WARM_UP))
    expect(load.run(server.port, bench.posts(errands), clients=32), 303, "warm-up")


def check_written(where: Installation, people: int) -> None:
    """Raise unless everybody has an account and a mail."""
    with where.app().app_context():
        users = db.session.scalar(select(func.count()).select_from(User))
        mails = db.session.scalar(select(func.count()).select_from(OutboxMail))
        db.engine.dispose()
    if (users, mails) != (people, people):
        raise RuntimeError(f"{people} people signed in; there are {users} users and {mails} mails")


def table(found: Sequence[Measured]) -> str:
    """Return the table: CPU, and its multiples of the floor and of the plain app on the same database."""
    rows = []
    for one in found:
        beside = {
            other.what: other.cpu_ms
            for other in found
            if (other.database, other.clients) == (one.database, one.clients)
        }
        rows.append(
            [
                one.database,
                one.what,
                str(one.clients),
                f"{one.cpu_ms:.2f}",
                f"{one.cpu_ms / beside[FLOOR]:.1f}",
                f"{one.cpu_ms / beside[PLAIN]:.2f}",
                f"{one.database_cpu_ms:.2f}" if one.database_cpu_ms is not None else "–",
                f"{one.per_second:.0f}",
                *(f"{value:.1f}" for value in (one.p50, one.p95, one.p99)),
            ]
        )
    heads = ["database", "what", "clients", "CPU ms", "× floor", "× plain", "database's CPU ms", "per second"]
    return report.table([*heads, "p50 ms", "p95 ms", "p99 ms"], rows)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="500 operations with 8 clients only")
    parser.add_argument("--operations", type=int, help="how many of each kind (2000)")
    parser.add_argument("--clients", help="how many at once, for example 1,8,32")
    parser.add_argument("--databases", default=databases.available())
    asked = parser.parse_args()
    operations = asked.operations or (500 if asked.quick else 2000)
    levels = [int(number) for number in (asked.clients or ("8" if asked.quick else "1,8,32")).split(",")]
    found: list[Measured] = []
    for name in asked.databases.split(","):
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rgapp-benchmark-")))
            source = stack.enter_context(databases.databases(name, folder))
            found += measure_database(source, folder, operations, levels)
    words = table(sorted(found, key=order))
    if asked.quick:
        print(words)  # Too few to be kept.
    else:
        report.keep("sign-in", words, [asdict(one) for one in found])


def order(one: Measured) -> tuple[int, int, int]:
    """Return where a line stands in the table."""
    what = [FLOOR, PLAIN, LOGIN, FIRST, REPEAT].index(one.what)
    return databases.NAMES.index(one.database), one.clients, what


if __name__ == "__main__":
    main()
