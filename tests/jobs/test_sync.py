"""Runs are worked on when they arrive and each minute, and by one worker at a time."""

from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from rgapp.integrations.registry import KINDS
from rgapp.integrations.sync import runs
from rgapp.jobs import sync
from rgapp.models import RunState
from rgapp.models.base import new_id
from tests.factories import Factory
from tests.integrations.sync.tables import KIND, Desk, TableKind, TableSettings, row


@pytest.fixture
def desk(make: Factory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Return the desk of Acme."""
    monkeypatch.setitem(KINDS, KIND, TableKind())
    programme = make.programme("acme")
    settings = TableSettings().model_dump()
    integration = make.integration(programme, settings, name="Payroll", kind=KIND, provider=KIND)
    make.session.commit()
    return Desk(make, tmp_path, programme, integration)


def test_all_open_runs_of_an_integration_are_brought_to_an_end(desk: Desk) -> None:
    first, second = desk.receive(desk.file(row(1))), desk.receive(desk.file(row(1), row(2)))
    assert sync.process_runs(desk.session, desk.programme.id, desk.integration.id) == 2
    desk.session.expire_all()
    assert [first.state, second.state] == [RunState.APPLIED] * 2
    assert not any((sync.sync_folder() / "runs").iterdir())


def test_previews_are_worked_on(desk: Desk) -> None:
    run = desk.receive(desk.file(row(1)), preview_of=TableSettings().model_dump())
    assert sync.process_runs(desk.session, desk.programme.id, desk.integration.id) == 0
    assert sync.process_previews(desk.session) == 1
    desk.session.expire_all()
    assert (run.state, run.created, desk.statuses()) == (RunState.APPLIED, 1, {})


def woken(app: Flask, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    asked: list[Any] = []
    monkeypatch.setitem(app.extensions, "process_runs", lambda *place: asked.append(place))
    monkeypatch.setitem(app.extensions, "process_previews", lambda: asked.append("previews"))
    app.config["TESTING"] = False
    return asked


def test_an_arrival_wakes_a_worker_once_it_is_committed(
    app: Flask, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = woken(app, monkeypatch)
    place = (str(desk.programme.id), str(desk.integration.id))
    runs.receive(desk.session, desk.integration, now=desk.now, path=desk.file(row(1)))
    assert asked == []
    desk.session.rollback()
    desk.session.commit()
    assert asked == []
    desk.receive(desk.file(row(1)))
    assert asked == [place, "previews"]


def test_a_queue_that_is_away_loses_no_run(app: Flask, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    woken(app, monkeypatch)

    def away(*_: str) -> None:
        raise ConnectionError

    monkeypatch.setitem(app.extensions, "process_runs", away)
    run = desk.receive(desk.file(row(1)))
    assert runs.waiting(desk.session, now=desk.now) == [(desk.programme.id, desk.integration.id)]
    assert run.state == RunState.RECEIVED


def test_each_minute_finds_what_was_left(app: Flask, desk: Desk) -> None:
    files, looked = (
        desk.receive(desk.file(row(1))),
        desk.receive(desk.file(row(1), row(2)), preview_of=TableSettings().model_dump()),
    )
    queue = app.extensions["queue"]
    (look,) = [task for task in queue._registry.periodic_tasks if type(task).__name__ == "look_for_runs"]
    look.execute()
    while (task := queue.dequeue()) is not None:
        queue.execute(task)
    desk.session.expire_all()
    assert [files.state, looked.state] == [RunState.APPLIED] * 2


def test_what_was_kept_of_settled_pulls_is_deleted(desk: Desk) -> None:
    held, applied = desk.receive(desk.file(row(1))), desk.receive(desk.file(row(2)))
    held.state, applied.state = RunState.HELD, RunState.APPLIED
    desk.session.commit()
    places = [sync.sync_folder() / "pulls" / run_id.hex for run_id in (held.id, applied.id, new_id())]
    for place in places:
        place.mkdir(parents=True)
        (place / "rows").write_text("")
    assert sync.delete_settled_pulls(desk.session) == 2
    assert [place.exists() for place in places] == [True, False, False]
