"""What files do to people: the rules of the feeds, one by one."""

from datetime import timedelta
from typing import Any

import pytest

from rgapp.audit.service import COMMAND_LINE
from rgapp.integrations import service
from rgapp.integrations.sync.apply import Applier
from rgapp.models import FeedRecord, Integration, RunState, SyncProblem
from rgapp.provisioning import deactivate, reactivate
from rgapp.provisioning.record import ProblemCode
from rgapp.wording_sync import problem_words
from tests.integrations.sync.tables import LEFT, Desk, MakeDesk, TableSettings, counts, row

DAY = timedelta(days=1)
WITH_STATUS = ("number", "email", "first", "last", "born", "status")


def people(*numbers: int) -> list[list[str]]:
    return [row(number) for number in numbers]


def some(first: int, last: int) -> list[list[str]]:
    return people(*range(first, last + 1))


def test_absence_concerns_only_whom_this_feed_has_brought(desk: Desk) -> None:
    desk.make.user(desk.programme, membership_no="HAND", email="hand@acme.example")
    other = desk.another("Contractors")
    desk.send(*some(50, 55), integration=other)
    desk.send(*some(1, 6))
    run = desk.send(*some(1, 5), later=DAY)
    assert counts(run) == {"unchanged": 5, "deactivated": 1}
    assert [name for name, status in desk.statuses().items() if status == "leaver"] == ["P6"]


def test_absence_concerns_also_whom_it_has_only_matched(desk: Desk) -> None:
    desk.make.user(desk.programme, membership_no="P1", email="p1@acme.example")
    run = desk.send(*some(1, 6))
    assert counts(run) == {"created": 5, "updated": 1}
    desk.send(*some(2, 6), later=DAY)
    assert desk.statuses()["P1"] == "leaver"


def test_a_changes_only_file_takes_nobody_out_by_absence(make_desk: MakeDesk) -> None:
    desk = make_desk(full_file=False)
    desk.send(*some(1, 6))
    assert counts(desk.send(row(7), later=DAY)) == {"created": 1}
    assert set(desk.statuses().values()) == {"active"}


def test_a_status_column_says_who_has_left(make_desk: MakeDesk) -> None:
    desk = make_desk(full_file=False, status="status")
    desk.send(*([*cells, "there"] for cells in some(1, 6)), header=WITH_STATUS)
    run = desk.send([*row(1), LEFT], [*row(99), LEFT], header=WITH_STATUS, later=DAY)
    assert counts(run) == {"deactivated": 1, "unchanged": 1}
    assert desk.statuses()["P1"] == "leaver"
    assert "P99" not in desk.statuses()
    assert desk.leavers(run) == {"Jane Carter (P1)": True}
    run = desk.send([*row(1), "there"], header=WITH_STATUS, later=DAY)
    assert counts(run) == {"reactivated": 1}


def test_who_has_left_goes_although_the_rest_of_the_row_cannot_be_read(make_desk: MakeDesk) -> None:
    desk = make_desk(full_file=False, status="status")
    desk.send(*([*cells, "there"] for cells in some(1, 6)), header=WITH_STATUS)
    run = desk.send([*row(1, email="nonsense"), LEFT], header=WITH_STATUS, later=DAY)
    assert counts(run) == {"deactivated": 1}


def test_a_refused_row_still_counts_as_present(desk: Desk) -> None:
    desk.send(*some(1, 6))
    run = desk.send(row(1, email="nonsense"), *some(2, 6), later=DAY)
    assert counts(run) == {"unchanged": 5, "refused": 1}
    assert desk.problems(run) == [(2, ProblemCode.NOT_AN_ADDRESS, True)]
    assert desk.statuses()["P1"] == "active"


@pytest.mark.parametrize("number", ["", "E\u202e1", "x" * 65])
def test_a_file_with_an_unreadable_membership_no_takes_nobody_out_by_absence(desk: Desk, number: str) -> None:
    desk.send(*some(1, 6))
    run = desk.send(*some(1, 4), row(6, number=number), later=DAY)
    assert (run.state, run.reason) == (RunState.APPLIED, "absence_ignored")
    assert counts(run) == {"unchanged": 4, "refused": 1}
    assert set(desk.statuses().values()) == {"active"}


def test_a_damaged_file_takes_nobody_out_by_absence(desk: Desk) -> None:
    desk.send(*some(1, 6))
    run = desk.send(*some(1, 4), row(5)[:-1], later=DAY)
    assert (run.state, run.reason, run.facts["why"]) == (RunState.APPLIED, "absence_ignored", "damaged")
    assert desk.problems(run) == [(6, "too_few_cells", True)]
    assert set(desk.statuses().values()) == {"active"}


def test_somebody_taken_out_by_hand_stays_out_until_her_row_changes(desk: Desk) -> None:
    desk.send(*some(1, 6))
    deactivate(desk.session, desk.user(1), COMMAND_LINE, now=desk.now)
    run = desk.send(*some(1, 7), later=DAY)
    assert counts(run) == {"created": 1, "unchanged": 6}
    assert desk.statuses()["P1"] == "leaver"
    # How the row says it is no change: blanks around, the case of the address.
    run = desk.send(row(1, email=" P1@ACME.example "), *some(2, 7), later=DAY)
    assert counts(run) == {"unchanged": 7}
    assert desk.statuses()["P1"] == "leaver"
    run = desk.send(row(1, last="Baker"), *some(2, 7), later=DAY)
    assert counts(run) == {"unchanged": 6, "reactivated": 1}
    assert desk.user(1).last_name == "Baker"


def test_somebody_taken_out_by_hand_is_not_brought_back_by_a_feed_that_is_new(desk: Desk) -> None:
    user = desk.make.user(desk.programme, membership_no="P1", email="p1@acme.example")
    deactivate(desk.session, user, COMMAND_LINE, now=desk.now)
    run = desk.send(*some(1, 6), later=DAY)
    assert counts(run) == {"created": 5, "unchanged": 1}
    assert desk.statuses()["P1"] == "leaver"
    assert counts(desk.send(row(1, last="Baker"), *some(2, 6), later=DAY)) == {"reactivated": 1, "unchanged": 5}


def test_somebody_taken_out_by_hand_is_not_brought_back_by_another_mapping(make_desk: MakeDesk) -> None:
    desk = make_desk(born_format="%d/%m/%Y")
    desk.send(*some(1, 6))
    deactivate(desk.session, desk.user(1), COMMAND_LINE, now=desk.now)
    desk.integration.draft = TableSettings().model_dump()
    service.publish(desk.session, desk.integration, actor=COMMAND_LINE, now=desk.now, without_test=True)
    run = desk.send(*some(1, 6), later=DAY)
    assert desk.statuses()["P1"] == "leaver"
    assert counts(run) == {"updated": 5, "unchanged": 1}
    assert counts(desk.send(row(1, last="Baker"), *some(2, 6), later=DAY)) == {"reactivated": 1, "unchanged": 5}


def test_an_admin_brings_back_and_an_unchanged_file_lets_her_stay(desk: Desk) -> None:
    desk.send(*some(1, 6))
    desk.send(*some(2, 6), later=DAY)
    reactivate(desk.session, desk.user(1), COMMAND_LINE, now=desk.now)
    run = desk.send(*some(2, 6), row(7), later=DAY)
    assert counts(run) == {"created": 1, "unchanged": 5}
    assert desk.statuses()["P1"] == "active"


def test_a_returning_leaver_keeps_the_account(desk: Desk) -> None:
    desk.send(*some(1, 6))
    before = desk.user(1).id
    desk.send(*some(2, 6), later=DAY)
    assert counts(desk.send(*some(1, 6), later=DAY)) == {"reactivated": 1, "unchanged": 5}
    assert desk.user(1).id == before
    assert len([mail for mail in desk.welcomes() if mail == "p1@acme.example"]) == 1


def test_who_left_by_hand_and_was_absent_comes_back_with_the_file(desk: Desk) -> None:
    desk.send(*some(1, 6))
    deactivate(desk.session, desk.user(1), COMMAND_LINE, now=desk.now)
    run = desk.send(*some(2, 6), later=DAY)
    assert counts(run) == {"unchanged": 5}
    assert counts(desk.send(*some(1, 6), later=DAY)) == {"reactivated": 1, "unchanged": 5}


def test_an_empty_cell_says_nothing(desk: Desk) -> None:
    desk.send(*some(1, 2))
    run = desk.send(row(1, first="", last="", born=""), row(2), later=DAY)
    assert counts(run) == {"unchanged": 2}
    user = desk.user(1)
    assert (user.first_name, user.last_name, user.date_of_birth is None) == ("Jane", "Carter", False)


def test_an_unreadable_recommended_value_keeps_the_old_one_and_warns_each_time(desk: Desk) -> None:
    desk.send(*some(1, 2))
    for more in (3, 4):
        run = desk.send(row(1, born="31/02/1990"), row(2), row(more), later=DAY)
        assert counts(run) == {"unchanged": 2, "warnings": 1, "created": 1} | ({"deactivated": 1} if more == 4 else {})
        assert desk.problems(run) == [(2, ProblemCode.UNREADABLE_DATE, False)]
    assert str(desk.user(1).date_of_birth) == "1990-04-03"
    assert desk.told() == []


def test_a_change_of_case_in_an_address_is_no_update(desk: Desk) -> None:
    desk.send(row(1))
    run = desk.send(row(1, email="P1@Acme.Example"), later=DAY)
    assert counts(run) == {"unchanged": 1}
    assert desk.user(1).email == "p1@acme.example"


def test_values_are_trimmed_and_composed(desk: Desk) -> None:
    desk.send(row(1, first=" Zoe\u0308 ", number="  A 1 "))
    assert desk.user("A 1").first_name == "Zo\u00eb"


# Rows that contradict each other.


def test_the_same_number_with_different_people_refuses_both_and_says_where(desk: Desk) -> None:
    run = desk.send(row(1), row(2), row(3), row(4), row(1, first="John", email="john@acme.example"))
    assert counts(run) == {"created": 3, "refused": 2}
    assert desk.problems(run) == [(2, "same_membership_no", True), (6, "same_membership_no", True)]
    assert "P1" not in desk.statuses()


def test_contradicting_rows_count_as_present(desk: Desk) -> None:
    desk.send(*some(1, 8))
    run = desk.send(*some(1, 8), row(1, first="John"), later=DAY)
    assert counts(run) == {"unchanged": 7, "refused": 2}
    assert set(desk.statuses().values()) == {"active"}
    assert desk.user(1).first_name == "Jane"


def test_the_same_address_on_two_refuses_both(desk: Desk) -> None:
    run = desk.send(row(1), row(2), row(3, email="X@acme.example"), row(4, email="x@acme.example"), row(5))
    assert counts(run) == {"created": 3, "refused": 2}
    assert desk.problems(run) == [(4, "same_email", True), (5, "same_email", True)]


def test_identical_rows_count_once_with_a_warning(desk: Desk) -> None:
    run = desk.send(row(1), row(2), row(1), row(1, email="P1@acme.example "))
    assert counts(run) == {"created": 2, "warnings": 2}
    assert desk.problems(run) == [(4, "repeated_row", False), (5, "repeated_row", False)]
    assert len(desk.welcomes()) == 2
    run = desk.send(row(2), row(2), row(1), later=DAY)
    assert counts(run) == {"unchanged": 2, "warnings": 1}


def test_who_has_left_leaves_the_address_to_somebody_else_in_the_same_file(make_desk: MakeDesk) -> None:
    desk = make_desk(status="status")
    desk.send(*([*cells, "there"] for cells in some(1, 7)), header=WITH_STATUS)
    rows = [[*row(1), LEFT], [*row(8, email="p1@acme.example"), "there"]]
    run = desk.send(*rows, *([*cells, "there"] for cells in some(2, 7)), header=WITH_STATUS, later=DAY)
    assert counts(run) == {"created": 1, "unchanged": 6, "deactivated": 1}
    assert desk.emails()["P8"] == "p1@acme.example"
    assert desk.emails()["P1"] is None


# Addresses that change hands.


def test_two_people_who_swap_addresses_both_get_theirs(desk: Desk) -> None:
    desk.send(*some(1, 3))
    run = desk.send(row(1, email="p2@acme.example"), row(2, email="p1@acme.example"), row(3), later=DAY)
    assert counts(run) == {"updated": 2, "unchanged": 1}
    assert desk.emails() == {"P1": "p2@acme.example", "P2": "p1@acme.example", "P3": "p3@acme.example"}


def test_addresses_go_round_and_a_new_person_takes_the_free_one(desk: Desk) -> None:
    desk.send(*some(1, 4))
    moved = [row(1, email="p2@acme.example"), row(2, email="p3@acme.example"), row(3, email="new@acme.example")]
    run = desk.send(row(9, email="p1@acme.example"), *moved, row(4), later=DAY)
    assert counts(run) == {"created": 1, "updated": 3, "unchanged": 1}
    assert desk.emails()["P9"] == "p1@acme.example"
    assert [desk.emails()[f"P{number}"] for number in (1, 2, 3)] == [
        "p2@acme.example",
        "p3@acme.example",
        "new@acme.example",
    ]


def test_who_waits_for_an_address_that_stays_is_refused_and_whoever_waits_for_her(desk: Desk) -> None:
    desk.make.user(desk.programme, membership_no="HAND", email="hand@acme.example")
    desk.send(*some(1, 6))
    waiting = [row(1, email="hand@acme.example"), row(2, email="p1@acme.example")]
    run = desk.send(*waiting, *some(3, 6), later=DAY)
    assert counts(run) == {"unchanged": 4, "refused": 2}
    assert desk.problems(run) == [(2, "email_conflict", True), (3, "email_conflict", True)]


def test_an_address_held_only_by_a_leaver_passes_to_the_new_person(desk: Desk) -> None:
    desk.send(*some(1, 6))
    desk.send(*some(2, 6), later=DAY)
    run = desk.send(row(9, email="p1@acme.example"), *some(2, 6), later=DAY)
    assert counts(run) == {"created": 1, "unchanged": 5}
    assert (desk.emails()["P1"], desk.emails()["P9"]) == (None, "p1@acme.example")
    assert "user:email-released" in desk.tags()


def test_an_address_of_somebody_who_leaves_with_the_same_file_passes_on_too(desk: Desk) -> None:
    desk.send(*some(1, 6))
    run = desk.send(row(9, email="p1@acme.example"), *some(2, 6), later=DAY)
    assert counts(run) == {"created": 1, "unchanged": 5, "deactivated": 1}
    assert desk.emails()["P9"] == "p1@acme.example"


def test_what_another_directory_owns_is_left_out_with_a_warning(desk: Desk) -> None:
    desk.send(row(1))
    other = desk.another("Second")
    run = desk.send(row(1, last="Baker"), integration=other)
    assert counts(run) == {"unchanged": 1, "warnings": 1}
    assert desk.user(1).last_name == "Carter"


def test_who_is_refused_today_may_be_taken_tomorrow_with_the_same_row(desk: Desk) -> None:
    hand = desk.make.user(desk.programme, membership_no="HAND", email="p1@acme.example")
    assert counts(desk.send(*some(1, 3))) == {"created": 2, "refused": 1}
    hand.email, hand.email_key = None, None
    assert counts(desk.send(*some(1, 3), later=DAY)) == {"created": 1, "unchanged": 2}


def test_somebody_whose_number_was_changed_here_and_there_does_not_leave(make_desk: MakeDesk) -> None:
    desk = make_desk(owns=False)
    desk.send(*some(1, 6))
    desk.user(1).membership_no = "N1"
    desk.session.commit()
    renamed = row("N1", email="p1@acme.example")
    for last in ("Carter", "Baker", "Baker"):
        run = desk.send(renamed, row(2, last=last), *some(3, 6), later=DAY)
        assert (run.leavers, run.deactivated, desk.statuses()["N1"]) == (0, 0, "active")
    run = desk.send(*some(2, 6), later=DAY)
    assert (run.leavers, run.deactivated, desk.statuses()["N1"]) == (1, 1, "leaver")


def test_nor_does_she_where_her_row_under_the_new_number_has_bytes_that_cannot_be_read(make_desk: MakeDesk) -> None:
    desk = make_desk(owns=False)
    desk.send(*some(1, 6))
    desk.user(1).membership_no = "N1"
    desk.session.commit()
    run = desk.send(row("N1", last="Ba\ufffder"), *some(2, 6), later=DAY)
    assert (run.refused, run.leavers, desk.statuses()["N1"]) == (1, 0, "active")
    run = desk.send(row("N2", last="Ba\ufffder"), *some(2, 6), later=DAY)
    assert (run.refused, run.leavers, desk.statuses()["N1"]) == (1, 1, "leaver")


def listed_twice(desk: Desk) -> Integration:
    """Let six people be named by two feeds, and six by the first alone."""
    other = desk.another("Contractors")
    desk.send(*some(1, 12))
    desk.send(*some(7, 12), integration=other)
    return other


def test_whom_another_feed_still_names_does_not_leave_and_the_report_says_so(desk: Desk) -> None:
    listed_twice(desk)
    run = desk.send(*some(1, 5), *some(8, 12), later=DAY)
    assert counts(run) == {"unchanged": 10, "deactivated": 1, "warnings": 1}
    assert [name for name, status in desk.statuses().items() if status == "leaver"] == ["P6"]
    (problem,) = desk.session.query(SyncProblem).filter_by(run_id=run.id)
    words = problem_words(problem.code, problem.facts)
    assert (problem.membership_no, words) == (
        "P7",
        "Not in it any more, and does not leave: still listed by Contractors.",
    )
    assert run.leavers == 1
    assert counts(desk.send(*some(1, 5), *some(9, 12), row(8), later=DAY)) == {"unchanged": 10}


def test_she_leaves_when_the_last_feed_drops_her(desk: Desk) -> None:
    other = listed_twice(desk)
    desk.send(*some(1, 6), *some(8, 12), later=DAY)
    run = desk.send(*some(8, 12), integration=other, later=DAY)
    assert (counts(run), desk.statuses()["P7"]) == ({"unchanged": 5, "deactivated": 1}, "leaver")


def test_she_comes_back_to_the_first_feed_and_is_then_named_by_it_again(desk: Desk) -> None:
    other = listed_twice(desk)
    desk.send(*some(1, 6), *some(8, 12), later=DAY)
    assert counts(desk.send(*some(1, 12), later=DAY)) == {"unchanged": 12}
    run = desk.send(*some(8, 12), integration=other, later=DAY)
    assert (counts(run), desk.statuses()["P7"]) == ({"unchanged": 5, "warnings": 1}, "active")


def test_a_feed_that_is_switched_off_keeps_nobody(desk: Desk) -> None:
    other = listed_twice(desk)
    service.set_enabled(desk.session, other, False, actor=COMMAND_LINE, now=desk.now)
    desk.session.commit()
    desk.send(*some(1, 6), *some(8, 12), later=DAY)
    assert desk.statuses()["P7"] == "leaver"


def test_who_is_marked_as_a_leaver_goes_whoever_else_names_her(make_desk: MakeDesk) -> None:
    desk = make_desk(status="status")
    other = desk.another("Contractors")
    desk.send(*([*cells, "there"] for cells in some(1, 12)), header=WITH_STATUS)
    desk.send(*some(7, 12), integration=other)
    others = ([*cells, "there"] for cells in (*some(1, 6), *some(8, 12)))
    run = desk.send(*others, [*row(7), LEFT], header=WITH_STATUS, later=DAY)
    assert (counts(run), desk.statuses()["P7"]) == ({"unchanged": 11, "deactivated": 1}, "leaver")
    assert counts(desk.send(*some(7, 12), integration=other, later=DAY)) == {"unchanged": 6}
    assert desk.statuses()["P7"] == "leaver"


def test_of_two_feeds_that_drop_her_at_once_none_takes_her_out_unweighed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = listed_twice(desk)
    go = Applier.go

    def dropped_meanwhile(self: Applier, *args: Any, **options: Any) -> None:
        record = desk.session.query(FeedRecord).filter_by(integration_id=other.id, key="P7").one()
        record.present = False
        desk.session.commit()
        go(self, *args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Applier, "go", dropped_meanwhile)
        run = desk.send(*some(1, 6), *some(8, 12), later=DAY)
    assert (run.deactivated, desk.statuses()["P7"]) == (0, "active")
    run = desk.send(*some(8, 12), *some(1, 6), later=DAY)
    assert (run.leavers, run.deactivated, desk.statuses()["P7"]) == (1, 1, "leaver")


def test_the_address_of_somebody_whom_another_feed_names_is_not_free(desk: Desk) -> None:
    listed_twice(desk)
    run = desk.send(*some(1, 6), *some(8, 12), row(13, email="p7@acme.example"), later=DAY)
    assert (run.refused, desk.emails()["P7"]) == (1, "p7@acme.example")
