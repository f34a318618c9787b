"""The page of one person, and what HR may do there."""

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from rgapp.audit import Actor, ActorKind, Tag, record_event
from rgapp.audit.service import COMMAND_LINE
from rgapp.auth import users as accounts
from rgapp.clock import utcnow
from rgapp.integrations.registry import kind_of
from rgapp.models import AuditEvent, Integration, MailStatus, OutboxMail, SCIMRequest, User, UserSession, UserStatus
from rgapp.models.base import new_id
from rgapp.provisioning import (
    Field,
    FieldRule,
    Policy,
    Source,
    SourceRecord,
    deactivate,
    provision,
    read_record,
)
from tests.factories import Factory
from tests.staff_client import counted_queries, with_form_token
from tests.users.attempts import add_attempt
from tests.users.conftest import Platform


@pytest.fixture
def jane(make: Factory, platform: Platform) -> User:
    """Return Jane Carter of Acme."""
    return make.user(
        platform.acme, membership_no="E1001", first_name="Jane", last_name="Carter", email="jane@acme.example"
    )


def address(user: User, action: str = "") -> str:
    """Return the address of Jane's page, or of something to do there."""
    return f"/users/acme/{user.id}" + (f"/{action}" if action else "")


def events_of(session: Session, user: User) -> list[str]:
    """Return the tags of a person's events, oldest first."""
    found = select(AuditEvent).where(AuditEvent.user_id == user.id).order_by(AuditEvent.id)
    return [event.tag for event in session.scalars(found)]


def test_details_are_shown_with_who_gave_them(admin: FlaskClient, jane: User) -> None:
    page = admin.get(address(jane)).text
    assert "Jane Carter" in page
    assert "3 April 1990" in page
    assert "Entered by A test, 3 May" in page


def test_a_gap_is_called_out_with_its_reason(
    admin: FlaskClient, make: Factory, session: Session, platform: Platform
) -> None:
    user = make.user(platform.acme, date_of_birth="")
    user.gaps = {"date_of_birth": "unreadable_date"}
    session.flush()
    page = admin.get(address(user)).text
    assert "1 detail is missing" in page
    assert "What the source sent is not a date in the format set under Mapping." in page


def test_the_timeline_tells_account_sign_ins_and_mails_in_one(
    admin: FlaskClient, make: Factory, session: Session, platform: Platform
) -> None:
    user = make.user(platform.acme, membership_no="E7", welcome_email=True)
    integration = make.integration(platform.acme, {}, published=False)
    add_attempt(session, integration, user_id=user.id, reference="AAAA-2222")
    add_attempt(session, integration, membership_no="E7", reason="birth_date_conflict", reference="BBBB-3333")
    page = admin.get(address(user)).text
    for words in (
        "Account created",
        "Welcome e-mail on its way to",
        "Signed in with Okta",
        "Sign-in with Okta refused",
        "Refused because the date of birth differs from the one on file.",
        "From the command line",
        "Attempt AAAA-2222",
    ):
        assert words in page


def test_the_timeline_continues_on_older_pages(
    admin: FlaskClient, make: Factory, session: Session, platform: Platform, jane: User
) -> None:
    integration = make.integration(platform.acme, {}, published=False)
    start = utcnow()
    for minute in range(100):
        add_attempt(
            session,
            integration,
            user_id=jane.id,
            reference=f"{minute:04}-X",
            at=start - timedelta(minutes=minute // 2),
        )
    seen: list[str] = []
    url: str | None = address(jane)
    pages = 0
    while url:
        page = admin.get(url).text
        seen += [part.split("<")[0] for part in page.split(">Attempt ")[1:]]
        rest = page.partition('rel="next" href="')[2]
        url = rest.partition('"')[0].replace("&amp;", "&") or None
        pages += 1
    assert sorted(seen) == sorted(f"{minute:04}-X" for minute in range(100))
    assert pages == 3


def test_the_page_costs_the_same_number_of_queries_for_5_and_for_30_events(
    admin: FlaskClient, make: Factory, session: Session, platform: Platform, jane: User
) -> None:
    integration = make.integration(platform.acme, {}, published=False)
    counts = []
    for more in (5, 25):
        for _ in range(more):
            add_attempt(session, integration, user_id=jane.id)
        with counted_queries() as run:
            admin.get(address(jane))
        counts.append(len(run))
    assert counts[0] == counts[1]


def test_somebody_who_signs_in_with_this_address_is_named(
    admin: FlaskClient, make: Factory, session: Session, platform: Platform, jane: User
) -> None:
    integration = make.integration(platform.acme, {}, published=False)
    add_attempt(
        session,
        integration,
        reason="email_conflict",
        email_key="jane@acme.example",
        membership_no="E2002",
        person="June Cartwright (E2002)",
    )
    page = admin.get(address(jane)).text
    assert "Somebody else signs in with this e-mail address" in page
    assert "June Cartwright (E2002)" in page


def test_sessions_are_listed_and_ended(admin: FlaskClient, session: Session, jane: User) -> None:
    agent = "Mozilla/5.0 (Windows NT 10.0; rv:128.0) Gecko/20100101 Firefox/128.0"
    accounts.open_session(session, jane.programme_id, jane.id, user_agent=agent, now=utcnow())
    page = admin.get(address(jane)).text
    assert "Firefox on Windows" in page
    assert "This ends 1 session of one person now." in page
    answer = admin.post(address(jane, "end-sessions"), follow_redirects=True)
    assert "Jane Carter is signed out everywhere. 1 session ended." in answer.text
    assert session.scalar(select(UserSession)) is None
    assert events_of(session, jane)[-1] == Tag.USER_SESSIONS_ENDED


def test_deactivating_says_its_size_and_ends_sessions(admin: FlaskClient, session: Session, jane: User) -> None:
    accounts.open_session(session, jane.programme_id, jane.id, user_agent="", now=utcnow())
    assert "makes one person a leaver and ends 1 session now" in admin.get(address(jane)).text
    answer = admin.post(address(jane, "deactivate"), data={"reason": "Left in May"}, follow_redirects=True)
    assert "Jane Carter is a leaver now. 1 session ended." in answer.text
    assert "Reason: Left in May" in answer.text
    assert "This person is a leaver" in answer.text
    assert jane.status == UserStatus.LEAVER
    assert session.scalar(select(UserSession)) is None
    again = admin.post(address(jane, "deactivate"), follow_redirects=True)
    assert "is a leaver already" in again.text


def test_a_leaver_can_be_reactivated(admin: FlaskClient, session: Session, jane: User) -> None:
    deactivate(session, jane, COMMAND_LINE, now=utcnow())
    assert "Reactivate" in admin.get(address(jane)).text
    answer = admin.post(address(jane, "reactivate"), follow_redirects=True)
    assert "Jane Carter can sign in again." in answer.text
    assert jane.status == UserStatus.ACTIVE
    assert "is active already" in admin.post(address(jane, "reactivate"), follow_redirects=True).text
    assert events_of(session, jane).count(Tag.USER_REACTIVATED) == 1


def test_the_welcome_email_can_be_sent_again_once_at_a_time(admin: FlaskClient, session: Session, jane: User) -> None:
    answer = admin.post(address(jane, "resend-welcome"), follow_redirects=True)
    assert "The welcome e-mail is on its way to jane@acme.example." in answer.text
    assert session.query(OutboxMail).count() == 1
    assert events_of(session, jane)[-1] == Tag.USER_WELCOME_RESENT
    assert "is on its way already" in admin.post(address(jane, "resend-welcome"), follow_redirects=True).text
    session.query(OutboxMail).one().status = MailStatus.SENT
    admin.post(address(jane, "resend-welcome"))
    assert session.query(OutboxMail).count() == 2


def test_no_welcome_email_goes_to_a_leaver_or_to_nobody(admin: FlaskClient, session: Session, jane: User) -> None:
    deactivate(session, jane, COMMAND_LINE, now=utcnow())
    answer = admin.post(address(jane, "resend-welcome"), follow_redirects=True)
    assert "this person is a leaver" in answer.text
    jane.status, jane.email, jane.email_key = UserStatus.ACTIVE, None, None
    session.flush()
    assert "has no e-mail address" in admin.post(address(jane, "resend-welcome"), follow_redirects=True).text
    assert session.query(OutboxMail).count() == 0


def test_fields_that_a_directory_owns_say_so(
    admin: FlaskClient, make: Factory, session: Session, platform: Platform
) -> None:
    user = owned_user(session, make, platform)
    page = admin.get(address(user)).text
    assert "From Entra" in page
    assert "Entra owns this field." in page


def owned_user(session: Session, make: Factory, platform: Platform) -> User:
    """Return a user whose first name a live directory integration owns."""
    integration = make.integration(platform.acme, {}, published=False, name="Entra")
    integration.directory_owner = integration.enabled = True
    session.flush()
    record = SourceRecord("1", {"no": ["E9"], "mail": ["dana@acme.example"], "given": ["Dana"]})
    rules = {
        Field.MEMBERSHIP_NO: FieldRule("no"),
        Field.EMAIL: FieldRule("mail"),
        Field.FIRST_NAME: FieldRule("given"),
    }
    policy = Policy(Source.SCIM, "Entra", integration.id, create=True)
    reading = read_record(record, rules, today=utcnow().date())
    outcome = provision(session, platform.acme.id, reading, policy, COMMAND_LINE, now=utcnow())
    user = session.get(User, (platform.acme.id, outcome.user_id))
    assert user is not None
    return user


def test_support_sees_the_person_and_no_buttons(support: FlaskClient, jane: User) -> None:
    page = support.get(address(jane)).text
    assert "Jane Carter" in page
    for word in ("Deactivate", "Resend welcome", "Edit", "Sign out everywhere"):
        assert word not in page


@pytest.mark.parametrize("action", ["deactivate", "reactivate", "resend-welcome", "end-sessions", "edit"])
def test_support_changes_nothing(support: FlaskClient, session: Session, jane: User, action: str) -> None:
    before = events_of(session, jane)
    assert support.post(address(jane, action)).status_code == 403
    assert support.post("/users/acme/new").status_code == 403
    assert events_of(session, jane) == before
    assert session.query(User).count() == 1


def test_a_form_without_its_token_changes_nothing(admin: FlaskClient, jane: User) -> None:
    del admin.environ_base["HTTP_X_CSRFTOKEN"]
    assert admin.post(address(jane, "deactivate")).status_code == 400
    assert jane.status == UserStatus.ACTIVE


def test_operators_change_people_of_every_programme(operator: FlaskClient, jane: User) -> None:
    assert operator.post(address(jane, "deactivate")).status_code == 303
    assert jane.status == UserStatus.LEAVER


@pytest.mark.parametrize(
    ("method", "action"),
    [
        ("GET", ""),
        ("GET", "edit"),
        ("POST", "edit"),
        ("POST", "deactivate"),
        ("POST", "reactivate"),
        ("POST", "resend-welcome"),
        ("POST", "end-sessions"),
    ],
)
def test_a_person_of_another_programme_looks_like_nobody(
    stranger: FlaskClient, admin: FlaskClient, session: Session, jane: User, method: str, action: str
) -> None:
    nobody = "0190a000-0000-7000-8000-000000000000"
    before = events_of(session, jane)
    suffix = f"/{action}" if action else ""
    walls = [
        stranger.open(f"/users/acme/{jane.id}{suffix}", method=method),
        stranger.open(f"/users/other/{jane.id}{suffix}", method=method),
        stranger.open(f"/users/other/{nobody}{suffix}", method=method),
        stranger.open(f"/users/no-such-programme/{jane.id}{suffix}", method=method),
        admin.open(f"/users/acme/{nobody}{suffix}", method=method),
    ]
    assert {answer.status_code for answer in walls} == {404}
    assert len({answer.text for answer in walls}) == 1
    assert events_of(session, jane) == before


@pytest.mark.parametrize("path", ["/users/?programme=acme", "/users/export.csv?programme=acme", "/users/acme/new"])
def test_another_programme_looks_like_none(stranger: FlaskClient, jane: User, path: str) -> None:
    answer = stranger.get(path)
    missing = stranger.get(path.replace("acme", "no-such-programme"))
    assert answer.status_code == missing.status_code == 404
    assert answer.text == missing.text


def test_nobody_who_is_not_signed_in_gets_in(client: FlaskClient, jane: User) -> None:
    for path in ("/users/", address(jane), "/users/acme/new", "/users/export.csv"):
        answer = client.get(path)
        assert answer.status_code == 302
        assert answer.location.startswith("/manager/login?next=/users/")
    with_form_token(client, "/manager/login")
    assert client.post(address(jane, "deactivate")).location == "/manager/login"
    assert jane.status == UserStatus.ACTIVE


def test_a_sign_in_with_a_password_is_part_of_the_timeline(admin: FlaskClient, session: Session, jane: User) -> None:
    accounts.note_password_sign_in(session, jane, now=utcnow())
    page = admin.get(address(jane)).text
    assert "Signed in with a password" in page
    assert "By the person" in page


@pytest.fixture
def entra(make: Factory, platform: Platform) -> Integration:
    """Return a SCIM integration of Acme."""
    draft = kind_of("scim").new_draft("scim", platform.acme)
    return make.integration(platform.acme, draft, name="Entra", kind="scim", provider="entra-scim")


def add_request(session: Session, integration: Integration, **values: Any) -> SCIMRequest:
    """Keep a request of a SCIM client."""
    details: dict[str, Any] = {"method": "PATCH", "path": "/Users/1", "status": 200, "outcome": "updated"} | values
    details = {"accepted": True, "listening": False, "fields": [], "changes": [], "arrived": []} | details
    row = SCIMRequest(
        programme_id=integration.programme_id,
        id=new_id(),
        integration_id=integration.id,
        at=details.pop("at", utcnow()),
        expires_at=utcnow() + timedelta(days=30),
        **details,
    )
    session.add(row)
    session.flush()
    return row


REFUSED: dict[str, Any] = {"accepted": False, "outcome": "rejected", "status": 409, "reason": "email_conflict"}


def test_what_a_directory_sent_stands_in_the_timeline(
    admin: FlaskClient, session: Session, jane: User, entra: Integration
) -> None:
    good = add_request(session, entra, user_id=jane.id, person="Jane Carter (E1001)")
    bad = add_request(session, entra, membership_no="E1001", **REFUSED)
    page = admin.get(address(jane)).text
    assert "Sent by Entra" in page
    assert "Updated the details of Jane Carter (E1001)." in page
    assert "Request of Entra refused" in page
    assert "HR checks which of the two people the address belongs to" in page
    for row in (good, bad):
        assert f"/manager/acme/integrations/{entra.id}/requests/{row.id}" in page


def test_look_ups_and_what_was_only_listened_to_stay_out_of_the_timeline(
    admin: FlaskClient, session: Session, jane: User, entra: Integration
) -> None:
    add_request(session, entra, user_id=jane.id, method="GET", outcome="read")
    add_request(session, entra, user_id=jane.id, listening=True)
    assert "Sent by Entra" not in admin.get(address(jane)).text


def test_an_address_that_a_directory_gives_to_somebody_else_is_called_out(
    admin: FlaskClient, session: Session, jane: User, entra: Integration
) -> None:
    row = add_request(session, entra, membership_no="E7", person="John Doe (E7)", email_key=jane.email_key, **REFUSED)
    page = admin.get(address(jane)).text
    assert "A directory sends this e-mail address for somebody else" in page
    assert "John Doe (E7)" in page
    assert f"/requests/{row.id}" in page


def test_many_requests_make_pages_of_the_timeline(
    admin: FlaskClient, session: Session, jane: User, entra: Integration
) -> None:
    for minutes in range(60):
        add_request(session, entra, user_id=jane.id, at=utcnow() - timedelta(minutes=minutes))
    page = admin.get(address(jane)).text
    assert page.count("Sent by Entra") == 2 * 40
    assert "before=" in page


def test_what_a_directory_sent_and_what_came_of_it_are_one_item(
    admin: FlaskClient, session: Session, jane: User, entra: Integration
) -> None:
    at = utcnow()
    record_event(
        session,
        Tag.USER_UPDATED,
        Actor(ActorKind.INTEGRATION, "Entra", entra.id),
        now=at,
        programme_id=jane.programme_id,
        user_id=jane.id,
        integration_id=entra.id,
        facts={"changes": []},
    )
    row = add_request(session, entra, user_id=jane.id, at=at)
    page = admin.get(address(jane)).text
    assert "Sent by Entra" not in page
    assert page.count(f"/requests/{row.id}") == 1
