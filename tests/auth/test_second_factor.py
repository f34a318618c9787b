"""The second factor: enrolment, codes that count once, recovery codes, and the state between the two steps."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import current_app
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyotp import TOTP
from sqlalchemy import select
from sqlalchemy.orm import Session

from rgapp.audit import Tag
from rgapp.audit.service import COMMAND_LINE
from rgapp.auth import challenges, second_factor
from rgapp.auth import staff as accounts
from rgapp.auth.second_factor import Proof
from rgapp.auth.staff_events import staff_actor
from rgapp.clock import utcnow
from rgapp.models import AuditEvent, Staff, StaffChallenge, StaffRecoveryCode, StaffSecondFactor, StaffSession
from rgapp.sealing import Sealer
from tests.factories import Factory

STEP = timedelta(seconds=30)


@dataclass
class Phone:
    """A staff member with the app of their phone."""

    staff: Staff
    browser: StaffSession
    secret: str
    codes: list[str]

    def shows(self, at: datetime) -> str:
        """Return the code that the app shows at a time."""
        return TOTP(self.secret).at(at)


@pytest.fixture
def sealer(session: Session) -> Sealer:
    """Return the application's sealer."""
    found: Sealer = current_app.extensions["sealer"]
    return found


@pytest.fixture
def begun(make: Factory, session: Session, sealer: Sealer, now: datetime) -> Phone:
    """Return somebody who scanned the picture and has not confirmed it."""
    person = make.staff(make.programme("acme"), name="Ada Lovelace")
    make.staff_session(person)
    session.flush()
    browser = session.scalars(select(StaffSession)).one()
    second_factor.begin(session, person, browser, sealer, now=now)
    enrolment = second_factor.enrolment_of(session, person, browser, sealer, now=now)
    assert enrolment is not None
    return Phone(person, browser, enrolment.secret, [])


@pytest.fixture
def phone(begun: Phone, session: Session, sealer: Sealer, now: datetime) -> Phone:
    """Return somebody who signs in with a second step since an hour ago."""
    earlier = now - timedelta(hours=1)
    second_factor.begin(session, begun.staff, begun.browser, sealer, now=earlier)
    enrolment = second_factor.enrolment_of(session, begun.staff, begun.browser, sealer, now=earlier)
    assert enrolment is not None
    begun.secret = enrolment.secret
    codes = second_factor.confirm(session, begun.staff, begun.browser, sealer, begun.shows(earlier), now=earlier)
    assert codes is not None
    begun.codes = codes
    return begun


def tags(session: Session) -> list[str]:
    """Return the tags of the events so far, oldest first."""
    session.flush()
    return list(session.scalars(select(AuditEvent.tag).order_by(AuditEvent.id)))


def test_the_secret_is_kept_sealed_only(begun: Phone, session: Session, sealer: Sealer) -> None:
    row = session.get_one(StaffSecondFactor, begun.staff.id)
    assert begun.secret.encode() not in row.sealed_secret
    assert sealer.unseal(row.sealed_secret) == begun.secret
    assert len(begun.secret) == 32


def test_what_is_begun_counts_for_nothing(begun: Phone, session: Session, sealer: Sealer, now: datetime) -> None:
    assert not begun.staff.has_second_factor
    assert second_factor.prove(session, begun.staff, sealer, begun.shows(now), now=now) is None


def test_the_address_in_the_picture_names_us_and_the_person(
    begun: Phone, session: Session, sealer: Sealer, now: datetime
) -> None:
    enrolment = second_factor.enrolment_of(session, begun.staff, begun.browser, sealer, now=now)
    assert enrolment is not None
    assert enrolment.uri.startswith("otpauth://totp/Reward%20Manager:")
    assert f"secret={begun.secret}" in enrolment.uri


def test_only_the_browser_that_began_may_see_and_confirm(
    begun: Phone, session: Session, sealer: Sealer, now: datetime
) -> None:
    other = StaffSession(token_hash="0" * 64, staff_id=begun.staff.id)
    assert second_factor.enrolment_of(session, begun.staff, other, sealer, now=now) is None
    assert second_factor.confirm(session, begun.staff, other, sealer, begun.shows(now), now=now) is None


def test_what_was_begun_long_ago_is_over(begun: Phone, session: Session, sealer: Sealer, now: datetime) -> None:
    late = now + second_factor.BEGUN_LASTS
    assert second_factor.confirm(session, begun.staff, begun.browser, sealer, begun.shows(late), now=late) is None


@pytest.mark.parametrize("typed", ["000000", "12345", "1234567", "", "abcdef", "１２３４５６", "٠١٢٣٤٥"])
def test_a_wrong_first_code_switches_nothing_on(
    begun: Phone, session: Session, sealer: Sealer, now: datetime, typed: str
) -> None:
    assert second_factor.confirm(session, begun.staff, begun.browser, sealer, typed, now=now) is None
    assert not begun.staff.has_second_factor


def test_switching_on_ends_other_sessions_and_says_so(
    begun: Phone, make: Factory, session: Session, sealer: Sealer, now: datetime
) -> None:
    make.staff_session(begun.staff)
    challenges.open_challenge(session, begun.staff, now=now)
    assert second_factor.confirm(session, begun.staff, begun.browser, sealer, begun.shows(now), now=now)
    assert begun.staff.second_factor_at == now
    assert session.scalars(select(StaffSession.token_hash)).all() == [begun.browser.token_hash]
    assert session.scalars(select(StaffChallenge)).all() == []
    event = session.scalars(select(AuditEvent).where(AuditEvent.tag == Tag.STAFF_SECOND_STEP_ON)).one()
    assert event.programme_id is not None
    assert begun.secret not in str(event.facts)


def test_beginning_again_does_not_touch_what_counts(
    phone: Phone, session: Session, sealer: Sealer, now: datetime
) -> None:
    second_factor.begin(session, phone.staff, phone.browser, sealer, now=now)
    assert second_factor.enrolment_of(session, phone.staff, phone.browser, sealer, now=now) is None
    assert second_factor.prove(session, phone.staff, sealer, phone.shows(now), now=now) is Proof.APP


@pytest.mark.parametrize("off", [-2, -1, 0, 1, 2])
def test_a_clock_may_be_one_step_off(phone: Phone, session: Session, sealer: Sealer, now: datetime, off: int) -> None:
    found = second_factor.prove(session, phone.staff, sealer, phone.shows(now + off * STEP), now=now)
    assert (found is Proof.APP) is (abs(off) <= 1)


def test_a_code_may_be_typed_with_spaces(phone: Phone, session: Session, sealer: Sealer, now: datetime) -> None:
    code = phone.shows(now)
    assert second_factor.prove(session, phone.staff, sealer, f" {code[:3]} {code[3:]} ", now=now) is Proof.APP


@pytest.mark.parametrize("later", [0, 20, 30])
def test_a_code_counts_once_even_while_it_is_still_shown(
    phone: Phone, session: Session, sealer: Sealer, now: datetime, later: int
) -> None:
    code = phone.shows(now)
    assert second_factor.prove(session, phone.staff, sealer, code, now=now) is Proof.APP
    assert second_factor.prove(session, phone.staff, sealer, code, now=now + timedelta(seconds=later)) is None


def test_a_code_older_than_the_last_one_is_refused(
    phone: Phone, session: Session, sealer: Sealer, now: datetime
) -> None:
    assert second_factor.prove(session, phone.staff, sealer, phone.shows(now + STEP), now=now) is Proof.APP
    assert second_factor.prove(session, phone.staff, sealer, phone.shows(now), now=now) is None
    assert second_factor.prove(session, phone.staff, sealer, phone.shows(now + 2 * STEP), now=now + STEP) is Proof.APP


def test_the_code_that_switched_it_on_signs_nobody_in(
    begun: Phone, session: Session, sealer: Sealer, now: datetime
) -> None:
    code = begun.shows(now)
    assert second_factor.confirm(session, begun.staff, begun.browser, sealer, code, now=now)
    assert second_factor.prove(session, begun.staff, sealer, code, now=now) is None


def test_of_two_processes_with_one_code_one_wins(
    phone: Phone, session: Session, sealer: Sealer, now: datetime, other_session: Callable[[], Any]
) -> None:
    """The other process read the row before the first one moved it on."""
    session.commit()
    code = phone.shows(now)
    with other_session() as other:
        there = other.get(Staff, phone.staff.id)
        other.get(StaffSecondFactor, phone.staff.id)
        other.commit()  # What it read stays in its memory.
        assert second_factor.prove(session, phone.staff, sealer, code, now=now) is Proof.APP
        session.commit()
        assert second_factor.prove(other, there, sealer, code, now=now) is None


def test_recovery_codes_are_ten_long_and_kept_as_hashes(phone: Phone, session: Session) -> None:
    kept = session.scalars(select(StaffRecoveryCode.code_hash)).all()
    assert len(set(phone.codes)) == len(kept) == second_factor.recovery_codes_left(session, phone.staff) == 10
    assert all(len(code.replace("-", "")) == 16 for code in phone.codes)
    assert not any(code in kept or code.replace("-", "") in kept for code in phone.codes)


@pytest.mark.parametrize("written", [str, str.lower, lambda code: code.replace("-", " "), lambda code: f" {code}\n"])
def test_a_recovery_code_works_once_however_it_is_written(
    phone: Phone, session: Session, sealer: Sealer, now: datetime, written: Callable[[str], str]
) -> None:
    code = written(phone.codes[3])
    assert second_factor.prove(session, phone.staff, sealer, code, now=now) is Proof.RECOVERY_CODE
    assert second_factor.prove(session, phone.staff, sealer, code, now=now) is None
    assert second_factor.recovery_codes_left(session, phone.staff) == 9
    event = session.scalars(select(AuditEvent).where(AuditEvent.tag == Tag.STAFF_RECOVERY_CODE_USED)).one()
    assert event.facts["left"] == 9


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    typed=st.one_of(st.text(max_size=120), st.text("0123456789- ", max_size=12), st.text("ABCDEFGH23-", max_size=24))
)
def test_no_text_but_the_right_one_is_a_proof(phone: Phone, session: Session, sealer: Sealer, typed: str) -> None:
    at = utcnow()
    expected = "".join(typed.split()).replace("-", "") in {phone.shows(at + step * STEP) for step in (-1, 0, 1)}
    assert (second_factor.prove(session, phone.staff, sealer, typed, now=at) is not None) <= expected


def test_somebody_elses_recovery_code_is_worth_nothing(
    phone: Phone, make: Factory, session: Session, sealer: Sealer, now: datetime
) -> None:
    other = make.staff()
    other.second_factor_at = now
    assert second_factor.prove(session, other, sealer, phone.codes[0], now=now) is None


def test_new_recovery_codes_replace_the_ones_before(
    phone: Phone, session: Session, sealer: Sealer, now: datetime
) -> None:
    fresh = second_factor.new_recovery_codes(session, phone.staff, now=now)
    assert set(fresh).isdisjoint(phone.codes)
    assert second_factor.prove(session, phone.staff, sealer, phone.codes[0], now=now) is None
    assert second_factor.prove(session, phone.staff, sealer, fresh[0], now=now) is Proof.RECOVERY_CODE


def test_switching_off_forgets_everything_and_keeps_this_browser(
    phone: Phone, make: Factory, session: Session, sealer: Sealer, now: datetime
) -> None:
    make.staff_session(phone.staff)
    actor = staff_actor(phone.staff)
    assert second_factor.switch_off(session, phone.staff, actor, now=now, keep=phone.browser)
    for model in (StaffSecondFactor, StaffRecoveryCode):
        assert session.scalars(select(model)).all() == []
    assert session.scalars(select(StaffSession.token_hash)).all() == [phone.browser.token_hash]
    assert second_factor.prove(session, phone.staff, sealer, phone.codes[0], now=now) is None
    assert tags(session)[-1] == Tag.STAFF_SECOND_STEP_OFF
    assert not second_factor.switch_off(session, phone.staff, actor, now=now)


def test_a_reset_by_somebody_else_is_called_so_and_ends_every_session(
    phone: Phone, session: Session, now: datetime
) -> None:
    assert second_factor.switch_off(session, phone.staff, COMMAND_LINE, now=now)
    assert session.scalars(select(StaffSession)).all() == []
    assert tags(session)[-1] == Tag.STAFF_SECOND_STEP_RESET


def test_between_the_steps_nobody_is_signed_in(phone: Phone, session: Session, now: datetime) -> None:
    token = challenges.open_challenge(session, phone.staff, now=now)
    assert challenges.staff_of_challenge(session, token, now=now) is phone.staff
    assert accounts.staff_of_session(session, token, now=now) is None
    assert challenges.staff_of_challenge(session, "another browser", now=now) is None


def test_the_time_between_the_steps_is_short(phone: Phone, session: Session, now: datetime) -> None:
    token = challenges.open_challenge(session, phone.staff, now=now)
    late = now + challenges.CHALLENGE_LASTS
    assert challenges.staff_of_challenge(session, token, now=late) is None


def test_the_state_between_the_steps_opens_one_session(phone: Phone, session: Session, now: datetime) -> None:
    token = challenges.open_challenge(session, phone.staff, now=now)
    assert challenges.use_up(session, token)
    assert not challenges.use_up(session, token)


def test_after_some_wrong_codes_the_password_is_asked_for_again(phone: Phone, session: Session, now: datetime) -> None:
    token = challenges.open_challenge(session, phone.staff, now=now)
    for _ in range(challenges.MOST_REFUSED):
        assert challenges.staff_of_challenge(session, token, now=now) is not None
        challenges.note_refusal(session, token)
    assert challenges.staff_of_challenge(session, token, now=now) is None


def test_whoever_lost_access_between_the_steps_does_not_get_in(phone: Phone, session: Session, now: datetime) -> None:
    token = challenges.open_challenge(session, phone.staff, now=now)
    phone.staff.deactivated_at = now
    assert challenges.staff_of_challenge(session, token, now=now) is None
