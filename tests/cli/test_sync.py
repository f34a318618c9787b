"""`flask sync`: a file from the terminal takes the same way as one that was uploaded."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskCliRunner

from rgapp.clock import utcnow
from rgapp.integrations.registry import KINDS
from rgapp.jobs import sync as jobs
from rgapp.models import RunState, SyncRun
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
    folder = tmp_path / "files"
    folder.mkdir()
    return Desk(make, folder, programme, integration)


class Terminal:
    """Runs `flask sync …` for one integration."""

    def __init__(self, runner: FlaskCliRunner, desk: Desk) -> None:
        self._runner = runner
        self._desk = desk

    def __call__(self, *words: Any) -> tuple[int, str]:
        self._desk.session.commit()
        done = self._runner.invoke(args=["sync", *map(str, words)])
        self._desk.session.expire_all()
        return done.exit_code, done.output

    def run(self, *words: Any) -> tuple[int, str]:
        return self("run", "--integration", self._desk.integration.id, *words)

    def list(self) -> list[dict[str, Any]]:
        done = self._runner.invoke(args=["sync", "list", "--integration", str(self._desk.integration.id), "--json"])
        found: list[dict[str, Any]] = json.loads(done.stdout)
        return found


@pytest.fixture
def terminal(runner: FlaskCliRunner, desk: Desk) -> Terminal:
    return Terminal(runner, desk)


def some(first: int, last: int) -> list[list[str]]:
    return [row(number) for number in range(first, last + 1)]


def test_a_file_is_applied_and_listed(terminal: Terminal, desk: Desk) -> None:
    code, printed = terminal.run(desk.file(*some(1, 3), row(4, email="nonsense")))
    assert code == 0
    assert "created 3" in printed
    assert "row 5, email: This is not a complete e-mail address." in printed
    (listed,) = terminal.list()
    assert list(listed) == [
        "id", "state", "file", "received", "started", "finished", "created", "updated", "unchanged", "reactivated",
        "deactivated", "refused", "warnings", "reason",
    ]  # fmt: skip
    assert (listed["state"], listed["file"], listed["created"], listed["refused"]) == ("applied", "people-1.csv", 3, 1)
    assert listed["reason"] is None


def test_the_list_is_newest_first_and_reads_as_a_table(terminal: Terminal, desk: Desk) -> None:
    for rows in (some(1, 2), some(1, 3)):
        terminal.run(desk.file(*rows))
    assert [each["created"] for each in terminal.list()] == [1, 2]
    code, printed = terminal("list", "--integration", desk.integration.id)
    assert code == 0
    assert printed.index("people-2.csv") < printed.index("people-1.csv")


def test_a_held_run_is_released_or_discarded(terminal: Terminal, desk: Desk) -> None:
    terminal.run(desk.file(*some(1, 10)))
    code, printed = terminal.run(desk.file(*some(8, 10)))
    assert code == 3
    assert "would leave: Jane Carter (P1)" in printed
    held = terminal.list()[0]
    assert held["reason"] == (
        "It would take out 7 people, of 10 who were active. More than 5 people and more than 10 % of them are not "
        "usual here."
    )
    assert terminal("release", held["id"]) == (0, f"Released run {held['id']}: it is applied at its turn.\n")
    assert desk.work() is not None
    assert (terminal.list()[0]["state"], terminal.list()[0]["deactivated"]) == ("applied", 7)
    code, printed = terminal("release", held["id"])
    assert (code, "Error: This run is not held." in printed) == (1, True)
    terminal.run(desk.file(text="number,email,first,last,born\n"))
    held = terminal.list()[0]
    assert terminal("discard", held["id"])[0] == 0
    assert terminal("discard", held["id"])[0] == 1
    assert terminal.list()[0]["state"] == "discarded"


def test_the_command_line_is_one_person(terminal: Terminal, desk: Desk) -> None:
    desk.programme.guard_second_person = True
    terminal.run(desk.file(*some(1, 10)))
    terminal.run(desk.file(*some(8, 10)))
    held = terminal.list()[0]["id"]
    code, printed = terminal("release", held)
    assert (code, "a second person has to confirm" in printed) == (0, True)
    code, printed = terminal("release", held)
    assert (code, "A second person has to confirm." in printed) == (1, True)


def test_a_file_that_cannot_be_read_fails(terminal: Terminal, desk: Desk) -> None:
    code, printed = terminal.run(desk.file(text="unreadable\n"))
    assert (code, "This is not a table." in printed) == (1, True)


def test_a_dry_run_says_what_would_come_of_it_and_writes_nothing(terminal: Terminal, desk: Desk) -> None:
    terminal.run(desk.file(*some(1, 3)))
    code, printed = terminal.run(desk.file(*some(1, 2), row(4)), "--dry-run")
    assert code == 0
    assert "would be applied" in printed
    assert "would leave: Jane Carter (P3)" in printed
    assert terminal.run(desk.file(text="number,email,first,last,born\n"), "--dry-run")[0] == 3
    assert desk.statuses() == {"P1": "active", "P2": "active", "P3": "active"}
    assert len(terminal.list()) == 1
    assert list(desk.folder.parent.glob("instance-*/sync/files/*/*")) == [
        Path(str(run.path)) for run in desk.session.query(SyncRun).filter_by(preview=False)
    ]


def test_what_was_sent_before_is_done_first(terminal: Terminal, desk: Desk) -> None:
    desk.receive(desk.file(*some(1, 3)))
    code, _ = terminal.run(desk.file(*some(1, 3), row(4)))
    assert code == 0
    assert [each["created"] for each in terminal.list()] == [1, 3]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["run", "--integration", "x"], "'x' is not the ID of an integration."),
        (["list", "--integration", "01890000-0000-7000-8000-000000000000"], "There is no integration"),
        (["release", "01890000-0000-7000-8000-000000000000"], "There is no run"),
    ],
)
def test_what_does_not_exist_is_said(terminal: Terminal, words: list[str], says: str) -> None:
    code, printed = terminal(*words)
    assert (code, says in printed) == (1, True)


def test_a_kind_that_waits_for_files_needs_one(terminal: Terminal, desk: Desk) -> None:
    code, printed = terminal.run()
    assert (code, "Give a file" in printed) == (1, True)
    desk.integration.enabled = False
    code, printed = terminal.run(desk.file(row(1)))
    assert (code, "switched off" in printed) == (1, True)


def test_a_kind_that_is_no_feed_says_so(terminal: Terminal, desk: Desk) -> None:
    desk.integration.kind = "scim"
    code, printed = terminal.run()
    assert (code, "takes no files" in printed) == (1, True)


def test_files_of_settled_runs_are_deleted_after_a_time(terminal: Terminal, desk: Desk) -> None:
    terminal.run(desk.file(*some(1, 10)))
    terminal.run(desk.file(*some(8, 10)))
    folder = jobs.kept_files(desk.integration.id)
    (folder / "nobodys").touch()
    held = desk.session.query(SyncRun).filter_by(state=RunState.HELD).one()
    kept = timedelta(days=30)
    assert jobs.delete_old_files(desk.session, now=utcnow() + timedelta(days=29), kept=kept) == 0
    assert jobs.delete_old_files(desk.session, now=utcnow() + timedelta(days=31), kept=kept) == 2
    assert list(folder.iterdir()) == [Path(str(held.path))]
