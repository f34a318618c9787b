"""Sign-ins while a file of many people is loaded, beside the same sign-ins while nothing else happens."""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks import databases, feeds, installation, load, report, servers, sign_in, table

SIGN_INS = 300
CLIENTS = (1, 4)
# The file is long enough for all sign-ins at this rate.
ROWS = 1_000_000


@dataclass(frozen=True)
class Measured:
    """First sign-ins of so many clients, in milliseconds, idle and beside a load; `rows` is what it wrote meanwhile."""

    database: str
    clients: int
    idle_p50: float
    idle_p95: float
    p50: float
    p95: float
    rows_per_second: float


@contextmanager
def loading(environment: dict[str, str], path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Load a file in a process of its own for as long as the block lasts; it has begun to write when this begins."""
    asked = json.dumps({"environment": environment, "path": str(path)})
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.feeds", "--load"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None  # noqa: S101 - it is a pipe.
    process.stdin.write(asked)
    process.stdin.close()
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def measure(source: databases.Databases, folder: Path, rows: int) -> list[Measured]:
    """Measure on one kind of database."""
    address = source.fresh("beside")
    where = installation.install(folder / "instance", address)
    environment = dict(where.environment)
    feeds.prepare(environment)
    path = folder / "people.csv"
    table.write(path, rows)
    bench = sign_in.Bench(source, where, SIGN_INS)
    found, idle = [], {}

    def signing_in(server: servers.Server, clients: int) -> load.Load:
        errands, _ = installation.start_sign_ins(server.port, where, bench.people(SIGN_INS))
        done = load.run(server.port, bench.posts(errands), clients=clients)
        sign_in.expect(done, 303, sign_in.FIRST)
        return done

    with servers.application(where.instance, where.environment) as server:
        sign_in.warm(bench, server)
        for clients in CLIENTS:
            idle[clients] = signing_in(server, clients)
        with loading(environment, path) as process:
            _wait_for_people(address, bench.next_person)
            for clients in CLIENTS:
                before, started = _people(address), time.perf_counter()
                done = signing_in(server, clients)
                written = (_people(address) - before - SIGN_INS) / (time.perf_counter() - started)
                if process.poll() is not None:
                    raise RuntimeError("The load was over before the sign-ins were; give it more rows.")
                quiet = idle[clients]
                found.append(
                    Measured(
                        source.name,
                        clients,
                        quiet.percentile(50),
                        quiet.percentile(95),
                        done.percentile(50),
                        done.percentile(95),
                        written,
                    )
                )
    return found


def _people(address: str) -> int:
    connection = feeds.connect(address)
    count: int = connection.execute("SELECT count(*) FROM users").fetchone()[0]
    connection.close()
    return count


def _wait_for_people(address: str, so_far: int) -> None:
    """Wait until the load has checked its file and writes."""
    until = time.monotonic() + 600
    while _people(address) <= so_far:
        if time.monotonic() > until:
            raise RuntimeError("The load does not write.")
        time.sleep(0.2)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--databases", default="")
    asked = parser.parse_args()
    found: list[Measured] = []
    for name in (asked.databases or databases.available()).split(","):
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rgapp-benchmark-")))
            source = stack.enter_context(databases.databases(name, folder))
            found += measure(source, folder, asked.rows)
    heads = ["database", "clients", "idle p50 ms", "idle p95 ms", "p50 ms", "p95 ms", "× idle p95", "rows/s meanwhile"]
    lines = [
        [
            one.database,
            str(one.clients),
            *(f"{value:.1f}" for value in (one.idle_p50, one.idle_p95, one.p50, one.p95, one.p95 / one.idle_p95)),
            f"{one.rows_per_second:,.0f}",
        ]
        for one in found
    ]
    report.keep("beside", report.table(heads, lines), [asdict(one) for one in found])


if __name__ == "__main__":
    main()
