"""The Huey queue of one application: SQLite by default, PostgreSQL or Redis by its address."""

import logging
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, current_app
from huey import Huey, MemoryHuey, PostgresHuey, RedisHuey, SqliteHuey, crontab
from sqlalchemy import event
from sqlalchemy.orm import Session

from rgapp.clock import utcnow
from rgapp.extensions import db
from rgapp.jobs import tasks
from rgapp.jobs.certificates import certificate_alerts
from rgapp.mail.outbox import WAITING_MAIL

logger = logging.getLogger(__name__)
NAME = "rgapp"


def init_app(app: Flask) -> None:
    """Make the queue, register the tasks, and wake the mailer whenever a transaction put mail into the outbox."""
    huey = make_queue(app.config["QUEUE_URL"], immediate=app.config["TESTING"])
    app.extensions["queue"] = huey
    register(app, huey)


def make_queue(url: str, *, immediate: bool = False) -> Huey:
    """Return the queue that lives at this address: `sqlite:///path`, `postgresql://…`, `redis://…` or `memory:`."""
    scheme = urlsplit(url).scheme.partition("+")[0]
    options: dict[str, Any] = {"results": False, "store_none": False}
    if immediate or scheme == "memory":
        return MemoryHuey(NAME, **options)
    if scheme == "sqlite":
        return SqliteHuey(NAME, filename=url.removeprefix("sqlite:///"), fsync=False, **options)
    if scheme in {"postgres", "postgresql"}:
        return PostgresHuey(NAME, dsn=url.replace("postgresql+psycopg://", "postgresql://"), **options)
    if scheme in {"redis", "rediss", "unix"}:
        return RedisHuey(NAME, url=url, **options)
    raise ValueError(f"RGAPP_QUEUE_URL names no queue we know: {scheme!r}")


def register(app: Flask, huey: Huey) -> None:
    """Register the tasks and their schedules."""

    @huey.task(retries=0, name="send_mails")
    def send_mails() -> None:
        with app.app_context():
            tasks.send_mails(app, db.session(), now=utcnow())

    @huey.periodic_task(crontab(minute="*"), name="send_mails_each_minute")
    def send_mails_each_minute() -> None:
        with app.app_context():
            tasks.send_mails(app, db.session(), now=utcnow())

    @huey.periodic_task(crontab(minute="17"), name="delete_expired")
    def delete_expired() -> None:
        with app.app_context():
            tasks.delete_expired(db.session(), now=utcnow())

    @huey.periodic_task(crontab(minute="41", hour="3"), name="refresh_metadata")
    def refresh() -> None:
        with app.app_context():
            tasks.follow_metadata(app, db.session(), now=utcnow())

    @huey.periodic_task(crontab(minute="23", hour="5"), name="certificate_alerts")
    def alert() -> None:
        with app.app_context():
            certificate_alerts(db.session(), base_url=app.config["BASE_URL"], now=utcnow())

    app.extensions["send_mails"] = send_mails


@event.listens_for(Session, "after_commit")
def _wake_mailer(session: Session) -> None:
    """Ask for a delivery once mail is really in the outbox.

    Where the queue cannot be reached the mail is not lost: the delivery of each minute finds it.
    """
    if not session.info.pop(WAITING_MAIL, False) or not current_app or current_app.config["TESTING"]:
        return
    try:
        current_app.extensions["send_mails"]()
    except Exception:
        logger.exception("the mailer could not be woken; the delivery of each minute will send")


@event.listens_for(Session, "after_rollback")
def _forget_mail(session: Session) -> None:
    session.info.pop(WAITING_MAIL, None)
