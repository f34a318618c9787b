"""Gather what each kind of mail says, when it is rendered; or say why it is not sent."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from rgapp.mail.outbox import MailKind
from rgapp.models import Integration, OutboxMail, Programme, User, UserLink, UserStatus
from rgapp.tokens import hash_token, new_token

PASSWORD_LINK_LASTS = timedelta(days=7)
# Anybody can ask for this one, so it is open for a short time only.
RESET_LINK_LASTS = timedelta(days=1)
FOR_ADMINS = frozenset(
    {
        MailKind.CERTIFICATE_EXPIRES,
        MailKind.TOKEN_EXPIRES,
        MailKind.UNUSUAL_LEAVERS,
        MailKind.SYNC_RUN,
        MailKind.FEED_SILENT,
    }
)
PREVIEW_TOKEN = "shown-in-the-mail-only"  # noqa: S105 - stands where a token would.


class NotSent(StrEnum):
    """Why a mail is not sent at all."""

    NOT_ACTIVE = "the person has left"
    NO_PERSON = "the person is gone"


def build_context(
    session: Session,
    mail: OutboxMail,
    programme: Programme,
    *,
    base_url: str,
    now: datetime,
    preview: bool = False,
) -> dict[str, Any] | NotSent:
    """Return the template's variables for this mail as things stand now, or why it is not sent.

    A preview makes no one-time link: only the person whom the mail is for may hold one.
    """
    context: dict[str, Any] = {
        "programme_name": programme.name,
        "manager_url": f"{base_url}/manager/{programme.slug}",
        "sign_in_url": f"{base_url}/p/{programme.slug}/login",
        "contact_name": programme.contact_name,
        "contact_email": programme.contact_email,
        **mail.data,
    }
    if mail.kind in FOR_ADMINS:
        return context
    user = session.get(User, (mail.programme_id, mail.user_id)) if mail.user_id else None
    if user is None:
        return NotSent.NO_PERSON
    if user.status != UserStatus.ACTIVE:
        return NotSent.NOT_ACTIVE
    password_url = None
    if programme.password_sign_in and (mail.kind == MailKind.PASSWORD_RESET or user.password_hash is None):
        lasts = RESET_LINK_LASTS if mail.kind == MailKind.PASSWORD_RESET else PASSWORD_LINK_LASTS
        token = PREVIEW_TOKEN if preview else _password_link(session, user, now, lasts)
        password_url = f"{base_url}/p/{programme.slug}/password/{token}"
    context |= {
        "first_name": user.first_name,
        "sign_in_names": live_sign_in_names(session, programme),
        "password_url": password_url,
    }
    return context


def live_sign_in_names(session: Session, programme: Programme) -> list[str]:
    """Return the names of the connections that employees of this programme can sign in with, sorted."""
    return list(
        session.scalars(
            select(Integration.live_name)
            .where(
                Integration.programme_id == programme.id,
                Integration.kind == "inbound-saml",
                Integration.enabled,
                Integration.live_name.is_not(None),
            )
            .order_by(Integration.live_name)
        )
    )


def _password_link(session: Session, user: User, now: datetime, lasts: timedelta) -> str:
    token = new_token()
    session.add(
        UserLink(
            programme_id=user.programme_id,
            token_hash=hash_token(token),
            user_id=user.id,
            created_at=now,
            expires_at=now + lasts,
        )
    )
    return token
