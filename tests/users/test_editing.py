"""Creating and changing people by hand."""

import re
from datetime import date

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from rgapp.audit import Tag
from rgapp.audit.service import COMMAND_LINE
from rgapp.clock import utcnow
from rgapp.models import AuditEvent, OutboxMail, Region, User, UserStatus
from rgapp.provisioning import Field, OutcomeKind, Problem, ProblemCode, Refusal, deactivate
from rgapp.provisioning.record import Outcome, PersonRecord, Reading
from rgapp.users import editing
from rgapp.users.editing import Conflict, Rejected, Saved
from tests.factories import Factory
from tests.users.conftest import Platform
from tests.users.test_person import owned_user

JANE = {
    "membership_no": "E1001",
    "email": "jane@acme.example",
    "first_name": "Jane",
    "last_name": "Carter",
    "date_of_birth": "1990-04-03",
}


@pytest.fixture
def jane(make: Factory, platform: Platform) -> User:
    """Return Jane Carter of Acme."""
    return make.user(platform.acme, **JANE)


def seen_in(admin: FlaskClient, user: User) -> str:
    """Return what the edit form says about the state it was opened in."""
    found = re.search(r'name="seen"[^>]* value="([^"]+)"', admin.get(f"/users/acme/{user.id}/edit").text)
    assert found is not None
    return found[1]


def errors_in(page: str) -> list[str]:
    """Return the messages beside the fields."""
    return re.findall(r'class="field-error">.*?<span>(.*?)</span></p>', page, re.DOTALL)


def edit(admin: FlaskClient, user: User, **changed: str) -> str:
    """Edit a person and return the page that follows."""
    data = JANE | {"seen": seen_in(admin, user)} | changed
    return admin.post(f"/users/acme/{user.id}/edit", data=data, follow_redirects=True).text


def test_a_person_is_created_by_hand_with_one_event_and_one_mail(
    admin: FlaskClient, session: Session, platform: Platform
) -> None:
    answer = admin.post("/users/acme/new", data=JANE | {"welcome_email": "y"}, follow_redirects=True)
    assert "The account is created. A welcome e-mail is on its way." in answer.text
    user = session.scalars(select(User)).one()
    assert (user.membership_no, user.date_of_birth, user.source) == ("E1001", date(1990, 4, 3), "hand")
    event = session.scalars(select(AuditEvent).where(AuditEvent.user_id == user.id)).one()
    assert (event.tag, event.actor_label) == (Tag.USER_CREATED, "Ada Admin")
    assert session.scalars(select(OutboxMail)).one().recipient == "jane@acme.example"


def test_no_mail_is_written_where_the_box_is_not_ticked(admin: FlaskClient, session: Session) -> None:
    answer = admin.post("/users/acme/new", data=JANE, follow_redirects=True)
    assert "No welcome e-mail is sent." in answer.text
    assert session.query(OutboxMail).count() == 0


def test_every_problem_comes_at_once_and_nothing_typed_is_lost(admin: FlaskClient, session: Session) -> None:
    typed = {
        "membership_no": "9" * 65,
        "email": "jane@nowhere",
        "first_name": "J4ne",
        "last_name": "C" * 51,
        "date_of_birth": "1990-02-31",
    }
    answer = admin.post("/users/acme/new", data=typed)
    assert answer.status_code == 422
    assert len(errors_in(answer.text)) == 5
    assert "5 things need another look" in answer.text
    for value in typed.values():
        assert f'value="{value}"' in answer.text
    assert session.query(User).count() == 0


def test_an_empty_form_asks_for_the_two_mandatory_fields(admin: FlaskClient) -> None:
    answer = admin.post("/users/acme/new", data={})
    assert errors_in(answer.text) == ["Enter the Membership No.", "Enter the e-mail address."]


@pytest.mark.parametrize(
    ("region", "typed", "read"),
    [
        (Region.INTERNATIONAL, "03/04/1990", date(1990, 4, 3)),
        (Region.US, "04/03/1990", date(1990, 4, 3)),
        (Region.INTERNATIONAL, "1990-04-03", date(1990, 4, 3)),
        (Region.US, "1990-04-03", date(1990, 4, 3)),
        (Region.INTERNATIONAL, "13/31/1990", None),
        (Region.INTERNATIONAL, "3.4.90", None),
        (Region.INTERNATIONAL, "2999-01-01", None),
    ],
)
def test_dates_are_read_as_iso_or_as_the_region_writes_them(
    admin: FlaskClient, session: Session, platform: Platform, region: Region, typed: str, read: date | None
) -> None:
    platform.acme.region = region
    admin.post("/users/acme/new", data=JANE | {"date_of_birth": typed})
    user = session.scalar(select(User))
    assert (user.date_of_birth if user else None) == read


def test_a_number_that_somebody_has_is_refused_with_a_link(admin: FlaskClient, session: Session, jane: User) -> None:
    answer = admin.post("/users/acme/new", data=JANE | {"email": "new@acme.example", "first_name": "June"})
    assert errors_in(answer.text) == [
        f'This number belongs to <a href="/users/acme/{jane.id}">Jane Carter (E1001)</a>.'
    ]
    assert jane.first_name == "Jane"
    assert session.query(User).count() == 1


def test_number_and_address_of_two_people_are_named_both(
    admin: FlaskClient, make: Factory, platform: Platform, jane: User
) -> None:
    bob = make.user(platform.acme, first_name="Bob", last_name="Roe", email="bob@acme.example")
    answer = admin.post("/users/acme/new", data=JANE | {"email": "BOB@acme.example"})
    assert len(errors_in(answer.text)) == 2
    assert f"/users/acme/{bob.id}" in answer.text
    assert f"/users/acme/{jane.id}" in answer.text


def test_the_number_of_a_leaver_points_to_reactivation(admin: FlaskClient, session: Session, jane: User) -> None:
    deactivate(session, jane, COMMAND_LINE, now=utcnow())
    answer = admin.post("/users/acme/new", data=JANE | {"email": "new@acme.example"})
    assert "They are a leaver: reactivate that account instead." in answer.text
    assert jane.status == UserStatus.LEAVER


def test_the_address_of_a_leaver_passes_to_the_new_person_and_that_is_said(
    admin: FlaskClient, session: Session, jane: User
) -> None:
    deactivate(session, jane, COMMAND_LINE, now=utcnow())
    answer = admin.post("/users/acme/new", data=JANE | {"membership_no": "E2"}, follow_redirects=True)
    assert "The e-mail address was taken over from Jane Carter, who is a leaver." in answer.text
    assert jane.email is None


def test_names_in_messages_are_escaped(admin: FlaskClient, make: Factory, platform: Platform) -> None:
    make.user(platform.acme, membership_no="<b>1</b>", first_name="", last_name="")
    answer = admin.post("/users/acme/new", data=JANE | {"membership_no": "<b>1</b>"})
    assert "<b>1</b>" not in answer.text


def test_the_same_number_and_address_may_exist_in_another_programme(
    admin: FlaskClient, make: Factory, session: Session, platform: Platform
) -> None:
    make.user(platform.other, **JANE)
    assert admin.post("/users/acme/new", data=JANE).status_code == 303
    assert session.query(User).count() == 2


def test_a_change_is_saved_with_before_and_after(admin: FlaskClient, session: Session, jane: User) -> None:
    page = edit(admin, jane, last_name="Carter-Roe", date_of_birth="")
    assert "Saved." in page
    assert "<del>Carter</del>" in page
    assert "<ins>Carter-Roe</ins>" in page
    assert "<del>3 April 1990</del>" in page
    assert (jane.last_name, jane.date_of_birth, jane.incomplete) == ("Carter-Roe", None, True)
    assert jane.field_sources["last_name"]["name"] == "Ada Admin"


def test_saving_without_a_difference_says_so_and_writes_nothing(
    admin: FlaskClient, session: Session, jane: User
) -> None:
    events = session.query(AuditEvent).filter_by(user_id=jane.id).count()
    assert "Nothing was different, so nothing was changed." in edit(admin, jane)
    assert session.query(AuditEvent).filter_by(user_id=jane.id).count() == events


def test_an_edit_that_takes_somebody_elses_number_is_refused(
    admin: FlaskClient, make: Factory, platform: Platform, jane: User
) -> None:
    bob = make.user(platform.acme, membership_no="E5", first_name="Bob", last_name="Roe")
    page = edit(admin, jane, membership_no="E5")
    assert f'This number belongs to <a href="/users/acme/{bob.id}">Bob Roe (E5)</a>.' in page
    assert jane.membership_no == "E1001"


def test_an_edit_over_somebody_elses_edit_is_shown_first(admin: FlaskClient, session: Session, jane: User) -> None:
    stale = seen_in(admin, jane)
    edit(admin, jane, first_name="Janet")
    data = JANE | {"seen": stale, "last_name": "Roe"}
    answer = admin.post(f"/users/acme/{jane.id}/edit", data=data)
    assert answer.status_code == 409
    assert "These details changed while you were editing." in answer.text
    assert "On file now: Janet." in answer.text
    assert 'value="Roe"' in answer.text
    assert jane.last_name == "Carter"
    again = re.search(r'name="seen"[^>]* value="([^"]+)"', answer.text)
    assert again is not None
    assert admin.post(f"/users/acme/{jane.id}/edit", data=data | {"seen": again[1]}).status_code == 303
    assert (jane.first_name, jane.last_name) == ("Jane", "Roe")


def test_a_leaver_is_not_edited(admin: FlaskClient, session: Session, jane: User) -> None:
    deactivate(session, jane, COMMAND_LINE, now=utcnow())
    for answer in (
        admin.get(f"/users/acme/{jane.id}/edit", follow_redirects=True),
        admin.post(f"/users/acme/{jane.id}/edit", data=JANE | {"first_name": "X"}, follow_redirects=True),
    ):
        assert "Reactivate the account first" in answer.text
    assert (jane.first_name, jane.status) == ("Jane", UserStatus.LEAVER)


def test_owned_fields_are_shown_with_the_reason_and_never_changed(
    admin: FlaskClient, make: Factory, session: Session, platform: Platform
) -> None:
    dana = owned_user(session, make, platform)
    form = admin.get(f"/users/acme/{dana.id}/edit").text
    assert "Entra owns the details with a lock" in form
    assert 'name="first_name"' not in form
    assert 'name="last_name"' in form
    page = edit(admin, dana, first_name="Changed", membership_no="Changed", last_name="Dell")
    assert "Saved." in page
    assert (dana.first_name, dana.membership_no, dana.last_name) == ("Dana", "E9", "Dell")


@pytest.mark.parametrize(
    ("outcome", "field"),
    [
        (OutcomeKind.UPDATED, Field.MEMBERSHIP_NO),
        (Refusal.MEMBERSHIP_CONFLICT, Field.MEMBERSHIP_NO),
        (Refusal.EMAIL_CONFLICT, Field.EMAIL),
    ],
)
def test_a_lost_race_is_a_conflict_and_no_silent_change(
    session: Session,
    platform: Platform,
    jane: User,
    monkeypatch: pytest.MonkeyPatch,
    outcome: OutcomeKind | Refusal,
    field: Field,
) -> None:
    """Somebody creates the same person between our look and our write."""
    reading = Reading("a form", PersonRecord(), ())
    answer = (
        Outcome(outcome, reading, jane.id)
        if isinstance(outcome, OutcomeKind)
        else Outcome(OutcomeKind.REJECTED, reading, refusal=outcome, conflict_user_id=jane.id)
    )
    monkeypatch.setattr(editing, "provision", lambda *_, **__: answer)
    result = save_new(session, platform)
    assert isinstance(result, Rejected)
    assert result.problems == {field: Conflict(jane)}


def test_a_field_that_becomes_owned_meanwhile_is_named(
    session: Session, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = Outcome(
        OutcomeKind.REJECTED,
        Reading("a form", PersonRecord(), ()),
        refusal=Refusal.OWNED_FIELDS,
        blocked=(Field.LAST_NAME,),
    )
    monkeypatch.setattr(editing, "provision", lambda *_, **__: answer)
    result = save_new(session, platform)
    assert isinstance(result, Rejected)
    assert result.problems == {Field.LAST_NAME: Problem(ProblemCode.OWNED)}


def save_new(session: Session, platform: Platform) -> Saved | Rejected:
    """Create somebody new by hand."""
    values = {Field.MEMBERSHIP_NO: "N1", Field.EMAIL: "n1@acme.example"}
    return editing.save(session, platform.acme, values, actor=COMMAND_LINE, now=utcnow())
