"""What the worker does: send mails, delete what has expired. Each may run twice and die at any line."""

from datetime import datetime, timedelta

from flask import Flask
from sqlalchemy import delete
from sqlalchemy.orm import Session

from rgapp.mail.sender import Delivery, deliver_due
from rgapp.mail.transport import make_transport
from rgapp.models import SAMLReplay, SAMLRequest, SignInAttempt, StaffSession, UserSession

LEEWAY = timedelta(hours=1)


def send_mails(app: Flask, session: Session, *, now: datetime) -> int:
    """Deliver the mails that are due; returns how many were sent."""
    delivery = Delivery(
        transport=make_transport(app.config["SMTP_URL"], app.config["MAIL_FOLDER"]),
        base_url=app.config["BASE_URL"],
        sender=app.config["MAIL_FROM"],
    )
    return deliver_due(session, delivery, now=now)


def delete_expired(session: Session, *, now: datetime) -> int:
    """Delete attempts, requests, replay records and sessions that have expired; returns how many rows went."""
    deleted = 0
    for model in (SignInAttempt, SAMLRequest, SAMLReplay, UserSession, StaffSession):
        gone = session.execute(delete(model).where(model.expires_at < now - LEEWAY))
        deleted += gone.rowcount  # type: ignore[attr-defined]  # CursorResult has it.
        session.commit()
    return deleted
