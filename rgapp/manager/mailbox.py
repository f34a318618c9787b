"""The mails of a programme as pages show them: the list, one mail as it reads, and samples of each kind."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from rgapp.mail.contexts import PREVIEW_TOKEN, NotSent, build_context, live_sign_in_names
from rgapp.mail.outbox import MailKind
from rgapp.mail.render import Message, render
from rgapp.models import MailStatus, OutboxMail, Programme, User
from rgapp.paging import Key, Page, fetch
from rgapp.wording import long_date

NEWEST_FIRST = (Key(OutboxMail.id, True),)
KIND_LABELS = {
    MailKind.WELCOME: "Welcome",
    MailKind.CERTIFICATE_EXPIRES: "Certificate expires",
    MailKind.TOKEN_EXPIRES: "Token expires",
    MailKind.UNUSUAL_LEAVERS: "Many people taken out",
    MailKind.SYNC_RUN: "Run needs a look",
    MailKind.FEED_SILENT: "Feed is silent",
    MailKind.PASSWORD_RESET: "New password",
}
KIND_SENTENCES = {
    MailKind.WELCOME: "Goes to a person once, when their account is created, if the source of the account says so.",
    MailKind.CERTIFICATE_EXPIRES: "Goes to the admins 30 and 7 days before a signing certificate expires.",
    MailKind.TOKEN_EXPIRES: "Goes to the admins 30 and 7 days before the last token of an integration expires.",
    MailKind.UNUSUAL_LEAVERS: "Goes to the admins when integrations take out more people in a day than is usual.",
    MailKind.SYNC_RUN: "Goes to the admins once for a file or a pull that was held, failed or had rows refused.",
    MailKind.FEED_SILENT: "Goes to the admins when no file comes, or nothing could be pulled, for longer than usual.",
    MailKind.PASSWORD_RESET: "Goes to a person who asks for a new password, in programmes that have passwords.",
}


@dataclass(frozen=True)
class Reading:
    """How a mail reads. `delivered`: this is the copy that was delivered; else it is rendered from today's data."""

    message: Message
    delivered: bool = False


def mails_page(
    session: Session, programme: Programme, status: MailStatus | None, *, after: str | None, before: str | None
) -> Page[OutboxMail]:
    """Return one page of a programme's mails, newest first."""
    wanted = select(OutboxMail).where(OutboxMail.programme_id == programme.id)
    if status is not None:
        wanted = wanted.where(OutboxMail.status == status)
    return fetch(session, wanted, NEWEST_FIRST, after=after, before=before)


def get_mail(session: Session, programme: Programme, mail_id: uuid.UUID) -> OutboxMail | None:
    """Return a mail of this programme, else None."""
    return session.get(OutboxMail, (programme.id, mail_id))


def recipient_of(session: Session, mail: OutboxMail) -> User | None:
    """Return the person a mail is about, None where it is about nobody."""
    return session.get(User, (mail.programme_id, mail.user_id)) if mail.user_id is not None else None


def reading_of(
    session: Session,
    mail: OutboxMail,
    programme: Programme,
    *,
    folder: str | None,
    base_url: str,
    now: datetime,
) -> Reading | NotSent:
    """Return how a mail reads: the delivered copy where mails are kept in `folder`, else rendered now."""
    if folder is not None and (kept := read_delivered(Path(folder) / f"{mail.id}.eml")) is not None:
        return Reading(kept, delivered=True)
    context = build_context(session, mail, programme, base_url=base_url, now=now, preview=True)
    return context if isinstance(context, NotSent) else Reading(render(mail.kind, context))


def read_delivered(path: Path) -> Message | None:
    """Return a delivered mail from its file, None where there is no such file."""
    try:
        parsed: EmailMessage = message_from_bytes(path.read_bytes(), policy=policy.default)
    except OSError:
        return None
    return Message(str(parsed["Subject"]), _part(parsed, "plain"), _part(parsed, "html"))


def _part(mail: EmailMessage, subtype: str) -> str:
    body = mail.get_body((subtype,))
    return str(body.get_content()) if body is not None else ""


def sample_of(session: Session, kind: MailKind, programme: Programme, *, base_url: str, now: datetime) -> Message:
    """Render a mail of this kind with the programme's own details and a made-up person."""
    site = f"{base_url}/p/{programme.slug}"
    context: dict[str, Any] = {
        "programme_name": programme.name,
        "sign_in_url": f"{site}/login",
        "contact_name": programme.contact_name,
        "contact_email": programme.contact_email,
        "manager_url": f"{base_url}/manager/{programme.slug}",
        "first_name": "Jane",
        "sign_in_names": live_sign_in_names(session, programme) or ["Okta"],
        "password_url": f"{site}/password/{PREVIEW_TOKEN}" if programme.password_sign_in else None,
    }
    if kind is MailKind.CERTIFICATE_EXPIRES:
        context |= {
            "integration_name": context["sign_in_names"][0],
            "integration_url": f"{base_url}/manager/{programme.slug}/integrations",
            "expires_on": long_date((now + timedelta(days=30)).date()),
            "days": 30,
        }
    if kind is MailKind.TOKEN_EXPIRES:
        context |= {
            "integration_name": "Entra",
            "integration_id": uuid.UUID(int=0),
            "expires_on": long_date((now + timedelta(days=30)).date()),
            "days": 30,
        }
    if kind is MailKind.UNUSUAL_LEAVERS:
        context |= {"integration_name": "Entra", "removals": programme.guard_people + 7}
    if kind is MailKind.SYNC_RUN:
        context |= {
            "integration_name": "Payroll",
            "state": "held",
            "file": "people.csv",
            "sentence": "There is not a single row: nobody is named.",
            "leavers": 0,
            "refused": 0,
            "rows": 0,
        }
    if kind is MailKind.FEED_SILENT:
        context |= {
            "integration_name": "Payroll",
            "integration_id": uuid.UUID(int=0),
            "pulls": False,
            "days": 3,
            "last_on": long_date((now - timedelta(days=3)).date()),
        }
    return render(kind, context)


def kind_label(kind: str) -> str:
    """Name a kind of mail; one that this version does not know shows as it is."""
    return KIND_LABELS[MailKind(kind)] if kind in set(MailKind) else kind.replace("_", " ").capitalize()
