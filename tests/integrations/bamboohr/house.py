"""A programme that pulls from a simulated BambooHR, and shorthands to pull and to see what came of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from rgapp.audit.service import COMMAND_LINE
from rgapp.demo.bamboohr.service import Simulated
from rgapp.integrations import service
from rgapp.integrations.pulls import access
from rgapp.integrations.pulls.access import Secrets
from rgapp.integrations.sync import runs
from rgapp.integrations.sync.engine import Tools, work_on_next, work_on_preview
from rgapp.models import Integration, Programme, SyncProblem, SyncRun, User
from tests.conftest import NOW
from tests.factories import Factory

MAPPING = {
    "membership_no": {"field": "employeeNumber"},
    "email": {"field": "workEmail", "otherwise": "homeEmail"},
    "first_name": {"field": "firstName"},
    "last_name": {"field": "lastName"},
    "date_of_birth": {"field": "dateOfBirth", "format": "%Y-%m-%d"},
}


@dataclass
class House:
    """One programme with a BambooHR integration; `now` is its clock, while the simulation has the real one."""

    make: Factory
    folder: Path
    simulated: Simulated
    programme: Programme
    integration: Integration
    now: Any = NOW
    shares: list[int] = field(default_factory=list)

    @property
    def session(self) -> Session:
        return self.make.session

    @property
    def tools(self) -> Tools:
        return Tools(
            self.folder,
            current_app.extensions["sealer"],
            self._clock,
            progress=lambda counts: self.shares.append(counts.share),
            outbound_allow=frozenset({self.simulated.origin}),
        )

    def _clock(self) -> Any:
        # Each look at it takes a while.
        self.now += timedelta(milliseconds=300)
        return self.now

    def ask(self, *, full: bool = False, later: timedelta = timedelta(hours=1)) -> SyncRun:
        """Ask for a pull."""
        self.now += later
        run = runs.receive(self.session, self.integration, now=self.now, wants_full=full)
        self.session.commit()
        return run

    def work(self) -> SyncRun | None:
        """Work on the next run."""
        done = work_on_next(self.session, self.programme.id, self.integration.id, self.tools)
        self.session.expire_all()
        return done

    def pull(self, *, full: bool = False, later: timedelta = timedelta(hours=1)) -> SyncRun:
        """Pull to the end."""
        run = self.ask(full=full, later=later)
        done = self.work()
        assert done is not None
        assert done.id == run.id
        return done

    def publish(self, **settings: Any) -> None:
        """Publish other settings."""
        service.save_draft(self.session, self.integration, actor=COMMAND_LINE, now=self.now, **settings)
        service.publish(self.session, self.integration, actor=COMMAND_LINE, now=self.now, without_test=True)
        self.session.commit()

    def preview(self, **settings: Any) -> SyncRun:
        """Look what a pull would do."""
        chosen = dict(self.integration.draft) | settings
        run = runs.receive(self.session, self.integration, now=self.now, preview_of=chosen)
        self.session.commit()
        done = work_on_preview(self.session, self.programme.id, run.id, self.tools)
        self.session.expire_all()
        assert done is not None
        return done

    def people(self) -> dict[str, tuple[Any, ...]]:
        """Return everybody by Membership No.: all that is known of them."""
        found = self.session.execute(
            select(
                User.membership_no, User.email, User.first_name, User.last_name, User.date_of_birth, User.status
            ).order_by(User.membership_no)
        ).all()
        self.session.rollback()
        return {row[0]: tuple(map(str, row[1:])) for row in found}

    def active(self) -> set[str]:
        """Return the Membership Nos. of all who are active."""
        return {number for number, values in self.people().items() if values[-1] == "active"}

    def problems(self, run: SyncRun) -> list[tuple[str, str, bool]]:
        """Return what was found wrong, with where."""
        found = self.session.scalars(
            select(SyncProblem).where(SyncProblem.run_id == run.id).order_by(SyncProblem.number)
        )
        return [(each.code, each.cell, each.refused) for each in found]

    def open_with(self, method: str, **values: str) -> None:
        """Keep what opens the account."""
        sealer = current_app.extensions["sealer"]
        access.keep(
            self.session, self.integration, Secrets(method, values), sealer=sealer, actor=COMMAND_LINE, now=self.now
        )
        self.session.commit()

    def consent(self) -> str:
        """Consent once, without the page; returns the refresh token."""
        token = str(self.simulated.do(consent=True)["refresh_token"])
        door = self.simulated.door
        self.open_with("oauth", client_id=door.client_id, client_secret=door.client_secret, refresh_token=token)
        return token


def counts(run: SyncRun) -> dict[str, int]:
    """Return the counters that are not 0."""
    names = ("created", "updated", "unchanged", "reactivated", "deactivated", "refused", "warnings")
    return {name: value for name in names if (value := getattr(run, name))}


def number(key: int | str) -> str:
    """Return the Membership No. of the employee with this id."""
    return f"{10_000 + int(key) - 100:06d}"


MakeHouse = Callable[..., House]
