"""Begin the pulls that are due, and tell admins of those from which nothing has come for too long."""

from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from rgapp.database import reading
from rgapp.integrations.pulls.begin import begin_due, due_now
from rgapp.integrations.pulls.silence import last_good, silent_days
from rgapp.integrations.registry import KINDS
from rgapp.mail.outbox import MailKind, put_for_admins
from rgapp.models import Integration, IntegrationVersion, PullAccess

#: Days of silence after which a mail is sent, each once.
THRESHOLDS: Final = (30, 14, 7, 3)


def pulling_kinds() -> list[str]:
    """Return the kinds that pull."""
    return [key for key, kind in KINDS.items() if kind.feeds is not None and kind.feeds.pulls]


def begin_due_pulls(session: Session, *, now: datetime) -> int:
    """Begin what is due, each in a transaction of its own; returns how many."""
    with reading():
        found = due_now(session, pulling_kinds(), now=now)
        session.rollback()
    for programme_id, integration_id in found:
        begin_due(session, programme_id, integration_id, now=now)
        session.commit()
    return len(found)


def silence_alerts(session: Session, *, now: datetime) -> int:
    """Write a mail to each admin about each pull of which nothing was applied for too long; commits, returns how many.

    A run that is held or has failed was told of by itself; this is for what came after, or did not come at all.
    """
    query = (
        select(Integration, IntegrationVersion.settings, last_good(), PullAccess.sentence)
        .join(
            IntegrationVersion,
            (IntegrationVersion.programme_id == Integration.programme_id)
            & (IntegrationVersion.integration_id == Integration.id)
            & (IntegrationVersion.number == Integration.live_version),
        )
        .outerjoin(
            PullAccess,
            (PullAccess.programme_id == Integration.programme_id) & (PullAccess.integration_id == Integration.id),
        )
        .where(Integration.kind.in_(pulling_kinds()), Integration.enabled)
        .order_by(Integration.programme_id, Integration.id)
    )
    written = 0
    for integration, settings, since, sentence in session.execute(query).all():
        days = silent_days(settings.get("schedule"), since, now)
        threshold = next((limit for limit in THRESHOLDS if days >= limit), None)
        if threshold is None:
            continue
        written += put_for_admins(
            session,
            MailKind.FEED_SILENT,
            programme_id=integration.programme_id,
            once_key=f"silent:{integration.id.hex}:{since:%Y%m%d%H%M}:{threshold}",
            now=now,
            data={
                "integration_name": integration.live_name or integration.name,
                "integration_id": str(integration.id),
                "pulls": True,
                "days": days,
                "sentence": sentence or "",
            },
        )
    session.commit()
    return written
