"""An SFTP integration as a draft and live, files of people, and runs as a worker leaves them."""

import io
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, current_app
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from rgapp.clock import utcnow
from rgapp.integrations.sftp.kind import KIND
from rgapp.integrations.sync import runs
from rgapp.integrations.sync.engine import Tools, work_on_next, work_on_preview
from rgapp.models import Integration, Programme, RunState, SyncRun
from rgapp.models.base import new_id
from tests.factories import Factory

HEADER = "Employee ID,Work Email,First Name,Last Name,Birthday,Status\n"
PEOPLE = (
    "E1001,jane.carter@acme.example,Jane,Carter,03/04/1990,Active\n"
    "E1002,marcus.bell@acme.example,Marcus,Bell,21/11/1984,Active\n"
    "E1003,grace.okafor@acme.example,Grace,Okafor,30/01/1979,Terminated\n"
)
CSV = HEADER + PEOPLE
MAPPING: dict[str, Any] = {
    "membership_no": {"column": "Employee ID"},
    "email": {"column": "Work Email"},
    "first_name": {"column": "First Name"},
    "last_name": {"column": "Last Name"},
    "date_of_birth": {"column": "Birthday", "format": "%d/%m/%Y"},
}
SETTINGS: dict[str, Any] = {
    "full_file": True,
    "hold": "everything",
    "welcome_email": False,
    "provision_master": True,
    "mapping": MAPPING,
}


@pytest.fixture(autouse=True)
def _own_folders(app: Flask, tmp_path: Path) -> None:
    app.config["SFTP_SPOOL"] = str(tmp_path / "spool")
    app.config["SFTP_FOLDER"] = str(tmp_path / "sftp")


@pytest.fixture
def empty(make: Factory, acme: Programme) -> Integration:
    """Return a new draft, as its tile makes it."""
    settings = SETTINGS | {"mapping": {}, "welcome_email": True}
    return make.integration(acme, settings, name="Payroll file", published=False, kind=KIND, provider=KIND)


@pytest.fixture
def draft(make: Factory, acme: Programme) -> Integration:
    """Return a complete draft that nobody previewed."""
    return make.integration(acme, SETTINGS, name="Payroll file", published=False, kind=KIND, provider=KIND)


@pytest.fixture
def live(make: Factory, acme: Programme) -> Integration:
    """Return a published integration."""
    return make.integration(acme, SETTINGS, name="Payroll file", kind=KIND, provider=KIND)


@pytest.fixture
def upload(browser: FlaskClient, path: Callable[..., str]) -> Callable[..., TestResponse]:
    """Return a function that chooses an example file in the admin's browser."""

    def uploaded(integration: Integration, text: str | bytes = CSV, name: str = "people.csv") -> TestResponse:
        content = text.encode() if isinstance(text, str) else text
        return browser.post(
            path(integration, "sftp/example/file"),
            data={"file": (io.BytesIO(content), name)},
            content_type="multipart/form-data",
            follow_redirects=True,
        )

    return uploaded


@pytest.fixture
def tools(tmp_path: Path, app: Flask) -> Tools:
    """Return what a worker has."""
    return Tools(folder=tmp_path / "sync", sealer=current_app.extensions["sealer"], clock=utcnow)


@pytest.fixture
def send(session: Session, tmp_path: Path, tools: Tools) -> Callable[..., SyncRun]:
    """Return a function that sends a file to a live integration and lets a worker bring its run to an end."""

    def sent(integration: Integration, text: str = CSV, name: str = "people.csv") -> SyncRun:
        file = tmp_path / f"{new_id().hex}-{name}"
        file.write_text(text)
        runs.receive(session, integration, now=utcnow(), path=file, name=name)
        session.commit()
        run = work_on_next(session, integration.programme_id, integration.id, tools)
        assert run is not None
        return run

    return sent


@pytest.fixture
def work(session: Session, tools: Tools) -> Callable[[], int]:
    """Return a function that lets a worker go through the previews that wait."""

    def worked() -> int:
        found = runs.waiting_previews(session, now=utcnow())
        for programme_id, run_id in found:
            work_on_preview(session, programme_id, run_id, tools)
        return len(found)

    return worked


@pytest.fixture
def stored(session: Session) -> Callable[..., SyncRun]:
    """Return a function that stores a run as it was left."""

    def store(integration: Integration, at: datetime | None = None, **values: Any) -> SyncRun:
        moment = at or utcnow()
        details: dict[str, Any] = {
            "state": RunState.APPLIED,
            "file": "people.csv",
            "row_count": 3,
            "full": True,
            "share": 100,
            "started_at": moment,
            "finished_at": moment,
        } | values
        run = SyncRun(
            programme_id=integration.programme_id,
            id=new_id(),
            integration_id=integration.id,
            received_at=moment,
            **details,
        )
        session.add(run)
        session.flush()
        return run

    return store


@pytest.fixture
def other(make: Factory, acme: Programme) -> Integration:
    """Return another integration of the same programme."""
    return make.integration(acme, SETTINGS, name="Stores", kind=KIND, provider=KIND)
