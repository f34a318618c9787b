"""A kind of integration whose files are plain CSV, and a house in which its runs are worked on."""

import csv
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from flask import current_app
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.orm import Session

from rgapp.integrations.sync import runs
from rgapp.integrations.sync.engine import Tools, work_on_next, work_on_preview
from rgapp.integrations.sync.feed import (
    ROWS_IN_BATCH,
    Damage,
    FeedContext,
    FeedFailure,
    FeedRow,
    RowFault,
    RowProblem,
)
from rgapp.models import (
    AuditEvent,
    Deactivation,
    FeedRecord,
    Integration,
    OutboxMail,
    Programme,
    SyncLeaver,
    SyncProblem,
    SyncRun,
    User,
)
from rgapp.provisioning import FieldRule, Policy, Rules, Source, feed_policy
from rgapp.provisioning.record import Field
from rgapp.turnstile import Bell
from tests.conftest import NOW
from tests.factories import Factory

KIND = "table"
HEADER = ("number", "email", "first", "last", "born")
COLUMNS = dict(zip(Field, HEADER, strict=True))
LEFT = "left"


class TableSettings(BaseModel):
    """What the tests decide about a table."""

    model_config = ConfigDict(extra="forbid")
    full_file: bool = True
    status: str | None = None
    hold_all: bool = True
    owns: bool = True
    welcome_email: bool = True
    born_format: str = "%Y-%m-%d"


class TableFeed:
    """A CSV file with a header, read from its beginning each time."""

    def __init__(self, context: FeedContext) -> None:
        self._settings = TableSettings.model_validate(context.settings)
        assert context.path is not None
        self._path = context.path
        self._damage = Damage()
        self.full = self._settings.full_file
        self.rules: Rules = {
            each: FieldRule(name, self._settings.born_format if each is Field.DATE_OF_BIRTH else None)
            for each, name in COLUMNS.items()
        }
        self.share: float | None = None
        self.pulled = None
        self.closed = False

    def fetch(self) -> None:
        return

    def batches(self) -> Iterator[Sequence[FeedRow]]:
        with self._path.open(newline="") as file:
            lines = csv.reader(file)
            header = next(lines, [])
            if header[:1] == ["unreadable"]:
                raise FeedFailure("not_a_format", "This is not a table.")
            missing = tuple(name for name in HEADER if name not in header)
            if missing:
                self._damage = Damage(missing_columns=missing)
                return
            at = [header.index(name) for name in HEADER]
            status = header.index(self._settings.status) if self._settings.status else None
            batch, ragged = [], 0
            for number, cells in enumerate(lines, 2):
                if not any(cells):
                    continue
                problem = None
                if len(cells) != len(header):
                    ragged += 1
                    fault = RowFault.TOO_FEW_CELLS if len(cells) < len(header) else RowFault.TOO_MANY_CELLS
                    problem = RowProblem(fault)
                    cells += [""] * len(header)
                elif spoiled := [name for name, cell in zip(header, cells, strict=True) if "\ufffd" in cell]:
                    problem = RowProblem(RowFault.BAD_BYTES, spoiled[0])
                active = cells[status] != LEFT if status is not None else None
                batch.append(FeedRow(number, tuple(cells[place] for place in at), active, None, problem))
                if len(batch) == ROWS_IN_BATCH:
                    yield batch
                    batch = []
            if batch:
                yield batch
            self._damage = Damage(ragged_rows=ragged)

    def damage(self) -> Damage:
        return self._damage

    def close(self) -> None:
        self.closed = True


class TableSource:
    """What the kind brings to be a feed."""

    pulls = False

    def open(self, context: FeedContext) -> TableFeed:
        return TableFeed(context)

    def policy(self, integration: Integration, settings: Mapping[str, Any]) -> Policy:
        return feed_policy(
            Source.SFTP,
            integration_id=integration.id,
            name=integration.live_name or integration.name,
            owns=bool(settings.get("owns", True)),
            welcome_email=bool(settings.get("welcome_email", True)),
        )

    def holds_all(self, settings: Mapping[str, Any]) -> bool:
        return bool(settings.get("hold_all", True))

    def fingerprint(self, settings: Mapping[str, Any]) -> bytes:
        told = f"{settings.get('born_format')} {settings.get('status')}"
        return hashlib.blake2b(told.encode(), digest_size=16).digest()


class TableKind:
    """A kind of integration that exists in tests."""

    key = KIND
    label = "Table"
    has_tokens = False
    feeds = TableSource()
    kept_with_draft = ()

    def tiles(self) -> Sequence[Any]:
        return ()

    def new_draft(self, provider: str, programme: Programme) -> dict[str, Any]:
        return {}

    def prepare(self, integration: Integration, sealer: Any, *, now: datetime) -> None:
        pass

    def validate(self, settings: Mapping[str, Any]) -> TableSettings:
        return TableSettings.model_validate(settings)

    def owns_fields(self, settings: Mapping[str, Any]) -> bool:
        return bool(settings.get("owns", True))


Row = Sequence[str]


def row(number: int | str, /, **fields: str) -> list[str]:
    """Return the cells of somebody by number."""
    name = f"P{number}" if isinstance(number, int) else number
    given = {
        "number": name,
        "email": f"{name.lower()}@acme.example",
        "first": "Jane",
        "last": "Carter",
        "born": "1990-04-03",
    } | fields
    return list(given.values())


@dataclass
class Desk:
    """One programme with a table, and shorthands to send files and to see what came of them."""

    make: Factory
    folder: Path
    programme: Programme
    integration: Integration
    now: datetime = NOW
    progress: list[Any] = field(default_factory=list)
    bell: Bell | None = None
    _files: int = 0

    @property
    def session(self) -> Session:
        return self.make.session

    def clock(self) -> datetime:
        return self.now

    @property
    def tools(self) -> Tools:
        return Tools(self.folder, current_app.extensions["sealer"], self.clock, progress=self._watch, bell=self.bell)

    def _watch(self, counts: Any) -> None:
        self.progress.append((counts.phase, counts.share, counts.row_count, counts.created))

    def file(self, *rows: Row, header: Row = HEADER, text: str | None = None) -> Path:
        """Write a file."""
        self._files += 1
        path = self.folder / f"people-{self._files}.csv"
        if text is not None:
            path.write_text(text)
            return path
        with path.open("w", newline="") as out:
            csv.writer(out).writerows([header, *rows])
        return path

    def receive(self, path: Path, *, integration: Integration | None = None, **options: Any) -> SyncRun:
        """Let a file arrive."""
        digest = hashlib.sha256(path.read_bytes()).digest()
        run = runs.receive(
            self.session, integration or self.integration, now=self.now, path=path, content_digest=digest, **options
        )
        self.session.commit()
        return run

    def work(self, integration: Integration | None = None) -> SyncRun | None:
        """Work on the next run."""
        which = integration or self.integration
        done = work_on_next(self.session, which.programme_id, which.id, self.tools)
        self.session.expire_all()
        return done

    def send(
        self,
        *rows: Row,
        header: Row = HEADER,
        text: str | None = None,
        later: timedelta = timedelta(),
        integration: Integration | None = None,
    ) -> SyncRun:
        """Send a file and let it be worked on."""
        self.now += later
        run = self.receive(self.file(*rows, header=header, text=text), integration=integration)
        done = self.work(integration)
        assert done is not None
        assert done.id == run.id
        return done

    def preview(self, *rows: Row, **settings: Any) -> SyncRun:
        """Look what a file would do."""
        run = self.receive(self.file(*rows), preview_of=TableSettings(**settings).model_dump())
        done = work_on_preview(self.session, self.programme.id, run.id, self.tools)
        self.session.expire_all()
        assert done is not None
        return done

    def another(self, name: str, **settings: Any) -> Integration:
        """Make another table in the same programme."""
        made = self.make.integration(
            self.programme, TableSettings(**settings).model_dump(), name=name, kind=KIND, provider=KIND
        )
        self.session.commit()
        return made

    def user(self, number: int | str) -> User:
        name = f"P{number}" if isinstance(number, int) else number
        return self.session.scalars(select(User).where(User.membership_no == name)).one()

    def statuses(self) -> dict[str, str]:
        found = self.session.execute(select(User.membership_no, User.status).order_by(User.membership_no))
        return {number: str(status) for number, status in found}

    def emails(self) -> dict[str, str | None]:
        found = self.session.execute(select(User.membership_no, User.email)).all()
        return {user.membership_no: user.email for user in found}

    def problems(self, run: SyncRun) -> list[tuple[int, str, bool]]:
        found = self.session.scalars(
            select(SyncProblem).where(SyncProblem.run_id == run.id).order_by(SyncProblem.number)
        )
        return [(each.row_number, each.code, each.refused) for each in found]

    def leavers(self, run: SyncRun) -> dict[str, bool]:
        found = self.session.scalars(select(SyncLeaver).where(SyncLeaver.run_id == run.id))
        return {each.person: each.gone for each in found}

    def welcomes(self) -> list[str]:
        return list(self.session.scalars(select(OutboxMail.recipient).where(OutboxMail.kind == "welcome")))

    def told(self) -> list[str]:
        """Return the states that the admins got mails about."""
        return [
            mail.data["state"]
            for mail in self.session.scalars(
                select(OutboxMail).where(OutboxMail.kind == "sync_run").order_by(OutboxMail.id)
            )
        ]

    def tags(self, of: str = "user:") -> list[str]:
        found = self.session.scalars(select(AuditEvent.tag).order_by(AuditEvent.id))
        return [tag for tag in found if tag.startswith(of)]

    def counted(self) -> int:
        return len(self.session.scalars(select(Deactivation)).all())

    def records(self) -> dict[str, bool]:
        return {each.key: each.present for each in self.session.scalars(select(FeedRecord))}


def counts(run: SyncRun) -> dict[str, int]:
    """Return the counters that are not 0."""
    names = ("created", "updated", "unchanged", "reactivated", "deactivated", "refused", "warnings")
    return {name: value for name in names if (value := getattr(run, name))}


MakeDesk = Callable[..., Desk]
