"""Activity, settings and mail of a programme."""

import re
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from rgapp import programmes
from rgapp.audit import Tag, record_event
from rgapp.audit.service import COMMAND_LINE, SYSTEM
from rgapp.clock import utcnow
from rgapp.integrations import service
from rgapp.mail.outbox import MailKind
from rgapp.models import AuditEvent, MailStatus, OutboxMail, User, UserLink, UserStatus
from rgapp.wording_events import EventGroup, actor_words, browser_words, event_words, gap_words, tags_of
from tests.factories import Factory
from tests.staff_client import counted_queries
from tests.users.attempts import add_attempt
from tests.users.conftest import Platform

SETTINGS = {
    "name": "Acme Rewards",
    "contact_name": "Priya in HR",
    "contact_email": "hr@acme.example",
    "region": "us",
    "timezone": "America/New_York",
    "colour": "teal",
    "password_sign_in": "y",
    "guard_percent": "20",
    "guard_people": "3",
    "guard_second_person": "y",
}


@pytest.fixture
def mail(make: Factory, session: Session, platform: Platform) -> OutboxMail:
    """Return the welcome e-mail of a new person of Acme."""
    make.user(platform.acme, first_name="Jane", last_name="Carter", email="jane@acme.example", welcome_email=True)
    return session.scalars(select(OutboxMail)).one()


def titles_in(page: str) -> list[str]:
    """Return the titles of the timeline."""
    found = re.findall(r'class="timeline-title">(.*?)\s*<time', page)
    return [re.sub("<[^>]+>", "", title) for title in found]


# Activity


def test_activity_tells_what_happened_and_who_did_it(
    admin: FlaskClient, make: Factory, session: Session, platform: Platform
) -> None:
    user = make.user(platform.acme, first_name="Jane", last_name="Carter")
    integration = make.integration(platform.acme, {}, published=False)
    service.save_draft(session, integration, actor=COMMAND_LINE, now=utcnow(), mapping={})
    programmes.update(session, platform.acme, actor=COMMAND_LINE, now=utcnow(), timezone="Europe/Rome")
    page = admin.get("/manager/acme/activity").text
    assert titles_in(page) == [
        "Settings of the programme changed",
        "Draft of Okta saved",
        "Integration Okta added",
        "Account of Jane Carter created",
        "Access to this programme granted",
        "Programme created",
    ]
    assert "<del>Europe/London</del>" in page
    assert f"/users/acme/{user.id}" in page
    assert f"/manager/acme/integrations/{integration.id}/" in page
    assert "From the command line" in page


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("kind=people", ["Account of Jane Carter created"]),
        ("kind=integrations", ["Integration Okta added"]),
        ("kind=programme", ["Access to this programme granted", "Programme created"]),
        ("kind=nonsense&by=nonsense&person=nonsense", None),
    ],
)
def test_activity_is_filtered_by_kind(
    admin: FlaskClient, make: Factory, platform: Platform, query: str, titles: list[str] | None
) -> None:
    make.user(platform.acme, first_name="Jane", last_name="Carter")
    make.integration(platform.acme, {}, published=False)
    found = titles_in(admin.get(f"/manager/acme/activity?{query}").text)
    assert found == titles if titles is not None else len(found) == 4


def test_activity_is_filtered_by_who_did_it_and_by_whom_it_is_about(
    admin: FlaskClient, make: Factory, platform: Platform
) -> None:
    user = make.user(platform.acme, first_name="Jane", last_name="Carter")
    make.user(platform.acme)
    admin.post(f"/users/acme/{user.id}/deactivate")
    assert titles_in(admin.get(f"/manager/acme/activity?by={platform.admin.id}").text) == [
        "Account of Jane Carter deactivated"
    ]
    page = admin.get(f"/manager/acme/activity?person={user.id}").text
    assert titles_in(page) == ["Account of Jane Carter deactivated", "Account of Jane Carter created"]
    assert "Show everybody" in page
    assert "No event fits this choice." in admin.get(f"/manager/acme/activity?by={platform.support.id}").text


def test_a_reference_code_leads_to_its_sign_in_however_it_is_typed(
    admin: FlaskClient, stranger: FlaskClient, make: Factory, session: Session, platform: Platform
) -> None:
    integration = make.integration(platform.acme, {}, published=False)
    add_attempt(session, integration, reference="K7QD-2MXW", reason="leaver")
    address = f"/manager/acme/integrations/{integration.id}/attempts/K7QD-2MXW"
    for typed in ("K7QD-2MXW", "k7qd2mxw", " K7QD 2MXW "):
        assert admin.get("/manager/acme/activity", query_string={"reference": typed}).location == address
    for typed in ("K7QD-2MXX", "nonsense", "K7QD-2MX0"):
        page = admin.get("/manager/acme/activity", query_string={"reference": typed}).text
        assert f"No sign-in has the code {typed}" in page
    foreign = stranger.get("/manager/other/activity?reference=K7QD-2MXW")
    assert "No sign-in has the code" in foreign.text


def test_activity_costs_the_same_number_of_queries_for_5_and_for_50_events(
    admin: FlaskClient, make: Factory, platform: Platform
) -> None:
    counts = []
    for more in (5, 45):
        for _ in range(more):
            make.user(platform.acme)
        with counted_queries() as run:
            admin.get("/manager/acme/activity")
        counts.append(len(run))
    assert counts[0] == counts[1]


def test_activity_pages_through_everything_once(admin: FlaskClient, make: Factory, platform: Platform) -> None:
    for _ in range(58):
        make.user(platform.acme)
    first = admin.get("/manager/acme/activity").text
    following = re.search(r'rel="next" href="([^"]+)"', first)
    assert following is not None
    second = admin.get(following[1].replace("&amp;", "&")).text
    assert (len(titles_in(first)), len(titles_in(second))) == (50, 10)
    assert 'rel="prev"' in second
    assert 'rel="next"' not in second


@pytest.mark.parametrize("tag", list(Tag))
def test_every_kind_of_event_has_its_words(tag: Tag) -> None:
    words = event_words(tag, {}, person="Jane")
    assert words.title[0].isupper()
    assert "{" not in words.title
    assert sum(tag in tags_of(group) for group in EventGroup) == 1


def test_an_event_of_a_later_version_shows_as_it_is() -> None:
    assert event_words("feed:gone-silent", {}).title == "Feed gone silent"


@pytest.mark.parametrize(
    ("tag", "facts", "detail"),
    [
        (Tag.USER_CREATED, {"missing": {"date_of_birth": "x"}, "welcome": True}, "Without Date of birth. A welcome"),
        (Tag.USER_CREATED, {"welcome": False}, "No welcome e-mail."),
        (Tag.USER_SESSIONS_ENDED, {"sessions": 2}, "2 sessions ended."),
        (Tag.INTEGRATION_PUBLISHED, {"version": 3, "tested": False}, "Version 3, without a test."),
        (Tag.INTEGRATION_RESTORED, {"version": 2}, "Version 2."),
        (Tag.STAFF_GRANTED, {"email": "a@b.example"}, "a@b.example"),
        (Tag.USERS_EXPORTED, {"filters": "status active"}, "Filters: status active."),
    ],
)
def test_the_details_of_an_event_are_said(tag: Tag, facts: dict[str, Any], detail: str) -> None:
    assert event_words(tag, facts).detail.startswith(detail)


def test_who_did_it_is_named_as_people_would() -> None:
    assert actor_words("staff", "Ada") == "By Ada"
    assert actor_words("integration", "Okta") == "By the integration Okta"
    assert actor_words(SYSTEM.kind, SYSTEM.label) == "Automatically"
    assert actor_words("user", "Jane") == "By the person"
    assert gap_words("nonsense") == "It was not given."


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64) Chrome/126.0 Safari/537.36 Edg/126.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Linux; Android 14) Chrome/126.0 Mobile Safari/537.36", "Chrome on Android"),
        ("curl/8.0", "Unknown browser"),
        ("", "Unknown browser"),
    ],
)
def test_browsers_are_named_roughly(agent: str, words: str) -> None:
    assert browser_words(agent) == words


# Settings


def test_settings_are_saved_with_their_event(admin: FlaskClient, session: Session, platform: Platform) -> None:
    answer = admin.post("/manager/acme/settings", data=SETTINGS, follow_redirects=True)
    assert "Saved." in answer.text
    acme = platform.acme
    assert (acme.region, acme.timezone, acme.colour) == ("us", "America/New_York", "teal")
    assert (acme.password_sign_in, acme.guard_percent, acme.guard_people) == (True, 20, 3)
    assert acme.guard_second_person
    event = session.scalars(select(AuditEvent).where(AuditEvent.tag == Tag.PROGRAMME_UPDATED)).one()
    assert event.actor_label == "Ada Admin"
    again = admin.post("/manager/acme/settings", data=SETTINGS, follow_redirects=True)
    assert "Nothing was different" in again.text


def test_every_wrong_setting_is_said_at_once_and_nothing_is_saved(admin: FlaskClient, platform: Platform) -> None:
    typed = SETTINGS | {
        "name": "",
        "contact_name": "x" * 101,
        "contact_email": "hr",
        "region": "moon",
        "timezone": "Mars/Olympus",
        "colour": "pink",
        "guard_percent": "0",
        "guard_people": "many",
    }
    answer = admin.post("/manager/acme/settings", data=typed)
    assert answer.status_code == 422
    assert "8 things need another look" in answer.text
    assert 'value="hr"' in answer.text
    assert platform.acme.guard_people == 5
    assert platform.acme.timezone == "Europe/London"


def test_support_reads_the_settings_and_cannot_save_them(support: FlaskClient, platform: Platform) -> None:
    page = support.get("/manager/acme/settings").text
    assert "10 % of active users and 5 people" in page
    assert 'name="guard_percent"' not in page
    assert support.post("/manager/acme/settings", data=SETTINGS).status_code == 403
    assert platform.acme.region == "international"


def test_who_has_access_is_listed(admin: FlaskClient) -> None:
    page = admin.get("/manager/acme/settings").text
    assert "Ada Admin" in page
    assert "Olaf Other" not in page
    assert "operators can change it" in page


# Mail


def test_mails_are_listed_with_where_they_stand(admin: FlaskClient, session: Session, mail: OutboxMail) -> None:
    mail.status, mail.tries, mail.last_error = MailStatus.FAILED, 12, "SMTPServerDisconnected"
    page = admin.get("/manager/acme/mail").text
    for words in ("jane@acme.example", "Welcome", "Failed", "SMTPServerDisconnected", "Not sent"):
        assert words in page
    assert "jane@acme.example" in admin.get("/manager/acme/mail?status=failed").text
    assert "jane@acme.example" not in admin.get("/manager/acme/mail?status=sent").text
    assert "jane@acme.example" in admin.get("/manager/acme/mail?status=nonsense").text


def test_one_mail_is_shown_as_text_and_in_a_frame(admin: FlaskClient, mail: OutboxMail) -> None:
    page = admin.get(f"/manager/acme/mail/{mail.id}").text
    assert "Welcome, Jane." in page
    assert f'src="/manager/acme/mail/{mail.id}/html"' in page
    assert "Waiting" in page


def test_the_html_of_a_mail_runs_nothing_and_loads_nothing(admin: FlaskClient, mail: OutboxMail) -> None:
    for path in (f"/manager/acme/mail/{mail.id}/html", "/manager/acme/mail/preview/welcome/html"):
        answer = admin.get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert answer.status_code == 200
        for part in ("default-src 'none'", "style-src 'unsafe-inline'", "frame-ancestors 'self'", "sandbox"):
            assert part in policy
        assert "script-src" not in policy
        assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
        assert "<script" not in answer.text


def test_looking_at_a_mail_makes_no_link_that_works(
    admin: FlaskClient, session: Session, platform: Platform, mail: OutboxMail
) -> None:
    platform.acme.password_sign_in = True
    page = admin.get(f"/manager/acme/mail/{mail.id}").text
    assert "/p/acme/password/shown-in-the-mail-only" in page
    assert session.query(UserLink).count() == 0


def test_a_mail_that_would_not_be_sent_says_why(admin: FlaskClient, session: Session, mail: OutboxMail) -> None:
    session.query(User).one().status = UserStatus.LEAVER
    page = admin.get(f"/manager/acme/mail/{mail.id}").text
    assert "because the person has left" in page
    assert admin.get(f"/manager/acme/mail/{mail.id}/html").status_code == 404


@pytest.mark.parametrize("demo", [True, False])
def test_the_demo_alone_shows_the_delivered_copy(app: Flask, admin: FlaskClient, mail: OutboxMail, demo: bool) -> None:
    app.config["DEMO"] = demo
    delivered = EmailMessage()
    delivered["Subject"] = "As it was delivered"
    delivered.set_content("http://127.0.0.1/p/acme/password/a-token-that-works")
    delivered.add_alternative("<p>As it was delivered</p>", subtype="html")
    folder = Path(app.config["MAIL_FOLDER"])
    folder.mkdir(parents=True)
    (folder / f"{mail.id}.eml").write_bytes(delivered.as_bytes())
    page = admin.get(f"/manager/acme/mail/{mail.id}").text
    assert ("a-token-that-works" in page) is demo
    assert ("<p>As it was delivered</p>" in admin.get(f"/manager/acme/mail/{mail.id}/html").text) is demo
    assert ("Demo mailbox" in admin.get("/manager/acme/mail").text) is demo


@pytest.mark.parametrize("kind", list(MailKind))
@pytest.mark.parametrize("passwords", [True, False])
def test_every_kind_of_mail_has_a_preview(
    admin: FlaskClient, platform: Platform, kind: MailKind, passwords: bool
) -> None:
    platform.acme.password_sign_in = passwords
    page = admin.get(f"/manager/acme/mail/preview/{kind.value}")
    assert page.status_code == 200
    assert "Acme Rewards" in page.text
    html = admin.get(f"/manager/acme/mail/preview/{kind.value}/html")
    assert html.status_code == 200
    if kind is MailKind.WELCOME:
        assert ("password" in html.text.lower()) is passwords


def test_a_preview_of_an_unknown_kind_is_not_there(admin: FlaskClient) -> None:
    assert admin.get("/manager/acme/mail/preview/nonsense").status_code == 404


# Walls


@pytest.mark.parametrize(
    "path",
    [
        "activity",
        "settings",
        "mail",
        "mail/{mail}",
        "mail/{mail}/html",
        "mail/preview/welcome",
        "mail/preview/welcome/html",
    ],
)
def test_another_programmes_pages_look_like_no_programme(
    admin: FlaskClient, stranger: FlaskClient, support: FlaskClient, mail: OutboxMail, path: str
) -> None:
    here = path.format(mail=mail.id)
    assert admin.get(f"/manager/acme/{here}").status_code == 200
    assert support.get(f"/manager/acme/{here}").status_code == 200
    foreign = stranger.get(f"/manager/acme/{here}")
    missing = stranger.get(f"/manager/no-such-programme/{here}")
    assert foreign.status_code == missing.status_code == 404
    assert foreign.text == missing.text


def test_a_mail_of_another_programme_is_not_found_under_ones_own(stranger: FlaskClient, mail: OutboxMail) -> None:
    foreign = stranger.get(f"/manager/other/mail/{mail.id}")
    missing = stranger.get("/manager/other/mail/0190a000-0000-7000-8000-000000000000")
    assert foreign.status_code == missing.status_code == 404
    assert foreign.text == missing.text


def test_settings_of_another_programme_are_not_saved(stranger: FlaskClient, platform: Platform) -> None:
    assert stranger.post("/manager/acme/settings", data=SETTINGS).status_code == 404
    assert platform.acme.region == "international"


@pytest.mark.parametrize("path", ["activity", "settings", "mail", "mail/preview/welcome"])
def test_these_pages_ask_to_sign_in(client: FlaskClient, platform: Platform, path: str) -> None:
    answer = client.get(f"/manager/acme/{path}")
    assert answer.location == f"/manager/login?next=/manager/acme/{path}"


def test_events_of_the_platform_belong_to_no_programme(
    admin: FlaskClient, session: Session, platform: Platform
) -> None:
    record_event(session, Tag.STAFF_SIGNED_IN, COMMAND_LINE, now=utcnow(), programme_id=None)
    assert "Signed in to Reward Manager" not in admin.get("/manager/acme/activity").text
