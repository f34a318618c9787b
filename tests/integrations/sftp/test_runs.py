"""Files through whole runs: every way in which FACTS.md says that a file can be wrong, and none takes anybody out."""

import codecs
import gzip
import hashlib
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import current_app
from sqlalchemy import select

from rgapp.integrations import service
from rgapp.integrations.sftp.kind import KIND, SFTP
from rgapp.integrations.sync import runs
from rgapp.integrations.sync.engine import Tools, work_on_next, work_on_preview
from rgapp.models import Integration, Programme, RunState, SyncProblem, SyncRun, User
from tests.conftest import NOW
from tests.factories import Factory
from tests.integrations.files.makers import zipped
from tests.provisioning.conftest import ACTOR
from tests.sheets import ErrorCell, spreadsheet

HEADER = ["Employee ID", "E-mail", "First name", "Last name", "Birthday"]
MAPPING: dict[str, Any] = {
    "membership_no": {"column": "Employee ID"},
    "email": {"column": "e-mail"},
    "first_name": {"column": "First name"},
    "last_name": {"column": "Last name"},
    "date_of_birth": {"column": "Birthday", "format": "%d/%m/%Y"},
}
PEOPLE = 40
Rows = Sequence[Sequence[str]]


def person(number: int, **changes: str) -> list[str]:
    """Return the cells of one person."""
    names = {
        "id": f"E{number}",
        "mail": f"p{number}@acme.example",
        "first": "Zoë",
        "last": "Müller",
        "born": "03/04/1990",
    }
    return list((names | changes).values())


def everybody(until: int = PEOPLE) -> list[list[str]]:
    """Return the people of the programme, or the first of them."""
    return [person(number) for number in range(until)]


def text(rows: Rows, *, delimiter: str = ",", end: str = "\n", header: Sequence[str] = HEADER) -> str:
    """Return a text file whose cells need no quotes."""
    return "".join(delimiter.join(row) + end for row in [header, *rows])


class Desk:
    """One programme whose HR system uploads files."""

    def __init__(self, make: Factory, folder: Path, **settings: Any) -> None:
        self.session, self._folder, self._now, self._count = make.session, folder, NOW, 0
        self.programme: Programme = make.programme("acme")
        whole = {"mapping": MAPPING} | settings
        self.integration: Integration = make.integration(
            self.programme, SFTP().validate(whole).model_dump(mode="json", exclude_none=True), name="Payroll", kind=KIND
        )
        self.session.commit()

    def send(self, content: bytes | str, name: str = "people.csv") -> SyncRun:
        """Let a file arrive and be worked on, a day after the one before."""
        self._now += timedelta(days=1, hours=1)
        self._count += 1
        path = self._folder / f"arrived-{self._count}"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        runs.receive(
            self.session,
            self.integration,
            now=self._now,
            path=path,
            name=name,
            content_digest=hashlib.sha256(path.read_bytes()).digest(),
        )
        self.session.commit()
        tools = Tools(self._folder, current_app.extensions["sealer"], lambda: self._now)
        done = work_on_next(self.session, self.programme.id, self.integration.id, tools)
        self.session.expire_all()
        assert done is not None
        return done

    def leavers(self) -> list[str]:
        """Return who is a leaver, by Membership No."""
        query = select(User).where(User.programme_id == self.programme.id)
        return sorted(user.membership_no for user in self.session.scalars(query) if str(user.status) == "leaver")

    def problems(self, run: SyncRun) -> list[tuple[int, str, str]]:
        """Return row, code and column of what a run found."""
        query = select(SyncProblem).where(SyncProblem.run_id == run.id).order_by(SyncProblem.number)
        return [(each.row_number, each.code, each.column_name) for each in self.session.scalars(query)]


MakeDesk = Callable[..., Desk]


@pytest.fixture
def make_desk(make: Factory, tmp_path: Path) -> MakeDesk:
    """Return a function that makes a desk; arguments are settings."""
    return lambda **settings: Desk(make, tmp_path, **settings)


@pytest.fixture
def desk(make_desk: MakeDesk) -> Desk:
    """Return a desk whose first file brought everybody."""
    made = make_desk()
    assert made.send(text(everybody())).created == PEOPLE
    return made


def spoiled(rows: Rows, at: int, line: str | bytes) -> bytes:
    """Return a text file in which one line is another one."""
    lines = text(rows).encode().splitlines(keepends=True)
    lines[at - 1] = (line.encode() if isinstance(line, str) else line) + b"\n"
    return b"".join(lines)


ROWS = everybody()
WRONG: dict[str, tuple[bytes | str, str]] = {
    "nothing": ("", "people.csv"),
    "blank lines": ("\r\n" * 9, "people.csv"),
    "header alone": (text([]), "people.csv"),
    "half a file": (text(ROWS)[:-700], "people.csv"),
    "half a file at the end of a row": (text(ROWS[:20]), "people.csv"),
    "half a spreadsheet": (spreadsheet([HEADER, *ROWS])[:-400], "people.xlsx"),
    "half an archive": (zipped({"people.csv": text(ROWS).encode()})[:-40], "people.zip"),
    "half a .gz": (gzip.compress(text(ROWS).encode())[:-40], "people.csv.gz"),
    "no archive": (text(ROWS), "people.zip"),
    "not encrypted": (text(ROWS), "people.csv.gpg"),
    "picture": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "people.csv"),
    "other ending": (text(ROWS), "people.doc"),
    "size before content": (text(ROWS[:39]).encode() + b"\0" * 4096, "people.csv"),
    "column missing": (text([row[:1] + row[2:] for row in ROWS], header=HEADER[:1] + HEADER[2:]), "people.csv"),
    "column twice": (text([[*row, "x"] for row in ROWS], header=[*HEADER, "E-MAIL"]), "people.csv"),
    "header missing": (text(ROWS[1:], header=ROWS[0]), "people.csv"),
    "cells shifted right": (text([["North", *row[:4]] for row in ROWS]), "people.csv"),
    "cells shifted left": (text([[*row[1:], "North"] for row in ROWS]), "people.csv"),
    "header shifted": (text(ROWS, header=[*HEADER[1:], HEADER[0]]), "people.csv"),
    "other company": (text([person(number + 500) for number in range(PEOPLE)]), "people.csv"),
    "too few cells": (spoiled(ROWS[:39], 5, "E3,p3@acme.example"), "people.csv"),
    "too many cells": (spoiled(ROWS[:39], 5, "E3,p3@acme.example,Zoë,Müller, Dr.,03/04/1990"), "people.csv"),
    "unclosed quote": (spoiled(ROWS[:39], 5, 'E3,p3@acme.example,"Zoë,Müller,03/04/1990'), "people.csv"),
    "unclosed quote at the end": (spoiled(ROWS[:39], 40, 'E38,p38@acme.example,"Zoë,Müller,03/04/1990'), "people.csv"),
    "stray quote": (spoiled(ROWS[:39], 5, 'E3,p3@acme.example,"Z"oë,Müller,03/04/1990'), "people.csv"),
    "bad byte in a number": (spoiled(ROWS[:39], 5, b"E\xff3,p3@acme.example,Zo,Mu,03/04/1990"), "people.csv"),
    "empty number": (spoiled(ROWS[:39], 5, ",p3@acme.example,Zoë,Müller,03/04/1990"), "people.csv"),
    "error in a sheet": (
        spreadsheet([HEADER, *ROWS[:38], [ErrorCell("#N/A"), "p38@acme.example", "Zoë", "Müller", "x"]]),
        "people.xlsx",
    ),
    "cell beside a sheet": (spreadsheet([HEADER, *ROWS[:38], [*ROWS[38], "moved"]]), "people.xlsx"),
    "numbers in another form": (text([person(number, id=f"0{number}") for number in range(PEOPLE)]), "people.csv"),
    "most rows unreadable": (text([person(number, mail="none") for number in range(PEOPLE)]), "people.csv"),
}


@pytest.mark.parametrize("way", WRONG)
def test_file_that_is_wrong_takes_nobody_out(way: str, desk: Desk) -> None:
    content, name = WRONG[way]
    run = desk.send(content, name)
    assert desk.leavers() == []
    assert run.deactivated == 0
    assert run.state in {RunState.HELD, RunState.FAILED, RunState.APPLIED}
    if run.state != RunState.APPLIED:
        assert run.reason
        assert run.created == run.updated == 0


RIGHT: dict[str, tuple[bytes | str, str]] = {
    "the same": (text(ROWS), "people.csv"),
    "mark": (codecs.BOM_UTF8 + text(ROWS).encode(), "people.csv"),
    "UTF-16": (text(ROWS, delimiter="\t", end="\r\n").encode("utf-16"), "people.txt"),
    "UTF-16 without a mark": (text(ROWS).encode("utf-16-le"), "people.csv"),
    "Windows-1252": (text(ROWS, delimiter=";", end="\r\n").encode("cp1252"), "people.csv"),
    "pipes": (text(ROWS, delimiter="|", end="\r"), "people.txt"),
    "other order": (text([row[::-1] for row in ROWS[::-1]], header=HEADER[::-1]), "people.csv"),
    "other case": (text(ROWS, header=[name.upper().replace(" ", "") for name in HEADER]), "PEOPLE.CSV"),
    "blank rows": ("\n" + text([row for each in ROWS for row in (each, [""] * 5)]) + ",,,,\n" * 9, "people.csv"),
    "spreadsheet": (spreadsheet([HEADER, *[[*row[:4], date(1990, 4, 3)] for row in ROWS]]), "people.xlsx"),
    "archive": (zipped({"people.csv": text(ROWS).encode()}), "people.zip"),
    "gz": (gzip.compress(text(ROWS).encode()), "people.csv.gz"),
    "bad byte in a name": (spoiled(ROWS, 5, b"E3,p3@acme.example,Zo\xff,Mu,03/04/1990"), "people.csv"),
    "duplicate row": (text([*ROWS, ROWS[3]]), "people.csv"),
}


@pytest.mark.parametrize("way", RIGHT)
def test_same_people_in_another_form_are_unchanged(way: str, desk: Desk) -> None:
    content, name = RIGHT[way]
    run = desk.send(content, name)
    assert run.state == RunState.APPLIED
    assert (run.created, run.updated, run.deactivated) == (0, 0, 0)
    assert run.unchanged + run.refused >= PEOPLE
    assert desk.leavers() == []


def test_few_who_are_absent_from_a_sound_file_leave(desk: Desk) -> None:
    run = desk.send(text(everybody(PEOPLE - 2)))
    assert run.state == RunState.APPLIED
    assert desk.leavers() == ["E38", "E39"]


def test_row_that_cannot_be_read_is_named_with_its_place(desk: Desk) -> None:
    run = desk.send(spoiled(ROWS, 5, "E3,p3@acme.example"))
    assert desk.problems(run) == [(5, "too_few_cells", "")]
    assert run.refused == 1


def test_changes_only_file_takes_out_whom_it_marks_and_nobody_else(make_desk: MakeDesk) -> None:
    status = {"column": "Status", "leaver": ["Left"]}
    desk = make_desk(full_file=False, mapping=MAPPING | {"status": status})
    header = [*HEADER, "Status"]
    desk.send(text([[*row, "Active"] for row in ROWS], header=header))
    run = desk.send(text([[*ROWS[7], "left"], [*ROWS[8], ""]], header=header))
    assert run.deactivated == 1
    assert desk.leavers() == ["E7"]


def test_draft_that_is_deleted_takes_its_previews_along(make: Factory, tmp_path: Path) -> None:
    programme = make.programme("acme")
    settings = SFTP().validate({"mapping": MAPPING}).model_dump(mode="json", exclude_none=True)
    draft = service.create(
        make.session,
        programme,
        kind=KIND,
        provider=KIND,
        name="Payroll",
        sealer=current_app.extensions["sealer"],
        actor=ACTOR,
        now=NOW,
        draft=settings,
    )
    (tmp_path / "arrived").write_text(text([*ROWS, person(99, mail="none")]))
    run = runs.receive(make.session, draft, now=NOW, path=tmp_path / "arrived", name="p.csv", preview_of=settings)
    make.session.commit()
    tools = Tools(tmp_path, current_app.extensions["sealer"], lambda: NOW)
    done = work_on_preview(make.session, programme.id, run.id, tools)
    assert done is not None
    assert (done.created, done.refused) == (PEOPLE, 1)
    assert service.discard(make.session, draft, actor=ACTOR, now=NOW)
    make.session.commit()
    for model in (SyncRun, SyncProblem, Integration):
        assert make.session.scalars(select(model)).all() == []
