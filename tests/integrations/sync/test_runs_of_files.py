"""Whole runs: what a file makes of the people, and what the run says of it."""

from datetime import timedelta

from rgapp.models import RunState
from tests.integrations.sync.tables import Desk, counts, row


def test_a_first_file_creates_its_people(desk: Desk) -> None:
    run = desk.send(row(1), row(2), row(3))
    assert (run.state, counts(run), run.row_count) == (RunState.APPLIED, {"created": 3}, 3)
    assert desk.statuses() == {"P1": "active", "P2": "active", "P3": "active"}
    assert sorted(desk.welcomes()) == ["p1@acme.example", "p2@acme.example", "p3@acme.example"]
    assert desk.tags() == ["user:created"] * 3


def test_the_next_file_updates_takes_out_and_brings_back(desk: Desk) -> None:
    desk.send(*(row(number) for number in range(1, 9)))
    run = desk.send(*(row(number) for number in range(1, 8)), row(9), later=timedelta(days=1))
    assert counts(run) == {"created": 1, "unchanged": 7, "deactivated": 1}
    assert desk.statuses()["P8"] == "leaver"
    run = desk.send(*(row(number) for number in range(1, 10)), later=timedelta(days=1))
    assert counts(run) == {"unchanged": 8, "reactivated": 1}
    assert desk.statuses()["P8"] == "active"
    run = desk.send(row(1, last="Baker"), *(row(number) for number in range(2, 10)), later=timedelta(days=1))
    assert counts(run) == {"unchanged": 8, "updated": 1}
    assert desk.user(1).last_name == "Baker"
