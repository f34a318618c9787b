"""A pull of many employees from the simulated BambooHR: all of them with 1 % changed, and only those who changed."""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from benchmarks import databases, installation, report
from rgapp import create_app
from rgapp.audit.service import COMMAND_LINE
from rgapp.clock import utcnow
from rgapp.demo.bamboohr.company import FIRST_ID
from rgapp.demo.bamboohr.service import KEY
from rgapp.extensions import db
from rgapp.integrations import service
from rgapp.integrations.bamboohr.api import Bamboo
from rgapp.integrations.bamboohr.calls import APIKey
from rgapp.integrations.bamboohr.rows import Rows
from rgapp.integrations.bamboohr.settings import DEFAULT_MAPPING, BambooSettings
from rgapp.integrations.pulls import access
from rgapp.integrations.pulls.access import Secrets
from rgapp.integrations.sync import runs
from rgapp.integrations.sync.engine import work_on_next
from rgapp.jobs.sync import tools_of
from rgapp.models import Programme, RunState

NAME = "BambooHR"
# Of the people, so many are changed before each incremental pull.
CHANGES = (10, 100, 1_000)


@dataclass(frozen=True)
class Measured:
    """One pull on one database.

    `limit_seconds` is what fetching the same pages alone took, in the same minutes; None where there are no pages.
    """

    database: str
    step: str
    people: int
    requests: int
    seconds: float
    cpu_seconds: float
    memory_mb: float
    limit_seconds: float | None = None
    limit_cpu_seconds: float | None = None
    limit_memory_mb: float | None = None


@contextmanager
def simulated(people: int) -> Iterator[str]:
    """Run the simulated BambooHR as a process of its own; yields its origin."""
    command = [sys.executable, "-m", "rgapp.demo.bamboohr", "--port", "0", "--employees", str(people)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None  # noqa: S101 - it is a pipe.
        yield process.stdout.readline().split()[-1]
    finally:
        process.terminate()
        process.wait()


def control(origin: str, told: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Tell the simulated BambooHR something, or ask it what it was asked."""
    data = json.dumps(told).encode() if told is not None else None
    asked = urllib.request.Request(f"{origin}/_control", data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(asked) as answer:
        found: dict[str, Any] = json.loads(answer.read())
        return found


def change(origin: str, count: int, people: int, name: str) -> None:
    """Give so many people, spread over all, another last name; requests are counted anew."""
    step = max(people // count, 1)
    put = {str(FIRST_ID + 1 + number * step): {"lastName": name} for number in range(count)}
    control(origin, {"settle": True, "put": put, "faults": []})


def timed(action: Callable[[], Any]) -> dict[str, float]:
    """Return how long something took, and how much of this process's time."""
    started, used = time.perf_counter(), time.process_time()
    action()
    return {"seconds": time.perf_counter() - started, "cpu": time.process_time() - used}


def prepare(environment: Mapping[str, str], origin: str) -> None:
    """Publish the integration."""
    with create_app(environment).app_context():
        session, now = db.session(), utcnow()
        programme = session.scalars(select(Programme)).one()
        sealer = tools_of(session).sealer
        draft = {"subdomain": "acme", "base_url": origin, "mapping": DEFAULT_MAPPING}
        made = service.create(
            session,
            programme,
            kind="bamboohr",
            provider="bamboohr",
            name=NAME,
            sealer=sealer,
            actor=COMMAND_LINE,
            now=now,
            draft=draft,
        )
        service.publish(session, made, actor=COMMAND_LINE, now=now, without_test=True)
        access.keep(session, made, Secrets("api_key", {"api_key": KEY}), sealer=sealer, actor=COMMAND_LINE, now=now)
        session.commit()
        db.engine.dispose()


def pull(environment: Mapping[str, str], *, full: bool) -> dict[str, float]:
    """Pull in this process; returns what it took."""
    with create_app(environment).app_context():
        session = db.session()
        made = service.by_name(session, session.scalars(select(Programme)).one(), NAME)
        assert made is not None  # noqa: S101 - `prepare` made it.
        runs.receive(session, made, now=utcnow(), wants_full=full)
        session.commit()
        ended: list[Any] = []
        taken = timed(lambda: ended.append(work_on_next(session, made.programme_id, made.id, tools_of(session))))
        done = ended[0]
        if done is None or done.state != RunState.APPLIED or bool(done.full) != full:
            raise RuntimeError(f"The pull was not applied: {done and (done.reason, done.facts)}")
        return taken


def fetch(origin: str) -> None:
    """Fetch the pages of a full pull and keep nothing of them."""
    settings = BambooSettings.model_validate({"subdomain": "acme", "mapping": DEFAULT_MAPPING})
    bamboo = Bamboo(origin, APIKey(KEY), allow=frozenset({origin}))
    places = bamboo.places(Rows(settings, utcnow().date()).wanted)
    number = pages = 1
    while number <= pages:
        page = bamboo.page(places, number)
        assert page is not None  # noqa: S101 - the simulation has the dataset.
        pages = page.pages or 1
        number += 1
    bamboo.close()


def in_a_process(asked: Mapping[str, Any]) -> dict[str, float]:
    """Do one step in a process of its own, whose memory is that of the step alone."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.pulls", "--step"],
        input=json.dumps(asked), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def step() -> None:
    """Do the step that standard input names, and print what it took."""
    asked = json.loads(sys.stdin.read())
    if "environment" in asked:
        taken = pull(asked["environment"], full=asked["full"])
    else:
        taken = timed(lambda: fetch(asked["origin"]))
    print(json.dumps(taken | {"memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


def measure(source: databases.Databases, folder: Path, people: int) -> list[Measured]:
    """Measure a first pull, a full one with 1 % changed, and incremental ones, on one kind of database."""
    found = []
    with simulated(people) as origin:
        made = installation.install(folder / "instance", source.fresh("pulls"))
        environment = dict(made.environment) | {"RGAPP_OUTBOUND_ALLOW": origin}
        prepare(environment, origin)
        incremental = [count for count in CHANGES if count <= people // 50]
        steps = [
            ("first pull", 0),
            ("1 % changed", people // 100),
            *((f"{count:,} changes", count) for count in incremental),
        ]
        for number, (name, count) in enumerate(steps):
            full = number < 2
            change(origin, count, people, f"Newname{'abcdef'[number]}") if count else control(origin, {"faults": []})
            taken = in_a_process({"environment": environment, "full": full})
            requests = int(control(origin)["requests"])
            limit = in_a_process({"origin": origin}) if full else {}
            found.append(
                Measured(
                    source.name, name, people, requests, taken["seconds"], taken["cpu"], taken["memory"],
                    limit.get("seconds"), limit.get("cpu"), limit.get("memory"),
                )
            )  # fmt: skip
    return found


def words(found: Sequence[Measured]) -> str:
    """Return the table."""
    lines = []
    for one in found:
        line = [one.database, one.step, f"{one.requests:,}", f"{one.seconds:.1f}", f"{one.cpu_seconds:.1f}"]
        line.append(f"{one.memory_mb:.0f}")
        if one.limit_seconds and one.limit_cpu_seconds and one.limit_memory_mb:
            line += [f"{one.limit_seconds:.1f}", f"{one.limit_cpu_seconds:.1f}", f"{one.limit_memory_mb:.0f}"]
            line.append(f"{one.seconds / one.limit_seconds:.1f}")
        lines.append(line + [""] * (10 - len(line)))
    alone = ["pages alone, s", "s of CPU", "memory, MB", "× the pages"]
    heads = ["database", "step", "requests", "s", "s of CPU", "memory, MB", *alone]
    return report.table(heads, lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--databases", default="")
    parser.add_argument("--step", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.step:
        step()
        return
    found: list[Measured] = []
    for name in (asked.databases or databases.available()).split(","):
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rgapp-benchmark-")))
            source = stack.enter_context(databases.databases(name, folder))
            found += measure(source, folder, asked.people)
    report.keep("pulls", words(found), [asdict(one) for one in found])


if __name__ == "__main__":
    main()
