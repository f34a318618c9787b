"""Rules for new passwords: length, common ones in every disguise, personal ones, earlier ones."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from rgapp.auth import password_history, passwords, user_passwords
from rgapp.auth import staff as accounts
from rgapp.auth.passwords import NOT_REUSED, NewPassword, PasswordProblem, PasswordRejected, new_password
from rgapp.models import StaffPassword, UserPassword
from rgapp.wording_passwords import PROBLEMS, password_problems
from tests.factories import PASSWORD, Factory

PERSONAL = ("ann-marie.o'neill@acme.example", "Ann-Marie O’Neill", "Zoë Núñez", "Acme Rewards")


def problems_of(password: str, **options: object) -> tuple[PasswordProblem, ...]:
    """Return the rules that a password breaks."""
    try:
        new_password(password, **options)  # type: ignore[arg-type]
    except PasswordRejected as rejected:
        return rejected.problems
    return ()


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "four words in a row",
        "constantinople improvised implied missionaries",
        "xK93kd-3kdjw93-kd",
        "Ünïcödé wörks hère toö",
        "パスワードではありません本当に長い",
        "a" * 4 + "never tried this 71 times" * 7,
    ],
)
def test_a_password_that_is_hard_to_guess_is_taken(password: str) -> None:
    assert problems_of(password) == ()


@pytest.mark.parametrize(
    "password",
    [
        "passwordpassword",
        "Password!Password!",
        "P@ssw0rdP@ssw0rd",
        "password!!!!!!!!!!!!",
        "!!!!!!!!!!!password",
        "passwordpasswordpassword1",
        "iloveyouiloveyou",
        "dragon dragon dragon",
        "welcome123welcome123",
        "qwertyuiopasdfgh",
        "qwerty1234567890",
        "abcdefghijklmnop",
        "1234567890123456",
        "aaaaaaaaaaaaaaaaaaaa",
        "aaaabbbbccccdddd",
        "summer2026summer2026",
        "Winter2025!Winter2025!",
        "drowssapdrowssap",
        "!!!!niemtelniemtelniemtel!!!!",
        "11IloveyouIloveyouIloveyou11",
        "xxIloveyou-iloveyou-ILOVEYOUxx",
        "xxxxPassword-PASSWORD.password7777",
        "!!!!!!!!!!!!!!!!",
    ],
)
def test_common_passwords_are_known_in_every_disguise(password: str) -> None:
    assert problems_of(password) == (PasswordProblem.TOO_COMMON,)


@pytest.mark.parametrize(
    "password",
    [
        "my name is ann and i swim",
        "a river runs past ONEILL house",
        "zoe went up the 19 hills",
        "nunez 71 hills and a lake",
        "we all love a-c-m-e tulips",
        "71 tulips for AcmeRewards",
        "ann-marie.o'neill@acme.example",
    ],
)
def test_a_password_does_not_contain_who_somebody_is(password: str) -> None:
    assert PasswordProblem.PERSONAL in problems_of(password, personal=PERSONAL)


@pytest.mark.parametrize(
    "password", ["the annual fair of 71 hills", "71 rewards for a good dog", "unzoement of 71 hills"]
)
def test_a_short_name_inside_a_word_and_a_general_word_do_no_harm(password: str) -> None:
    assert problems_of(password, personal=("Ann", "Zoë", "Acme Rewards")) == ()


def test_everything_that_is_wrong_is_said_at_once() -> None:
    found = problems_of("ann 1", personal=("Ann",), earlier=[passwords._hasher.hash("ann 1")])
    assert set(found) == set(PasswordProblem) - {PasswordProblem.TOO_LONG}
    assert problems_of("71 hills and lakes " * 12) == (PasswordProblem.TOO_LONG,)
    assert len(password_problems(PasswordRejected(list(PasswordProblem)))) == len(PROBLEMS) == len(PasswordProblem)


def test_guessing_effort_is_measured_quickly_however_nasty_the_input() -> None:
    """Letters that may stand for several others multiply; only the beginning is looked at."""
    assert not passwords.is_common("4@8({[<36!|10$5+7%2aes" * 9)
    assert not passwords.is_common("")


def test_none_of_the_last_ten_comes_back_and_the_eleventh_does(make: Factory, session: Session, now: datetime) -> None:
    person = make.staff()
    used = [PASSWORD]
    for number in range(NOT_REUSED):
        with pytest.raises(PasswordRejected):
            accounts.check_password(session, person, used[-1])
        used.append(f"tulips on {number} of 71 hills")
        new = accounts.check_password(session, person, used[-1])
        password_history.store_password(session, person, new, now=now + timedelta(days=number + 1))
    for earlier in used[1:]:
        with pytest.raises(PasswordRejected) as rejected:
            accounts.check_password(session, person, earlier)
        assert rejected.value.problems == (PasswordProblem.USED_BEFORE,)
    assert isinstance(accounts.check_password(session, person, used[0]), NewPassword)
    assert session.query(StaffPassword).count() == NOT_REUSED


def test_a_password_from_before_the_history_counts_as_used(make: Factory, session: Session, now: datetime) -> None:
    programme = make.programme("acme", password_sign_in=True)
    user = make.user(programme, first_name="Jane", last_name="Carter")
    user.password_hash = passwords.new_password(PASSWORD).hashed
    with pytest.raises(PasswordRejected):
        user_passwords.check_password(session, programme, user, PASSWORD)
    new = user_passwords.check_password(session, programme, user, "tulips on 71 hills")
    password_history.store_password(session, user, new, now=now)
    with pytest.raises(PasswordRejected):
        user_passwords.check_password(session, programme, user, PASSWORD)
    assert session.query(UserPassword).count() == 2


@pytest.mark.parametrize("word", ["carter", "jane.carter", "Acme"])
def test_an_employees_own_details_are_no_password(make: Factory, session: Session, word: str) -> None:
    programme = make.programme("acme", name="Acme Rewards")
    user = make.user(programme, first_name="Jane", last_name="Carter", email="jane.carter@work.example")
    with pytest.raises(PasswordRejected) as rejected:
        user_passwords.check_password(session, programme, user, f"tulips {word} 71 hills")
    assert rejected.value.problems == (PasswordProblem.PERSONAL,)


@settings(deadline=None, max_examples=150)
@given(password=st.text(max_size=80), personal=st.lists(st.text(max_size=30), max_size=3))
def test_no_text_breaks_the_rules_themselves(password: str, personal: list[str]) -> None:
    problems = problems_of(password, personal=personal)
    assert (PasswordProblem.TOO_SHORT in problems) is (len(password) < passwords.MINIMUM_LENGTH)


@settings(deadline=None, max_examples=100)
@given(common=st.sampled_from(["password", "letmein", "iloveyou", "qwerty", "dragon"]), data=st.data())
def test_repeating_and_padding_makes_no_common_password_good(common: str, data: st.DataObject) -> None:
    padding = data.draw(st.sampled_from("!1.-x #")) * data.draw(st.integers(0, 8))
    written = data.draw(st.sampled_from([str.title, str.upper, str, lambda text: text[::-1]]))(common)
    assert passwords.is_common(padding + written * data.draw(st.integers(1, 4)) + padding)
