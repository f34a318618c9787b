"""What the worker does: send mails, delete what has expired. Each may run twice and die at any line."""

from datetime import datetime, timedelta

from flask import Flask
from sqlalchemy import delete
from sqlalchemy.orm import Session

from rgapp.integrations.saml.fetch import fetch_metadata
from rgapp.jobs.metadata import refresh_metadata
from rgapp.mail.sender import Delivery, deliver_due
from rgapp.mail.transport import make_transport
from rgapp.models import (
    Deactivation,
    SAMLReplay,
    SAMLRequest,
    SCIMRequest,
    SignInAttempt,
    StaffChallenge,
    StaffLink,
    StaffSession,
    UserLink,
    UserSession,
)

LEEWAY = timedelta(hours=1)
# The guard looks at one day; the rest is for people who ask what it saw.
DEACTIVATIONS_KEPT = timedelta(days=30)
EXPIRING = (
    SignInAttempt,
    SCIMRequest,
    SAMLRequest,
    SAMLReplay,
    UserSession,
    StaffSession,
    StaffChallenge,
    UserLink,
    StaffLink,
)


def send_mails(app: Flask, session: Session, *, now: datetime) -> int:
    """Deliver the mails that are due; returns how many were sent."""
    delivery = Delivery(
        transport=make_transport(app.config["SMTP_URL"], app.config["MAIL_FOLDER"]),
        base_url=app.config["BASE_URL"],
        sender=app.config["MAIL_FROM"],
    )
    return deliver_due(session, delivery, now=now)


def follow_metadata(app: Flask, session: Session, *, now: datetime) -> int:
    """Follow the certificates of identity providers; returns how many connections changed."""
    return refresh_metadata(session, lambda url: fetch_metadata(url, allow=app.config["OUTBOUND_ALLOW"]), now=now)


def delete_expired(session: Session, *, now: datetime) -> int:
    """Delete attempts, requests, replay records, sessions and links that have expired; returns how many rows went."""
    old = [delete(model).where(model.expires_at < now - LEEWAY) for model in EXPIRING]
    deleted = 0
    for statement in (*old, delete(Deactivation).where(Deactivation.at < now - DEACTIVATIONS_KEPT)):
        gone = session.execute(statement)
        deleted += gone.rowcount  # type: ignore[attr-defined]  # CursorResult has it.
        session.commit()
    return deleted
