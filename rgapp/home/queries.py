"""What the programme site reads."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from rgapp.integrations.saml.kind import KIND
from rgapp.mail.outbox import MailKind
from rgapp.models import Integration, IntegrationVersion, OutboxMail, Programme, User, UserSession, UserStatus
from rgapp.provisioning import Field, Source
from rgapp.provisioning.validation import email_key
from rgapp.wording import FIELD_LABELS, long_date

LINKS_COUNTED = timedelta(hours=1)
MOST_LINKS = 3


@dataclass(frozen=True)
class SignInButton:
    """One live connection on the sign-in page; without `starts_here` the provider's own portal starts it."""

    name: str
    public_id: str
    starts_here: bool
    portal: str | None


@dataclass(frozen=True)
class Detail:
    """One field on the home page, and who holds it."""

    label: str
    value: str | None
    holder: str


def sign_in_buttons(session: Session, programme: Programme) -> list[SignInButton]:
    """Return the programme's live connections by name."""
    rows = session.execute(
        select(Integration.live_name, Integration.public_id, IntegrationVersion.settings)
        .join(IntegrationVersion, _live_version())
        .where(Integration.programme_id == programme.id, Integration.kind == KIND, Integration.enabled)
        .order_by(Integration.name_key)
    )
    return [
        SignInButton(
            name=name,
            public_id=public_id,
            starts_here=bool(settings.get("sp_initiated", True)),
            portal=settings["idp"].get("sso_url"),
        )
        for name, public_id, settings in rows
    ]


def details_of(user: User) -> list[Detail]:
    """Return the person's details in our order of fields, each with who sent it."""
    details = []
    for field in Field:
        value: Any = getattr(user, field.value)
        source = user.field_sources.get(field.value)
        details.append(
            Detail(
                label=FIELD_LABELS[field],
                value=long_date(value) if isinstance(value, date) else value,
                holder=_holder(source) if value else "Not sent by your employer",
            )
        )
    return details


def _holder(source: dict[str, Any] | None) -> str:
    if source is None or source["source"] == Source.HAND:
        return "From your HR team"
    return f"From {source['name']}"


def logout_address(session: Session, user_session: UserSession | None) -> str | None:
    """Return the single logout address of the identity provider that signed this session in, else None."""
    if user_session is None or user_session.integration_id is None:
        return None
    settings = session.scalar(
        select(IntegrationVersion.settings)
        .join(Integration, _live_version())
        .where(
            Integration.programme_id == user_session.programme_id,
            Integration.id == user_session.integration_id,
        )
    )
    return settings["idp"].get("slo_url") if settings is not None else None


def logout_connection(session: Session, user_session: UserSession) -> str | None:
    """Return the public id of the connection whose identity provider takes part in logout, else None."""
    if logout_address(session, user_session) is None:
        return None
    return session.scalar(
        select(Integration.public_id).where(
            Integration.programme_id == user_session.programme_id,
            Integration.id == user_session.integration_id,
        )
    )


def active_by_email(session: Session, programme: Programme, email: str) -> User | None:
    """Return the active user with this address in any case, else None."""
    return session.scalar(
        select(User).where(
            User.programme_id == programme.id,
            User.email_key == email_key(email.strip()),
            User.status == UserStatus.ACTIVE,
        )
    )


def may_send_link(session: Session, user: User, *, now: datetime) -> bool:
    """Tell whether the person may get one more link now: nobody can fill a mailbox by asking for somebody else."""
    recent = session.scalar(
        select(func.count())
        .select_from(OutboxMail)
        .where(
            OutboxMail.programme_id == user.programme_id,
            OutboxMail.user_id == user.id,
            OutboxMail.kind == MailKind.PASSWORD_RESET,
            OutboxMail.created_at > now - LINKS_COUNTED,
        )
    )
    return (recent or 0) < MOST_LINKS


def _live_version() -> Any:
    return and_(
        IntegrationVersion.programme_id == Integration.programme_id,
        IntegrationVersion.integration_id == Integration.id,
        IntegrationVersion.number == Integration.live_version,
    )
