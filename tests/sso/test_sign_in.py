"""The front door over HTTP: first sign-in, next sign-in, deep links, refusals, and what they leave behind."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rgapp.audit import Tag
from rgapp.audit.service import COMMAND_LINE
from rgapp.auth.staff import open_session as open_staff_session
from rgapp.clock import utcnow
from rgapp.demo.responses import parse_authn_request
from rgapp.models import AuditEvent, OutboxMail, SAMLRequest, SignInAttempt, User, UserSession
from rgapp.provisioning import deactivate
from tests.factories import Factory
from tests.sso.conftest import Door


def users(session: Session) -> list[User]:
    """Return every account, oldest first."""
    return list(session.scalars(select(User).order_by(User.id)))


def count(session: Session, model: type) -> int:
    """Return how many rows a table has."""
    return session.scalar(select(func.count()).select_from(model)) or 0


def last_attempt(session: Session) -> SignInAttempt:
    """Return the newest sign-in attempt."""
    return session.scalars(select(SignInAttempt).order_by(SignInAttempt.id.desc())).first()


def test_the_first_sign_in_creates_the_account_with_one_event_and_one_mail(
    door: Door, client: FlaskClient, session: Session
) -> None:
    answer = door.sign_in(client)
    assert (answer.status_code, answer.location) == (303, "/p/acme/")
    (user,) = users(session)
    assert (user.membership_no, user.email, user.first_name) == ("E1001", "Jane.Carter@acme.example", "Jane")
    assert (user.date_of_birth, user.source, user.incomplete) == (date(1990, 4, 3), "inbound-saml", False)
    events = list(session.scalars(select(AuditEvent).where(AuditEvent.user_id == user.id)))
    assert [event.tag for event in events] == [Tag.USER_CREATED]
    (mail,) = session.scalars(select(OutboxMail))
    assert (mail.kind, mail.recipient, mail.user_id) == ("welcome", "Jane.Carter@acme.example", user.id)
    page = client.get("/p/acme/")
    assert page.status_code == 200
    assert "Welcome, Jane" in page.text
    assert "3 April 1990" in page.text


def test_the_next_sign_in_just_signs_in(door: Door, client: FlaskClient, session: Session) -> None:
    door.sign_in(client)
    answer = door.sign_in(client)
    assert answer.status_code == 303
    assert len(users(session)) == 1
    assert count(session, OutboxMail) == 1
    assert last_attempt(session).outcome == "unchanged"


def test_a_deep_link_comes_back_to_where_she_wanted_to_go(door: Door, client: FlaskClient) -> None:
    wall = client.get("/p/acme/details?tab=1")
    assert wall.location == "/p/acme/login?next=/p/acme/details?tab%3D1"
    page = client.get(wall.location)
    assert "next=/p/acme/details?tab%3D1" in page.text
    assert door.sign_in(client, "/p/acme/details?tab=1").location == "/p/acme/details?tab=1"


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/p/other/",
        "/manager/",
        "/p/acme/../x",
        "javascript:1",
    ],
)
def test_a_foreign_target_leads_home(door: Door, client: FlaskClient, wanted: str) -> None:
    assert door.sign_in(client, wanted).location == "/p/acme/"


def test_an_answer_without_any_session_cookie_is_taken(door: Door, client: FlaskClient) -> None:
    """Browsers do not send SameSite=Lax cookies with the identity provider's cross-site POST."""
    request_id, relay_state = door.start(client)
    client.delete_cookie("rg_form")
    assert door.post(client, door.response(request_id), relay_state).status_code == 303


def test_an_answer_in_another_browser_is_refused(door: Door, client: FlaskClient, app: Any, session: Session) -> None:
    """Login CSRF: an attacker's answer must not sign the victim's browser in as the attacker."""
    request_id, relay_state = door.start(client)
    answer = door.post(app.test_client(), door.response(request_id), relay_state)
    assert answer.status_code == 403
    assert last_attempt(session).reason == "other_browser"
    assert users(session) == []
    assert door.post(client, door.response(request_id), relay_state).status_code == 303


def test_two_tabs_can_sign_in_at_once(door: Door, client: FlaskClient) -> None:
    first, second = door.start(client), door.start(client)
    assert door.post(client, door.response(first[0]), first[1]).status_code == 303
    assert door.post(client, door.response(second[0]), second[1]).status_code == 303


def test_a_replay_is_refused(door: Door, client: FlaskClient, session: Session) -> None:
    request_id, relay_state = door.start(client)
    response = door.response(request_id)
    assert door.post(client, response, relay_state).status_code == 303
    assert door.post(client, response, relay_state).status_code == 403
    assert last_attempt(session).accepted is False


def test_an_unsolicited_replay_is_refused(
    make_door: Callable[..., Door], client: FlaskClient, session: Session
) -> None:
    door = make_door(idp_initiated=True)
    response = door.response(None)
    assert door.post(client, response).status_code == 303
    assert door.post(client, response).status_code == 403
    assert last_attempt(session).reason == "replayed"


def test_idp_initiated_sign_in_works_where_it_is_on_with_a_deep_link(
    make_door: Callable[..., Door], client: FlaskClient
) -> None:
    door = make_door(idp_initiated=True)
    assert door.post(client, door.response(None), "/p/acme/details").location == "/p/acme/details"
    deep = "http://127.0.0.1:8000/p/acme/details"
    assert door.post(client, door.response(None), deep).location == "/p/acme/details"
    assert door.post(client, door.response(None), "https://evil.example/").location == "/p/acme/"


def test_idp_initiated_sign_in_is_refused_where_it_is_off(door: Door, client: FlaskClient, session: Session) -> None:
    assert door.post(client, door.response(None)).status_code == 403
    assert last_attempt(session).reason == "protocol:idp_initiated_off"
    assert users(session) == []


def test_an_unsolicited_answer_with_the_relay_state_of_an_open_request_is_refused(
    make_door: Callable[..., Door], client: FlaskClient, session: Session
) -> None:
    door = make_door(idp_initiated=True)
    _, relay_state = door.start(client)
    assert door.post(client, door.response(None), relay_state).status_code == 403
    assert last_attempt(session).reason == "protocol:in_response_to_missing"


def test_an_answer_to_an_expired_request_is_refused(door: Door, client: FlaskClient, session: Session) -> None:
    request_id, relay_state = door.start(client)
    session.query(SAMLRequest).update({"expires_at": utcnow() - timedelta(seconds=1)})
    assert door.post(client, door.response(request_id), relay_state).status_code == 403
    assert users(session) == []


def test_an_answer_for_another_programme_is_refused(
    make_door: Callable[..., Door], make: Factory, client: FlaskClient, session: Session
) -> None:
    ours, theirs = make_door(), make_door(make.programme("globex"))
    request_id, relay_state = theirs.start(client)
    assert theirs.post(client, ours.response(request_id), relay_state).status_code == 403
    assert last_attempt(session).reason in {"protocol:audience", "protocol:destination", "protocol:recipient"}
    assert users(session) == []


MISSING_MAIL = "Your company has not sent us your e-mail address, so we cannot open your account yet."


def test_a_missing_email_refuses_with_one_calm_sentence_and_a_reference(
    door: Door, client: FlaskClient, session: Session
) -> None:
    answer = door.sign_in(client, mail=None, emailAddress=["jane@acme.example"])
    attempt = last_attempt(session)
    assert answer.status_code == 403
    assert MISSING_MAIL in answer.text
    assert attempt.reference in answer.text
    assert "Acme People Team" in answer.text
    assert "emailAddress" not in answer.text
    email = next(entry for entry in attempt.fields if entry["field"] == "email")
    assert (email["looked_for"], email["state"], email["suggestion"]) == ("mail", "missing", "emailAddress")
    assert "emailAddress" in attempt.arrived
    assert (users(session), count(session, OutboxMail), count(session, UserSession)) == ([], 0, 0)


@pytest.mark.parametrize(
    ("change", "gap"),
    [
        ({"birthDate": None}, {"date_of_birth": "missing"}),
        ({"birthDate": ["31/02/1990"]}, {"date_of_birth": "impossible_date"}),
        ({"givenName": ["J4ne"]}, {"first_name": "bad_characters"}),
        ({"sn": ["Carter", "Jones"]}, {"last_name": "ambiguous"}),
    ],
)
def test_a_missing_or_unreadable_recommended_field_never_locks_out(
    door: Door, client: FlaskClient, session: Session, change: dict[str, Any], gap: dict[str, str]
) -> None:
    assert door.sign_in(client, **change).status_code == 303
    (user,) = users(session)
    assert (user.gaps, user.incomplete) == (gap, True)


def test_an_ambiguous_membership_no_is_refused(door: Door, client: FlaskClient, session: Session) -> None:
    assert door.sign_in(client, employeeNumber=["E1001", "E1002"]).status_code == 403
    assert users(session) == []


def test_an_email_of_another_membership_no_is_refused_and_named_to_hr_only(
    door: Door, client: FlaskClient, make: Factory, session: Session
) -> None:
    other = make.user(door.programme, membership_no="E2002", email="jane.carter@ACME.example", last_name="Holder")
    answer = door.sign_in(client)
    attempt = last_attempt(session)
    assert answer.status_code == 403
    assert "Holder" not in answer.text
    assert attempt.reason == "email_conflict"
    assert attempt.facts["conflict_user_id"] == str(other.id)
    assert [user.email for user in users(session)] == ["jane.carter@ACME.example"]


def test_a_good_sign_in_keeps_no_date_of_birth(door: Door, client: FlaskClient, session: Session) -> None:
    door.sign_in(client)
    kept = {entry["field"]: (entry["state"], entry["value"], entry["raw"]) for entry in last_attempt(session).fields}
    assert kept["date_of_birth"] == ("ok", None, [])
    assert kept["membership_no"] == ("ok", "E1001", ["E1001"])


def test_a_contradicting_date_of_birth_is_refused(
    door: Door, client: FlaskClient, make: Factory, session: Session
) -> None:
    make.user(door.programme, membership_no="E1001", email="jane.carter@acme.example", date_of_birth="1991-04-03")
    assert door.sign_in(client).status_code == 403
    assert last_attempt(session).reason == "birth_date_conflict"


def test_a_leaver_is_refused_and_not_revived(door: Door, client: FlaskClient, session: Session) -> None:
    door.sign_in(client)
    (user,) = users(session)
    deactivate(session, user, COMMAND_LINE, now=utcnow())
    assert client.get("/p/acme/").status_code == 302
    assert door.sign_in(client).status_code == 403
    assert last_attempt(session).reason == "leaver"
    assert users(session)[0].status == "leaver"


def test_without_jit_nobody_new_gets_in_but_who_is_there_does(
    make_door: Callable[..., Door], client: FlaskClient, make: Factory, session: Session
) -> None:
    door = make_door(jit={"create": False, "update": False, "welcome_email": True})
    assert door.sign_in(client).status_code == 403
    assert last_attempt(session).reason == "no_account"
    make.user(door.programme, membership_no="E1001", email="jane.carter@acme.example")
    assert door.sign_in(client).status_code == 303


def test_update_on_sign_in_changes_details_and_says_so(
    make_door: Callable[..., Door], client: FlaskClient, session: Session
) -> None:
    door = make_door(jit={"create": True, "update": True, "welcome_email": False})
    door.sign_in(client)
    door.sign_in(client, sn=["Carter-Jones"])
    assert users(session)[0].last_name == "Carter-Jones"
    assert last_attempt(session).outcome == "updated"
    assert count(session, OutboxMail) == 0


def test_without_update_on_sign_in_details_stay(door: Door, client: FlaskClient, session: Session) -> None:
    door.sign_in(client)
    door.sign_in(client, sn=["Carter-Jones"])
    assert users(session)[0].last_name == "Carter"


def test_a_connection_that_is_not_published_lets_nobody_in(
    make_door: Callable[..., Door], client: FlaskClient, session: Session
) -> None:
    door = make_door(published=False)
    assert client.get(f"{door.root}/login").status_code == 403
    assert door.post(client, door.response(None)).status_code == 403
    assert last_attempt(session).reason == "not_live"
    assert "Sign in with" not in client.get("/p/acme/login").text


def test_an_unknown_connection_does_not_exist(client: FlaskClient, session: Session) -> None:
    for path in ("login", "acs", "metadata", "test"):
        assert client.get(f"/sso/nobody-knows-this/{path}").status_code == 404
    assert client.post("/sso/nobody-knows-this/acs").status_code == 404


def test_a_missing_parameter_is_refused_with_its_own_reason(door: Door, client: FlaskClient, session: Session) -> None:
    assert client.post(f"{door.root}/acs", data={"Wrong": "x"}).status_code == 403
    assert last_attempt(session).reason == "protocol:parameter_missing"


def test_signing_out_ends_the_session(door: Door, client: FlaskClient, session: Session) -> None:
    door.sign_in(client)
    client.application.config["WTF_CSRF_ENABLED"] = False
    answer = client.post("/p/acme/logout")
    assert answer.location == "/p/acme/signed-out"
    assert client.get(answer.location).status_code == 200
    assert client.get("/p/acme/").status_code == 302
    assert count(session, UserSession) == 0


def test_a_session_of_one_programme_opens_no_other(
    make_door: Callable[..., Door], make: Factory, client: FlaskClient
) -> None:
    door = make_door()
    make.programme("globex")
    door.sign_in(client)
    assert client.get("/p/acme/").status_code == 200
    assert client.get("/p/globex/").status_code == 302
    cookie = client.get_cookie("rg_user_acme")
    assert cookie is not None
    client.set_cookie("rg_user_globex", cookie.value)
    assert client.get("/p/globex/").status_code == 302


def test_a_test_sign_in_writes_no_user_and_sends_no_mail(
    make_door: Callable[..., Door], make: Factory, client: FlaskClient, session: Session
) -> None:
    door = make_door(published=False)
    assert client.get(f"{door.root}/test").status_code == 404
    token = open_staff_session(session, make.staff(door.programme), user_agent="a test", now=utcnow())
    client.set_cookie("rg_staff", token)
    started = client.get(f"{door.root}/test")
    assert started.status_code == 302
    query = urlsplit(started.location).query
    answer = door.post(client, door.response(parse_authn_request(query).id), parse_qs(query)["RelayState"][0])
    attempt = last_attempt(session)
    assert answer.status_code == 303
    assert attempt.reference in answer.location
    assert (attempt.purpose, attempt.accepted, attempt.outcome) == ("test", True, "created")
    assert (users(session), count(session, OutboxMail), count(session, UserSession)) == ([], 0, 0)


def test_names_of_parameters_that_are_no_text_are_refused_like_others(
    door: Door, client: FlaskClient, session: Session
) -> None:
    """They are stored with the attempt, to say which parameter came in the place of the right one."""
    kind = "application/x-www-form-urlencoded"
    answer = client.post(f"{door.root}/acs", data=b"%ED%A0%80%FF=1&%F0%9F%98%80=2", content_type=kind)
    assert answer.status_code == 403
    assert last_attempt(session).reason == "protocol:parameter_missing"
