"""What makes a run wait for an admin, and what an admin makes of it."""

from datetime import timedelta

import pytest

from rgapp.audit import Actor, ActorKind
from rgapp.integrations.sync import runs, settling
from rgapp.integrations.sync.settling import CannotSettle, Obstacle, Settled
from rgapp.models import RunPhase, RunState, Staff, SyncLeaver, SyncRun
from rgapp.provisioning import deactivate, guard, scim_policy
from tests.integrations.sync.tables import LEFT, Desk, MakeDesk, counts, row

DAY = timedelta(days=1)
ADMIN = Actor(ActorKind.STAFF, "Ann Admin")


def some(first: int, last: int) -> list[list[str]]:
    return [row(number) for number in range(first, last + 1)]


@pytest.fixture
def ann(desk: Desk) -> Staff:
    return desk.make.staff(desk.programme, name="Ann")


def actor(person: Staff) -> Actor:
    return Actor(ActorKind.STAFF, person.name, person.id)


def nothing_happened(desk: Desk, people: int) -> None:
    assert list(desk.statuses().values()) == ["active"] * people


# Each way in which a file can be wrong.


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("number,email,first,last,born\n", "header_alone"),
        ("number,email,first,last,born\n,,,,\n\n", "header_alone"),
        ("email,first,last,born\np1@acme.example,Jane,Carter,1990-04-03\n", "missing_columns"),
    ],
)
def test_a_file_without_people_is_held(desk: Desk, ann: Staff, text: str, reason: str) -> None:
    desk.send(*some(1, 6))
    run = desk.send(text=text, later=DAY)
    assert (run.state, run.reason) == (RunState.HELD, reason)
    nothing_happened(desk, 6)
    assert desk.told() == ["held"]
    assert desk.tags("integration:sync")[-1] == "integration:sync-held"


def test_a_file_of_another_company_creates_none_of_its_people(desk: Desk) -> None:
    desk.send(*some(1, 3))
    run = desk.send(*some(11, 16), later=DAY)
    assert (run.state, run.reason, counts(run)) == (RunState.HELD, "no_overlap", {})
    nothing_happened(desk, 3)


def test_more_than_half_refused_is_held_and_half_is_not(desk: Desk) -> None:
    desk.send(*some(1, 4))
    wrong = [row(number, email="nonsense") for number in (1, 2)]
    assert desk.send(*wrong, *some(3, 4), later=DAY).state == RunState.APPLIED
    run = desk.send(*wrong, row(3, email="nonsense"), row(4), later=DAY)
    assert (run.state, run.reason, run.refused) == (RunState.HELD, "mostly_refused", 3)


def test_columns_shifted_by_one_are_held(desk: Desk) -> None:
    desk.send(*some(1, 30))
    shifted = [[*cells[-1:], *cells[:-1]] for cells in some(1, 30)]
    assert desk.send(*shifted, later=DAY).state == RunState.HELD
    # Only what is recommended is shifted: every row could be taken, but a whole column cannot be read.
    shifted = [[*cells[:2], cells[4], cells[2], cells[3]] for cells in some(1, 30)]
    run = desk.send(*shifted, later=DAY)
    assert (run.state, run.reason) == (RunState.HELD, "shifted")
    nothing_happened(desk, 30)
    assert desk.user(1).last_name == "Carter"


def test_a_run_is_failed_where_it_cannot_be_read(desk: Desk, ann: Staff) -> None:
    desk.send(*some(1, 6))
    run = desk.send(text="unreadable\n", later=DAY)
    assert (run.state, run.reason, run.facts["cause"]) == (RunState.FAILED, "unreadable", "not_a_format")
    nothing_happened(desk, 6)
    assert desk.told() == ["failed"]


def test_refused_rows_are_told_once_to_each_admin(desk: Desk, ann: Staff) -> None:
    desk.send(row(1), row(2), row(3, email="nonsense"))
    assert desk.told() == ["applied"]


def test_a_good_run_is_told_to_nobody(desk: Desk, ann: Staff) -> None:
    desk.send(*some(1, 3))
    assert desk.told() == []


# The guard.


def test_exactly_at_a_limit_passes_and_one_more_is_held(desk: Desk) -> None:
    desk.send(*some(1, 60))
    assert counts(desk.send(*some(7, 60), later=DAY)) == {"unchanged": 54, "deactivated": 6}
    # 54 are active, 60 were 24 hours ago, and 6 are gone since: one more is 7 of 60.
    run = desk.send(*some(8, 60), later=timedelta(hours=1))
    assert (run.state, run.reason) == (RunState.HELD, "guard")
    assert run.facts == {"removals": 1, "recent": 6, "active": 60, "percent": 10, "people": 5}
    assert desk.leavers(run) == {"Jane Carter (P7)": False}
    # A day later it is 1 of 54.
    assert counts(desk.send(*some(8, 60), row(61), later=DAY)) == {"created": 1, "unchanged": 53, "deactivated": 1}


def test_small_companies_may_lose_five(desk: Desk) -> None:
    desk.send(*some(1, 7))
    assert counts(desk.send(*some(6, 7), later=DAY)) == {"unchanged": 2, "deactivated": 5}


def test_all_feeds_count_together_and_hands_do_not(desk: Desk) -> None:
    desk.send(*some(1, 20))
    policy = scim_policy(
        integration_id=desk.another("Directory").id, name="Entra", owns=True, welcome_email=False, whole=False
    )
    desk.now += DAY
    for number in (1, 2, 3):
        user = desk.user(number)
        deactivate(desk.session, user, ADMIN, now=desk.now)
        guard.remember(desk.session, user.programme_id, user.id, policy, desk.now)
    deactivate(desk.session, desk.user(4), ADMIN, now=desk.now)
    run = desk.send(*some(1, 17))
    assert (run.state, run.facts["removals"], run.facts["recent"]) == (RunState.HELD, 3, 3)
    assert counts(desk.send(*some(1, 18), row(21))) == {"created": 1, "unchanged": 18, "deactivated": 2}


def test_those_whom_a_run_at_work_takes_out_count_also_after_it_was_checked_again(desk: Desk) -> None:
    other = desk.another("Contractors")
    desk.send(*some(1, 60))
    at_work = desk.receive(desk.file(*some(1, 60)))
    at_work.state, at_work.phase = RunState.RUNNING, RunPhase.ABSENT
    # Three had gone when it was checked again, and three of five since.
    at_work.leavers, at_work.deactivated = 5, 6
    for number in range(1, 6):
        user = desk.user(number)
        leaver = SyncLeaver(run_id=at_work.id, key=f"P{number}", user_id=user.id, person="", gone=number <= 3)
        leaver.programme_id = desk.programme.id
        desk.session.add(leaver)
    desk.session.commit()
    second = desk.receive(desk.file(*some(61, 62)), integration=other)
    assert runs.pending_removals(desk.session, second) == 2
    assert runs.pending_removals(desk.session, at_work) == 0


def test_marked_leavers_are_guarded_like_absent_ones(make_desk: MakeDesk) -> None:
    desk = make_desk(full_file=False, status="status")
    header = ("number", "email", "first", "last", "born", "status")
    desk.send(*([*cells, "there"] for cells in some(1, 10)), header=header)
    run = desk.send(*([*cells, LEFT] for cells in some(1, 6)), header=header, later=DAY)
    assert (run.state, run.reason, run.leavers) == (RunState.HELD, "guard", 6)
    nothing_happened(desk, 10)


def test_creations_and_updates_go_ahead_where_the_admin_chose_so(make_desk: MakeDesk) -> None:
    desk = make_desk(hold_all=False)
    desk.send(*some(1, 10))
    run = desk.send(row(1, last="Baker"), *some(2, 3), row(11), later=DAY)
    assert (run.state, run.reason, counts(run)) == (
        RunState.HELD,
        "guard",
        {"created": 1, "updated": 1, "unchanged": 2},
    )
    nothing_happened(desk, 11)
    settling.release(desk.session, run, ADMIN, now=desk.now)
    desk.session.commit()
    run = desk.work()
    assert run is not None
    assert (run.state, counts(run)) == (
        RunState.APPLIED,
        {"created": 1, "updated": 1, "unchanged": 2, "deactivated": 7},
    )


# Released and discarded.


def held(desk: Desk) -> SyncRun:
    desk.send(*some(1, 10))
    run = desk.send(*some(7, 10), later=DAY)
    assert run.state == RunState.HELD
    return run


def test_a_released_run_is_applied_and_its_leavers_do_not_count(desk: Desk) -> None:
    run = held(desk)
    assert settling.release(desk.session, run, ADMIN, now=desk.now) is Settled.RELEASED
    desk.session.commit()
    assert desk.work() is run
    assert (run.state, run.settled_by, counts(run)) == (
        RunState.APPLIED,
        "Ann Admin",
        {"unchanged": 4, "deactivated": 6},
    )
    assert desk.counted() == 0
    assert counts(desk.send(*some(8, 10))) == {"unchanged": 3, "deactivated": 1}


def test_a_discarded_run_stays_so(desk: Desk) -> None:
    run = held(desk)
    settling.discard(desk.session, run, ADMIN, now=desk.now)
    desk.session.commit()
    assert desk.work() is None
    assert run.state == RunState.DISCARDED
    for way in (settling.release, settling.discard):
        with pytest.raises(CannotSettle) as caught:
            way(desk.session, run, ADMIN, now=desk.now)
        assert caught.value.obstacle is Obstacle.NOT_HELD


def test_a_held_run_does_not_block_the_next_and_is_then_too_old(desk: Desk) -> None:
    run = held(desk)
    assert desk.send(*some(1, 11)).state == RunState.APPLIED
    with pytest.raises(CannotSettle) as caught:
        settling.release(desk.session, run, ADMIN, now=desk.now)
    assert caught.value.obstacle is Obstacle.SUPERSEDED
    settling.discard(desk.session, run, ADMIN, now=desk.now)
    assert run.state == RunState.DISCARDED


def test_what_has_nothing_to_apply_can_only_be_discarded(desk: Desk) -> None:
    run = desk.send(text="number\n1\n")
    with pytest.raises(CannotSettle) as caught:
        settling.release(desk.session, run, ADMIN, now=desk.now)
    assert caught.value.obstacle is Obstacle.NOTHING_TO_APPLY


def test_a_run_whose_file_is_gone_can_only_be_discarded(desk: Desk) -> None:
    run = held(desk)
    for path in desk.folder.glob("*.csv"):
        path.unlink()
    with pytest.raises(CannotSettle) as caught:
        settling.release(desk.session, run, ADMIN, now=desk.now)
    assert caught.value.obstacle is Obstacle.FILE_GONE


def test_where_the_programme_wants_it_a_second_person_releases(desk: Desk, ann: Staff) -> None:
    desk.programme.guard_second_person = True
    run = held(desk)
    ben = desk.make.staff(desk.programme, name="Ben")
    assert settling.release(desk.session, run, actor(ann), now=desk.now) is Settled.NEEDS_SECOND_PERSON
    with pytest.raises(CannotSettle) as caught:
        settling.release(desk.session, run, actor(ann), now=desk.now)
    assert caught.value.obstacle is Obstacle.SAME_PERSON
    assert run.state == RunState.HELD
    assert settling.release(desk.session, run, actor(ben), now=desk.now) is Settled.RELEASED
    assert desk.tags("integration:sync")[-2:] == ["integration:sync-release-asked", "integration:sync-released"]


# The same file again.


def test_the_same_file_again_changes_nothing_and_says_so(desk: Desk) -> None:
    path = desk.file(*some(1, 3))
    first = desk.receive(path)
    desk.work()
    for _ in range(2):
        desk.receive(path)
        run = desk.work()
        assert run is not None
        assert (run.state, run.reason, run.facts, counts(run)) == (
            RunState.APPLIED,
            "same_file",
            {"run": str(first.id)},
            {"unchanged": 3},
        )


def test_a_then_b_then_a_again_ends_as_a(desk: Desk) -> None:
    first, second = desk.file(row(1), row(2)), desk.file(row(1, last="Baker"), row(2))
    for path in (first, second, first):
        desk.receive(path)
        run = desk.work()
    assert run is not None
    assert counts(run) == {"updated": 1, "unchanged": 1}
    assert desk.user(1).last_name == "Carter"


def test_a_then_part_of_b_then_a_again_ends_as_a(make_desk: MakeDesk) -> None:
    desk = make_desk(hold_all=False)
    first = desk.file(*some(1, 10))
    desk.receive(first)
    desk.work()
    part = desk.send(row(1, last="Baker"), *some(2, 3))
    assert (part.state, desk.user(1).last_name) == (RunState.HELD, "Baker")
    desk.receive(first)
    run = desk.work()
    assert run is not None
    assert (run.reason, counts(run), desk.user(1).last_name) == ("", {"updated": 1, "unchanged": 9}, "Carter")


def test_what_is_older_than_a_run_that_was_applied_in_part_is_too_old(make_desk: MakeDesk) -> None:
    desk = make_desk(hold_all=False)
    desk.send(*some(1, 10))
    older, newer = desk.send(*some(1, 2)), desk.send(row(1, last="Baker"), *some(2, 3))
    assert settling.obstacle_to_release(desk.session, older) is Obstacle.SUPERSEDED
    assert settling.obstacle_to_release(desk.session, newer) is None


def test_the_same_file_with_refused_rows_is_gone_through_again(desk: Desk) -> None:
    path = desk.file(row(1), row(2), row(3, email="nonsense"))
    desk.receive(path)
    first = desk.work()
    desk.receive(path)
    run = desk.work()
    assert run is not None
    assert first is not None
    assert (run.reason, run.facts, counts(run)) == (
        "same_file",
        {"run": str(first.id)},
        {"unchanged": 2, "refused": 1},
    )


# Order, previews, and what is switched off.


def test_runs_are_taken_in_order_of_arrival_and_one_at_a_time(desk: Desk) -> None:
    first, second = desk.receive(desk.file(row(1))), desk.receive(desk.file(row(1, last="Baker")))
    claimed = runs.claim(desk.session, desk.programme.id, desk.integration.id, now=desk.now)
    assert claimed is not None
    assert claimed[0].id == first.id
    assert runs.claim(desk.session, desk.programme.id, desk.integration.id, now=desk.now) is None
    assert runs.waiting(desk.session, now=desk.now) == []
    runs.let_go(desk.session, claimed[1])
    assert runs.waiting(desk.session, now=desk.now) == [(desk.programme.id, desk.integration.id)]
    done = [desk.work(), desk.work(), desk.work()]
    assert [run.id if run else None for run in done] == [first.id, second.id, None]


def test_a_preview_writes_nothing_and_stands_in_no_history(desk: Desk) -> None:
    desk.send(*some(1, 8))
    run = desk.preview(row(1, last="Baker"), *some(2, 7), row(9), row(10, email="nonsense"))
    assert counts(run) == {"created": 1, "updated": 1, "unchanged": 6, "deactivated": 1, "refused": 1}
    assert desk.leavers(run) == {"Jane Carter (P8)": False}
    nothing_happened(desk, 8)
    assert run.preview
    assert run.id not in [each.id for each in runs.history(desk.session, desk.programme.id, desk.integration.id)]
    assert desk.told() == []
    assert desk.tags("integration:sync") == ["integration:sync-applied"]


def test_runs_of_what_is_switched_off_wait(desk: Desk) -> None:
    desk.integration.enabled = False
    run = desk.receive(desk.file(row(1)))
    assert desk.work() is None
    desk.integration.enabled = True
    assert desk.work() is run
    assert run.state == RunState.APPLIED


def test_an_older_run_that_is_released_waits_for_the_one_that_was_begun(desk: Desk) -> None:
    older = held(desk)
    newer = desk.receive(desk.file(*some(1, 11)))
    place = desk.programme.id, desk.integration.id
    claimed = runs.claim(desk.session, *place, now=desk.now)
    assert claimed is not None
    settling.release(desk.session, older, ADMIN, now=desk.now)
    desk.session.commit()
    assert runs.claim(desk.session, *place, now=desk.now) is None
    # The one that was begun was cut off: it is still the one that goes on.
    runs.let_go(desk.session, claimed[1])
    done = desk.work()
    assert done is not None
    assert (done.id, done.state) == (newer.id, RunState.APPLIED)


def test_what_was_released_too_late_is_held_again_and_nobody_goes(desk: Desk) -> None:
    older = held(desk)
    desk.receive(desk.file(*some(1, 11)))
    claimed = runs.claim(desk.session, desk.programme.id, desk.integration.id, now=desk.now)
    assert claimed is not None
    settling.release(desk.session, older, ADMIN, now=desk.now)
    desk.session.commit()
    runs.let_go(desk.session, claimed[1])
    desk.work()
    again = desk.work()
    assert again is not None
    assert (again.id, again.state, again.reason, again.released_at) == (older.id, RunState.HELD, "guard", None)
    nothing_happened(desk, 11)
    with pytest.raises(CannotSettle) as caught:
        settling.release(desk.session, again, ADMIN, now=desk.now)
    assert caught.value.obstacle is Obstacle.SUPERSEDED
