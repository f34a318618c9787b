"""SCIM over HTTP: creates, look-ups, changes and lists, beside scim2-server's own test server in memory."""

import argparse
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import func, select

from benchmarks import databases, installation, load, report, scim_people, servers
from benchmarks.databases import Databases
from benchmarks.sign_in import expect
from rgapp import programmes
from rgapp.audit.service import COMMAND_LINE
from rgapp.extensions import db
from rgapp.integrations import service
from rgapp.integrations.scim import tokens
from rgapp.integrations.scim.kind import KIND
from rgapp.integrations.scim.settings import DEFAULT_MAPPING
from rgapp.models import AuditEvent, OutboxMail, User

PEER = "scim2-server, in memory"
USUAL, LARGE, LISTED = 10_000, 1_000_000, 100_000
PAGE = 100
CREATE, BY_NAME, BY_EXTERNAL_ID, PATCH = "create", "look-up by userName", "look-up by externalId", "PATCH active"
CYCLE = "Entra's first cycle, a person"


@dataclass(frozen=True)
class Measured:
    """What one kind of operation cost, with so many people there."""

    server: str
    what: str
    people: int
    operations: int
    cpu_ms: float
    database_cpu_ms: float | None
    p50: float
    p95: float


@dataclass
class Target:
    """A server that is spoken to: where it is, how it is called here, and what its database used."""

    name: str
    server: servers.Server
    prefix: str
    token: str
    people: int
    source: Databases | None = None

    def request(self, method: str, path: str, body: object = None) -> bytes:
        """Prepare one request."""
        sent = json.dumps(body).encode() if body is not None else b""
        return load.scim(method, f"{self.prefix}{path}", host="rewards.example", token=self.token, body=sent)

    def measure(self, what: str, requests: Sequence[bytes], status: int, *, per: int = 1, clients: int = 1) -> Measured:
        """Send the requests and meter; `per` requests are one operation."""
        own = self.source.meter if self.source else None
        before, before_own = self.server.meter.read(), own.read() if own else 0.0
        done = load.run(self.server.port, requests, clients=clients)
        used = self.server.meter.read() - before
        used_own = own.read() - before_own if own else None
        if per == 1:
            expect(done, status, f"{what} at {self.name}")
        count = len(requests) // per
        return Measured(
            self.name,
            what,
            self.people,
            count,
            used / count,
            used_own / count if used_own is not None else None,
            done.percentile(50),
            done.percentile(95),
        )

    def ask(self, path: str) -> dict[str, object]:
        """Send one GET; returns the JSON that comes back."""
        (answer,) = load.run(self.server.port, [self.request("GET", path)], clients=1, heads=True).answers
        if answer.status != 200:
            raise RuntimeError(f"{self.name}: {path} was answered with {answer.status}")
        found: dict[str, object] = json.loads(answer.body)
        return found


def names(kind: str, count: int) -> list[str]:
    """Return names that nobody has yet."""
    return [f"{kind}{number:07}" for number in range(count)]


def creates(target: Target, who: Sequence[str]) -> list[bytes]:
    """Prepare the POST of each person."""
    return [target.request("POST", "/Users", scim_people.resource(name)) for name in who]


def look_ups(target: Target, attribute: str, who: Sequence[str]) -> list[bytes]:
    """Prepare what Entra asks before it creates somebody."""
    value = {"userName": "{}@acme.example", "externalId": "E-{}"}[attribute]
    filters = (quote(f'{attribute} eq "{value.format(name)}"') for name in who)
    return [target.request("GET", f"/Users?filter={each}") for each in filters]


def patches(target: Target, identifiers: Sequence[str]) -> list[bytes]:
    """Prepare the change that takes somebody out, as Okta sends it."""
    body = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "value": {"active": False}}],
    }
    return [target.request("PATCH", f"/Users/{identifier}", body) for identifier in identifiers]


def identifiers(target: Target, who: Sequence[str]) -> list[str]:
    """Ask for the ids of people."""
    done = load.run(target.server.port, look_ups(target, "userName", who), clients=4, heads=True)
    return [json.loads(answer.body)["Resources"][0]["id"] for answer in done.answers]


def operations_of(target: Target, known: Sequence[str], operations: int, patch_status: int) -> Iterator[Measured]:
    """Measure what clients do most, with everybody in `known` there already."""
    load.run(target.server.port, creates(target, names("warm", 50)), clients=4)
    load.run(target.server.port, look_ups(target, "userName", known[:50]), clients=4)
    asked = list(known[:: max(1, len(known) // operations)][:operations])
    yield target.measure(BY_NAME, look_ups(target, "userName", asked), 200)
    yield target.measure(BY_EXTERNAL_ID, look_ups(target, "externalId", asked), 200)
    yield target.measure(CREATE, creates(target, names("new", operations)), 201)
    yield target.measure(PATCH, patches(target, identifiers(target, asked[: operations // 2])), patch_status)


def measure_peer(folder: Path, operations: int) -> Iterator[Measured]:
    """Measure the library's own test server; its people are created over HTTP, for there is no other way in."""
    token = "only-for-the-benchmark"  # noqa: S105 - it opens a server of this benchmark.
    with servers.peer("benchmarks.scim_peer", folder, {"BENCHMARK_TOKEN": token}, workers=1) as server:
        target = Target(PEER, server, "/v2", token, USUAL)
        known = names("known", USUAL)
        expect(load.run(server.port, creates(target, known), clients=4), 201, "filling the peer")
        yield from operations_of(target, known, operations, 204)


@contextmanager
def ours(source: Databases, folder: Path, name: str, people: int) -> Iterator[tuple[Target, list[str]]]:
    """Serve the application with a live SCIM integration that brought so many people."""
    database = f"scim_{name}"
    where = installation.install(folder / database, source.fresh(database))
    now = datetime.now(UTC)
    with where.app().app_context():
        session = db.session()
        programme = programmes.find(session, "acme")
        if programme is None:
            raise RuntimeError("the installation has no programme")
        made = service.create(
            session,
            programme,
            kind=KIND,
            provider="scim",
            name="Entra",
            sealer=where.app().extensions["sealer"],
            actor=COMMAND_LINE,
            now=now,
            draft={"mapping": {str(field): source for field, source in DEFAULT_MAPPING.items()}},
        )
        service.publish(session, made, actor=COMMAND_LINE, now=now, without_test=True)
        _, token = tokens.issue(session, made, actor=COMMAND_LINE, now=now)
        prefix = f"/scim/{programme.id}/v2"
        session.commit()
        db.engine.dispose()
    known = names("known", people)
    with servers.application(where.instance, where.environment) as server:
        target = Target(source.name, server, prefix, token, people, source)
        expect(load.run(server.port, creates(target, [scim_people.MODEL]), clients=1), 201, "the model")
    if people:
        scim_people.fill(where.environment["RGAPP_DATABASE_URL"], known)
    with servers.application(where.instance, where.environment) as server:
        yield Target(source.name, server, prefix, token, people, source), known
    check_written(where.app)


def check_written(make_app: Callable[[], object]) -> None:
    """Raise unless everybody who was created over HTTP has an event and a mail."""
    with make_app().app_context():  # type: ignore[attr-defined]  # A Flask application.
        count = db.session.scalar
        created = count(select(func.count()).select_from(AuditEvent).where(AuditEvent.tag == "user:created"))
        mails = count(select(func.count()).select_from(OutboxMail))
        users = count(select(func.count()).select_from(User))
        db.engine.dispose()
    if created != mails or not users or users < (created or 0):
        raise RuntimeError(f"{created} people were created, {mails} mails written, {users} are there")


def pages(target: Target, operations: int) -> Iterator[Measured]:
    """Measure one page near the beginning and one near the end of a list, by index and by cursor."""
    last = target.people - PAGE
    for what, start in (("page by index, first", 1), ("page by index, last", last)):
        request = target.request("GET", f"/Users?startIndex={start}&count={PAGE}")
        yield target.measure(what, [request] * operations, 200)
    first = target.request("GET", f"/Users?cursor&count={PAGE}")
    yield target.measure("page by cursor, first", [first] * operations, 200)
    cursor = ""
    for _ in range(last // PAGE - 1):
        cursor = str(target.ask(f"/Users?cursor={cursor}&count={PAGE}")["nextCursor"])
    request = target.request("GET", f"/Users?cursor={cursor}&count={PAGE}")
    yield target.measure("page by cursor, last", [request] * operations, 200)


def first_cycle(target: Target, people: int) -> Measured:
    """Measure what Entra does first: look each person up, find nobody, and create them."""
    who = names("cycle", people)
    both = zip(look_ups(target, "userName", who), creates(target, who), strict=True)
    return target.measure(CYCLE, [request for pair in both for request in pair], 0, per=2, clients=4)


def table(found: Sequence[Measured]) -> str:
    """Return the table: CPU, and its multiple of the peer's."""
    peers = {one.what: one.cpu_ms for one in found if one.server == PEER}
    rows = [
        [
            one.server,
            one.what,
            f"{one.people:,}",
            f"{one.cpu_ms:.2f}",
            f"{one.cpu_ms / peers[one.what]:.2f}" if one.what in peers else "–",
            f"{one.database_cpu_ms:.2f}" if one.database_cpu_ms is not None else "–",
            f"{one.p50:.1f}",
            f"{one.p95:.1f}",
        ]
        for one in found
    ]
    heads = ["server", "what", "people", "CPU ms", "× the peer", "database's CPU ms", "p50 ms", "p95 ms"]
    return report.table(heads, rows)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--operations", type=int, default=1000, help="how many of each kind")
    parser.add_argument("--large", type=int, default=LARGE, help="how many people the large programme has")
    parser.add_argument("--cycle", type=int, default=50_000, help="how many people Entra's first cycle brings")
    parser.add_argument("--databases", default=databases.available())
    asked = parser.parse_args()
    found: list[Measured] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rgapp-benchmark-")))
        found += measure_peer(folder, asked.operations)
    for name in asked.databases.split(","):
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rgapp-benchmark-")))
            source = stack.enter_context(databases.databases(name, folder))
            for size, people in (("usual", USUAL), ("large", asked.large)):
                with ours(source, folder, size, people) as (target, known):
                    found += operations_of(target, known, asked.operations, 200)
            with ours(source, folder, "listed", min(LISTED, asked.large)) as (target, _):
                found += pages(target, max(20, asked.operations // 20))
            with ours(source, folder, "cycle", 0) as (target, _):
                found.append(first_cycle(target, asked.cycle))
    report.keep("scim", table(found), [asdict(one) for one in found])


if __name__ == "__main__":
    main()
