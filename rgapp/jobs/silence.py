"""Tell admins that a live feed is silent: the daily file did not come. Of pulls, `rgapp.jobs.pulls` tells."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from rgapp.integrations.registry import KINDS
from rgapp.integrations.sync.silence import latest_arrivals, silence
from rgapp.mail.outbox import MailKind, put_for_admins
from rgapp.models import Integration, Programme
from rgapp.wording import long_date


def silence_alerts(session: Session, *, now: datetime) -> int:
    """Write a mail to each admin about each live feed that is silent; commits by feed, returns how many.

    Of one silence, which begins with the last run that came, everybody hears once.
    """
    files = [key for key, kind in KINDS.items() if kind.feeds is not None and not kind.feeds.pulls]
    query = (
        select(Integration, Programme)
        .join(Programme, Programme.id == Integration.programme_id)
        .where(Integration.kind.in_(files), Integration.enabled, Integration.live_version.is_not(None))
        .order_by(Integration.programme_id, Integration.id)
    )
    written = 0
    for integration, programme in session.execute(query).all():
        arrivals = latest_arrivals(session, integration)
        since = silence([at for _, at in arrivals], now)
        if since is not None:
            last_run, last_at = arrivals[0]
            written += put_for_admins(
                session,
                MailKind.FEED_SILENT,
                programme_id=programme.id,
                once_key=f"silent:{integration.id.hex}:{last_run.hex}",
                now=now,
                data={
                    "integration_name": integration.live_name or integration.name,
                    "integration_id": str(integration.id),
                    "pulls": False,
                    "days": since.days,
                    "last_on": long_date(last_at.astimezone(programme.zone).date()),
                },
            )
        session.commit()
    return written
