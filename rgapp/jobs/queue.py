"""The Huey queue of one application: SQLite by default, PostgreSQL or Redis by its address."""

import logging
import uuid
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, current_app
from huey import Huey, MemoryHuey, crontab
from sqlalchemy import event
from sqlalchemy.orm import Session

from rgapp.clock import utcnow
from rgapp.database import reading
from rgapp.extensions import db, shared_counters
from rgapp.integrations.sync import runs
from rgapp.integrations.sync.runs import WAITING_RUN
from rgapp.jobs import pulls, sync, tasks
from rgapp.jobs.certificates import certificate_alerts
from rgapp.jobs.silence import silence_alerts
from rgapp.jobs.storage import LOCK_BUSY_SECONDS, PostgreSQLQueue, RedisQueue, SQLiteQueue, redis_pool
from rgapp.jobs.tokens import token_alerts
from rgapp.jobs.waker import Waker
from rgapp.mail.outbox import WAITING_MAIL

logger = logging.getLogger(__name__)

NAME = "rgapp"
# What runs seldom is tried again when it fails, after 1, 5 and 25 minutes; what runs each minute is tried then.
TRIED_AGAIN: dict[str, Any] = {"retries": 3, "retry_delay": 60, "retry_backoff": 5}


def init_app(app: Flask) -> None:
    """Make the queue, register the tasks, and wake the mailer whenever a transaction put mail into the outbox."""
    huey = make_queue(app.config["QUEUE_URL"], immediate=app.config["TESTING"])
    app.extensions["queue"] = huey
    register(app, huey)
    app.extensions["waker"] = Waker(lambda: app.extensions["send_mails"]())


def make_queue(url: str, *, immediate: bool = False) -> Huey:
    """Return the queue that lives at this address: `sqlite:///path`, `postgresql://…`, `redis://…` or `memory:`."""
    scheme = urlsplit(url).scheme.partition("+")[0]
    options: dict[str, Any] = {"results": False, "store_none": False}
    if immediate or scheme == "memory":
        return MemoryHuey(NAME, **options)
    if scheme == "sqlite":
        file = url.removeprefix("sqlite:///")
        return SQLiteQueue(NAME, filename=file, fsync=False, timeout=LOCK_BUSY_SECONDS, **options)
    if scheme in {"postgres", "postgresql"}:
        return PostgreSQLQueue(NAME, dsn=url.replace("+psycopg://", "://"), **options)
    if scheme in {"redis", "rediss", "unix"}:
        return RedisQueue(NAME, connection_pool=redis_pool(url), **options)
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

    @huey.periodic_task(crontab(minute="17"), name="delete_expired", **TRIED_AGAIN)
    def delete_expired() -> None:
        with app.app_context():
            tasks.delete_expired(db.session(), now=utcnow())
            kept = timedelta(days=app.config["SFTP_KEEP_DAYS"])
            sync.delete_old_files(db.session(), now=utcnow(), kept=kept)
            sync.delete_settled_pulls(db.session())
            if (counters := shared_counters()) is not None:
                counters.delete_expired(now=utcnow())

    @huey.periodic_task(crontab(minute="41", hour="3"), name="refresh_metadata", **TRIED_AGAIN)
    def refresh() -> None:
        with app.app_context():
            tasks.follow_metadata(app, db.session(), now=utcnow())

    @huey.periodic_task(crontab(minute="23", hour="5"), name="certificate_alerts", **TRIED_AGAIN)
    def alert() -> None:
        with app.app_context():
            certificate_alerts(db.session(), base_url=app.config["BASE_URL"], now=utcnow())

    @huey.periodic_task(crontab(minute="29", hour="5"), name="token_alerts", **TRIED_AGAIN)
    def alert_of_tokens() -> None:
        with app.app_context():
            token_alerts(db.session(), now=utcnow())

    @huey.periodic_task(crontab(minute="37"), name="silence_alerts", **TRIED_AGAIN)
    def alert_of_silence() -> None:
        with app.app_context():
            silence_alerts(db.session(), now=utcnow())
            pulls.silence_alerts(db.session(), now=utcnow())

    @huey.task(retries=0, name="process_runs")
    def process_runs(programme_id: str, integration_id: str) -> None:
        with app.app_context():
            sync.process_runs(db.session(), uuid.UUID(programme_id), uuid.UUID(integration_id))

    @huey.task(retries=0, name="process_previews")
    def process_previews() -> None:
        with app.app_context():
            sync.process_previews(db.session())

    @huey.periodic_task(crontab(minute="*"), name="begin_pulls")
    def begin_pulls() -> None:
        with app.app_context():
            pulls.begin_due_pulls(db.session(), now=utcnow())

    @huey.periodic_task(crontab(minute="*"), name="look_for_runs")
    def look_for_runs() -> None:
        with app.app_context(), reading():
            for programme_id, integration_id in runs.waiting(db.session(), now=utcnow()):
                process_runs(str(programme_id), str(integration_id))
            if runs.waiting_previews(db.session(), now=utcnow()):
                process_previews()
            db.session.rollback()

    app.extensions["send_mails"] = send_mails
    app.extensions["process_runs"] = process_runs
    app.extensions["process_previews"] = process_previews


@event.listens_for(Session, "after_commit")
def _wake_mailer(session: Session) -> None:
    """Ask for a delivery once mail is really in the outbox."""
    if session.info.pop(WAITING_MAIL, False) and current_app and not current_app.config["TESTING"]:
        current_app.extensions["waker"].wake()


@event.listens_for(Session, "after_commit")
def _wake_runs(session: Session) -> None:
    """Let a worker look at the runs that have arrived, or were released, in this transaction."""
    found = session.info.pop(WAITING_RUN, ())
    if not found or not current_app or current_app.config["TESTING"]:
        return
    try:
        for programme_id, integration_id in found:
            current_app.extensions["process_runs"](str(programme_id), str(integration_id))
        current_app.extensions["process_previews"]()
    except (
        Exception
    ) as error:  # Expected while the queue restarts, and needs no hand: the look of each minute finds them.
        logger.warning("runs wait for the look of each minute: %s", type(error).__name__)


@event.listens_for(Session, "after_rollback")
def _forget(session: Session) -> None:
    session.info.pop(WAITING_MAIL, None)
    session.info.pop(WAITING_RUN, None)
