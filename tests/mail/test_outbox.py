"""The outbox: written with its cause, claimed once, tried again with growing pauses, given up, or not needed."""

import smtplib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from rgapp.auth.users import user_of_link
from rgapp.extensions import db
from rgapp.mail import sender
from rgapp.mail.contexts import NotSent
from rgapp.mail.outbox import MailKind, put, resend_welcome
from rgapp.mail.sender import CLAIM_LASTS, LONGEST_PAUSE, SETTLE_PAUSES, TRIES, Delivery, deliver_due
from rgapp.mail.transport import FAREWELL_SECONDS, STEP_SECONDS, VERDICT_SECONDS
from rgapp.models import MailStatus, OutboxMail, User, UserLink
from rgapp.provisioning import deactivate
from tests.conftest import NOW
from tests.factories import Factory
from tests.provisioning.conftest import ACTOR


class Post:
    """A transport that keeps mails, or fails with `error`."""

    def __init__(self) -> None:
        self.sent: list[EmailMessage] = []
        self.error: Exception | None = None
        self.before: Callable[[], None] = lambda: None
        self.closed = 0

    def send(self, message: EmailMessage) -> None:
        """Take one mail."""
        self.before()
        if self.error:
            raise self.error
        self.sent.append(message)

    def close(self) -> None:
        """Count the ends of conversations."""
        self.closed += 1


@pytest.fixture
def post() -> Post:
    """Return a transport in memory."""
    return Post()


@pytest.fixture
def delivery(post: Post) -> Delivery:
    """Return a delivery through it."""
    return Delivery(post, "https://rewards.example", "rewards@rewards.example", wait=lambda seconds: None)


@pytest.fixture
def user(make: Factory) -> User:
    """Return a new user whose welcome e-mail waits."""
    made = make.user(make.programme("acme", name="Acme Rewards"), welcome_email=True, email="jane@acme.example")
    make.session.commit()
    return made


def only_mail(session: Session) -> OutboxMail:
    """Return the one mail in the outbox as it stands in the database."""
    return session.scalars(select(OutboxMail).execution_options(populate_existing=True)).one()


def test_a_mail_is_sent_once(session: Session, user: User, delivery: Delivery, post: Post) -> None:
    assert [deliver_due(session, delivery, now=NOW) for _ in range(3)] == [1, 0, 0]
    mail = only_mail(session)
    assert (mail.status, mail.sent_at, mail.tries, mail.last_error) == (MailStatus.SENT, NOW, 1, "")
    assert post.sent[0]["To"] == "jane@acme.example"
    assert post.sent[0]["Message-ID"] == f"<{mail.id}@rewards.example>"


def test_a_mail_that_is_not_due_waits(session: Session, user: User, delivery: Delivery) -> None:
    assert deliver_due(session, delivery, now=NOW - timedelta(seconds=1)) == 0


def test_a_mail_that_another_worker_claimed_is_left_to_it(
    session: Session, user: User, delivery: Delivery, post: Post, other_session: Callable[[], Any]
) -> None:
    def meanwhile() -> None:
        with other_session() as other:
            assert deliver_due(other, delivery, now=NOW) == 0

    post.before = meanwhile
    assert deliver_due(session, delivery, now=NOW) == 1
    assert len(post.sent) == 1


def test_a_claim_that_was_lost_between_look_and_claim_is_left_alone(
    session: Session, user: User, delivery: Delivery, post: Post, make: Factory
) -> None:
    second = make.user(make.programme(), welcome_email=True)
    session.commit()

    def settle_the_other() -> None:
        mails = session.scalars(select(OutboxMail).where(OutboxMail.user_id.in_((user.id, second.id))))
        for mail in mails:
            mail.status = MailStatus.SENT
        session.commit()

    post.before = settle_the_other
    assert deliver_due(session, delivery, now=NOW) == 1
    assert len(post.sent) == 1


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(),
        TimeoutError(),
        smtplib.SMTPServerDisconnected("gone"),
        smtplib.SMTPDataError(451, b"later"),
        smtplib.SMTPRecipientsRefused({"jane@acme.example": (450, b"busy")}),
    ],
)
def test_a_failure_that_may_pass_is_tried_again_after_a_pause(
    session: Session, user: User, delivery: Delivery, post: Post, error: Exception
) -> None:
    post.error = error
    assert deliver_due(session, delivery, now=NOW) == 0
    mail = only_mail(session)
    assert (mail.status, mail.due_at) == (MailStatus.WAITING, NOW + timedelta(seconds=20))
    assert mail.last_error.startswith(type(error).__name__)
    assert "jane" not in mail.last_error
    post.error = None
    assert deliver_due(session, delivery, now=mail.due_at) == 1


def test_pauses_grow_and_at_last_it_is_given_up(session: Session, user: User, delivery: Delivery, post: Post) -> None:
    post.error, now, pauses = ConnectionRefusedError(), NOW, []
    for _ in range(TRIES):
        deliver_due(session, delivery, now=now)
        due_at = only_mail(session).due_at
        pauses.append(due_at - now)
        now = due_at
    assert pauses[:3] == [timedelta(seconds=seconds) for seconds in (20, 40, 80)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE
    assert only_mail(session).status == MailStatus.FAILED
    assert deliver_due(session, delivery, now=now + LONGEST_PAUSE) == 0


def test_a_recipient_refused_for_good_is_not_tried_again(
    session: Session, user: User, delivery: Delivery, post: Post
) -> None:
    post.error = smtplib.SMTPRecipientsRefused({"jane@acme.example": (550, b"no such user")})
    deliver_due(session, delivery, now=NOW)
    assert only_mail(session).status == MailStatus.FAILED


def test_a_mail_that_cannot_be_composed_holds_up_no_other(
    session: Session,
    user: User,
    delivery: Delivery,
    post: Post,
    make: Factory,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    make.user(make.programme(), welcome_email=True, email="two@acme.example")
    session.commit()
    really_compose = sender.compose

    def compose(message: Any, **options: Any) -> EmailMessage:
        if options["recipient"] == "jane@acme.example":
            raise ValueError("a template is broken")
        return really_compose(message, **options)

    monkeypatch.setattr(sender, "compose", compose)
    assert deliver_due(session, delivery, now=NOW) == 1
    broken = session.scalars(select(OutboxMail).where(OutboxMail.user_id == user.id)).one()
    assert (broken.status, broken.last_error) == (MailStatus.WAITING, "ValueError")
    assert "could not be composed" in caplog.text


def test_a_worker_that_dies_after_the_claim_loses_nothing(
    session: Session, user: User, delivery: Delivery, post: Post
) -> None:
    def die() -> None:
        raise KeyboardInterrupt

    post.before = die
    with pytest.raises(KeyboardInterrupt):
        deliver_due(session, delivery, now=NOW)
    session.rollback()
    assert only_mail(session).status == MailStatus.SENDING
    post.before = lambda: None
    assert deliver_due(session, delivery, now=NOW + CLAIM_LASTS - timedelta(seconds=1)) == 0
    assert deliver_due(session, delivery, now=NOW + CLAIM_LASTS) == 1


def test_a_second_copy_after_a_crash_is_recognisable_as_one(
    session: Session, user: User, delivery: Delivery, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies between the server's answer and the commit."""
    really_send = post.send

    def send_and_die(message: EmailMessage) -> None:
        really_send(message)
        raise KeyboardInterrupt

    monkeypatch.setattr(post, "send", send_and_die)
    with pytest.raises(KeyboardInterrupt):
        deliver_due(session, delivery, now=NOW)
    session.rollback()
    monkeypatch.setattr(post, "send", really_send)
    deliver_due(session, delivery, now=NOW + CLAIM_LASTS)
    assert len(post.sent) == 2
    assert len({message["Message-ID"] for message in post.sent}) == 1


def test_what_came_of_a_mail_is_kept_although_the_database_restarts_at_that_moment(
    session: Session, user: User, delivery: Delivery, post: Post
) -> None:
    """Else the mail would be sent again, for nobody would know that the server took it."""
    away = [OperationalError("UPDATE", {}, ConnectionError("restarting")) for _ in range(len(SETTLE_PAUSES))]
    waited: list[float] = []

    def restart() -> None:
        event.listen(db.engine, "before_cursor_execute", fail)

    def fail(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("UPDATE outbox_mails") and away:
            raise away.pop()

    post.before = restart
    try:
        assert deliver_due(session, replace(delivery, wait=waited.append), now=NOW) == 1
    finally:
        event.remove(db.engine, "before_cursor_execute", fail)
    assert tuple(waited) == SETTLE_PAUSES
    assert only_mail(session).status == MailStatus.SENT
    assert timedelta(seconds=sum(SETTLE_PAUSES)) < CLAIM_LASTS / 2


def test_a_database_that_stays_away_ends_the_batch(
    session: Session, user: User, delivery: Delivery, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "SETTLE_PAUSES", ())
    really_commit, commits = session.commit, iter([True, True, True])

    def commit() -> None:
        if not next(commits, False):
            raise OperationalError("COMMIT", {}, ConnectionError("away"))
        really_commit()

    monkeypatch.setattr(session, "commit", commit)
    with pytest.raises(OperationalError):
        deliver_due(session, delivery, now=NOW)
    assert (len(post.sent), post.closed) == (1, 1)


def test_a_lapsed_claim_writes_nothing_over_the_newer_one(
    session: Session, user: User, delivery: Delivery, post: Post, other_session: Callable[[], Any]
) -> None:
    def too_slow() -> None:
        post.before, post.error = lambda: None, None
        with other_session() as other:
            assert deliver_due(other, delivery, now=NOW + CLAIM_LASTS) == 1
        post.error = TimeoutError()

    post.before = too_slow
    assert deliver_due(session, delivery, now=NOW) == 0
    session.expire_all()
    assert (only_mail(session).status, only_mail(session).tries) == (MailStatus.SENT, 2)


def test_a_mail_whose_every_worker_died_is_given_up(
    session: Session, user: User, delivery: Delivery, post: Post
) -> None:
    only_mail(session).tries = TRIES
    session.commit()
    assert deliver_due(session, delivery, now=NOW) == 0
    assert (only_mail(session).status, only_mail(session).last_error) == (MailStatus.FAILED, "never finished")
    assert post.sent == []


def test_a_batch_goes_on_until_nothing_is_due(
    session: Session, user: User, delivery: Delivery, post: Post, make: Factory
) -> None:
    programme = make.programme()
    for _ in range(4):
        make.user(programme, welcome_email=True)
    session.commit()
    assert deliver_due(session, delivery, now=NOW, limit=2) == 5
    assert post.closed == 1


def test_a_batch_ends_before_its_claims_could_lapse(
    session: Session, user: User, delivery: Delivery, post: Post, make: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.user(make.programme(), welcome_email=True)
    session.commit()
    monkeypatch.setattr(sender, "BATCH_SECONDS", 0.0)
    post.before = lambda: monkeypatch.setattr(sender, "BATCH_SECONDS", -1.0)
    monkeypatch.setattr(sender.time, "monotonic", lambda: 0.0)
    assert deliver_due(session, delivery, now=NOW) == 1
    slowest = STEP_SECONDS * 8 + VERDICT_SECONDS + FAREWELL_SECONDS
    assert timedelta(seconds=60 + slowest + sum(SETTLE_PAUSES)) < CLAIM_LASTS


def test_a_leaver_gets_no_welcome(session: Session, user: User, delivery: Delivery, post: Post) -> None:
    deactivate(session, user, ACTOR, now=NOW)
    session.commit()
    assert deliver_due(session, delivery, now=NOW) == 0
    assert (only_mail(session).status, only_mail(session).last_error) == (
        MailStatus.CANCELLED,
        NotSent.NOT_ACTIVE.value,
    )
    assert post.sent == []


def test_nobody_gets_a_mail_about_nobody(session: Session, make: Factory, delivery: Delivery) -> None:
    put(session, MailKind.WELCOME, "x@acme.example", programme_id=make.programme().id, once_key="x", now=NOW)
    session.commit()
    deliver_due(session, delivery, now=NOW)
    assert only_mail(session).last_error == NotSent.NO_PERSON.value


def test_a_second_mail_for_the_same_purpose_is_impossible(session: Session, make: Factory) -> None:
    first, second = make.programme(), make.programme()
    for programme in (first, second):
        assert put(session, MailKind.WELCOME, "x@acme.example", programme_id=programme.id, once_key="x", now=NOW)
    assert not put(session, MailKind.WELCOME, "y@acme.example", programme_id=first.id, once_key="x", now=NOW)
    recipients = session.scalars(select(OutboxMail.recipient)).all()
    assert recipients == ["x@acme.example", "x@acme.example"]


def test_a_welcome_can_be_asked_for_again(session: Session, user: User, delivery: Delivery, post: Post) -> None:
    deliver_due(session, delivery, now=NOW)
    later = NOW + timedelta(hours=1)
    resend_welcome(session, user.programme_id, user.id, "jane@acme.example", now=later)
    session.commit()
    assert deliver_due(session, delivery, now=later) == 1


def test_a_password_is_mentioned_only_where_the_programme_has_one(
    session: Session, user: User, make: Factory, delivery: Delivery, post: Post
) -> None:
    deliver_due(session, delivery, now=NOW)
    assert "password" not in post.sent[0].as_string().lower()
    programme = make.programme("globex", password_sign_in=True)
    other = make.user(programme, welcome_email=True)
    session.commit()
    deliver_due(session, delivery, now=NOW)
    body = post.sent[1].get_body(("plain",))
    assert body is not None
    token = body.get_content().split(f"/p/{programme.slug}/password/")[1].split()[0]
    assert user_of_link(session, programme, token, now=NOW) is other
    assert session.scalars(select(UserLink)).one().token_hash != token
