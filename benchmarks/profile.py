"""Where the time of a first sign-in goes: samples of the running application, by part of ours and by library."""

import argparse
import signal
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder, run_wsgi_app

from benchmarks import databases, installation, load, report
from benchmarks.installation import Installation
from benchmarks.responses import Errand, forms
from benchmarks.servers import ROOT
from rgapp.extensions import db

EVERY_SECONDS = 0.001
WARM_UP = 50
OURS = f"{ROOT}/rgapp/"
# What a part is called; the first that fits the module counts, others keep their module's name.
PARTS = {
    "integrations/saml/signature": "signature: xmlsec, the covered bytes",
    "integrations/saml/document": "parsing and survey of the XML",
    "integrations/saml/trust": "schema, structure, trust",
    "integrations/saml/attempts": "attempt for support",
    "integrations/saml/": "other checks and reading of the assertion",
    "provisioning/": "provisioning: mapping, matching, the user's row",
    "audit/": "audit event",
    "mail/": "welcome mail into the outbox",
    "jobs/": "waking the mailer",
    "auth/": "session",
    "sso/context": "look-up of the connection",
    "sso/requests": "one-use request",
    "sso/": "the sign-in's frame, replay memory",
    "database": "beginning and ending transactions",
}
LIBRARIES = tuple(
    "sqlalchemy werkzeug flask flask_limiter limits flask_wtf flask_login huey psycopg pydantic onelogin".split()  # noqa: SIM905 - it reads better.
)
COMMIT = "commit"


class Samples:
    """Counts where the program is, every millisecond; C code counts for the line that called it."""

    def __init__(self) -> None:
        self.parts: Counter[str] = Counter()
        self.libraries: Counter[str] = Counter()

    def take(self, _: int, frame: FrameType | None) -> None:
        """Take one sample."""
        innermost = frame
        part = None
        while frame is not None and part is None:
            part = part_of(frame)
            frame = frame.f_back
        self.parts[part or "Flask, Werkzeug and extensions"] += 1
        self.libraries[library_of(innermost)] += 1


def part_of(frame: FrameType) -> str | None:
    """Return which part of a sign-in this frame is; None where its caller says."""
    path = frame.f_code.co_filename
    if path.startswith(f"{OURS}models/"):
        return None  # Rows are written for somebody.
    if path.startswith(OURS):
        module = path.removeprefix(OURS).removesuffix(".py")
        found = next((name for start, name in PARTS.items() if module.startswith(start)), None)
        return found or (module if "/" in module else None)
    if frame.f_code.co_name == COMMIT and path.endswith("orm/session.py"):
        return "commit"
    return None


def library_of(frame: FrameType | None) -> str:
    """Return whose code this frame is."""
    path = frame.f_code.co_filename if frame is not None else ""
    if path.startswith(OURS):
        return "rgapp, and the C code it calls (lxml, xmlsec, hashes)"
    if "sqlalchemy/engine/default.py" in path or "psycopg" in path:
        return "the database's driver, waiting for PostgreSQL included"
    return next((name for name in LIBRARIES if f"/{name}/" in path), "Python's library and others")


@contextmanager
def sampling(samples: Samples) -> Iterator[None]:
    """Sample as long as the block lasts."""
    before = signal.signal(signal.SIGALRM, samples.take)
    signal.setitimer(signal.ITIMER_REAL, EVERY_SECONDS, EVERY_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def environments(where: Installation, app: Any, people: range) -> list[dict[str, Any]]:
    """Let everybody open the login address, and return what the server would pass on with their responses."""
    base = f"https://{where.place.host}"
    errands = []
    for person in people:
        headers = Headers({"X-Forwarded-For": installation.address_of(person)})
        errands.append(errand(app, EnvironBuilder(where.login_path, base, headers=headers).get_environ(), person))
    return [
        EnvironBuilder(
            where.place.acs_path,
            base,
            method="POST",
            data=body,
            content_type="application/x-www-form-urlencoded",
            headers=Headers({"Cookie": each.cookie, "X-Forwarded-For": installation.address_of(each.person)}),
        ).get_environ()
        for each, body in zip(errands, forms(where.signer, errands), strict=True)
    ]


def errand(app: Any, environ: dict[str, Any], person: int) -> Errand:
    """Open the login address in this process."""
    _, status, headers = run_wsgi_app(app, environ, buffered=True)
    head = "\r\n".join(f"{name}: {value}" for name, value in headers)
    return installation.errand_of(person, load.Answer(int(status[:3]), 0.0, head.encode()))


def measure(where: Installation, operations: int) -> Samples:
    """Sample first sign-ins in this process, without gunicorn."""
    app, samples = where.app(), Samples()
    everybody = environments(where, app, range(operations + WARM_UP))
    for environ in everybody[:WARM_UP]:
        run_wsgi_app(app, environ, buffered=True)
    with sampling(samples):
        answers = [run_wsgi_app(app, environ, buffered=True)[1] for environ in everybody[WARM_UP:]]
    if {answer[:3] for answer in answers} != {"303"}:
        raise RuntimeError(f"expected 303 throughout, got {Counter(answers)}")
    with app.app_context():
        db.engine.dispose()
    return samples


def table(head: str, counts: Counter[str], operations: int) -> str:
    """Return the shares of one kind, the largest first."""
    total = counts.total()
    rows = [
        [name, f"{100 * count / total:.0f} %", f"{count * EVERY_SECONDS * 1000 / operations:.2f}"]
        for name, count in counts.most_common()
    ]
    return report.table([head, "share", "ms"], rows)


def tables(name: str, samples: Samples, operations: int) -> Sequence[str]:
    """Return both tables of one database."""
    return (
        table(f"part of a first sign-in, {name}", samples.parts, operations),
        table(f"whose code, {name}", samples.libraries, operations),
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--operations", type=int, default=2000)
    parser.add_argument("--databases", default=databases.available())
    asked = parser.parse_args()
    words: list[str] = []
    found = {}
    for name in asked.databases.split(","):
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rgapp-benchmark-")))
            source = stack.enter_context(databases.databases(name, folder))
            samples = measure(installation.install(folder / "instance", source.fresh("profile")), asked.operations)
        words += tables(name, samples, asked.operations)
        found[name] = {"parts": dict(samples.parts), "libraries": dict(samples.libraries)}
    report.keep("profile", "\n\n".join(words), found)


if __name__ == "__main__":
    main()
