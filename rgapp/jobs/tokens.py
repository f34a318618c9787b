"""Tell admins in time that the last bearer token of a live integration ends."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rgapp.jobs.certificates import THRESHOLDS
from rgapp.mail.outbox import MailKind, put_for_admins
from rgapp.models import Integration, Programme, SCIMToken
from rgapp.wording import long_date


def token_alerts(session: Session, *, now: datetime) -> int:
    """Write a mail to each admin about each integration that nobody can reach soon; commits, returns how many.

    As long as one token of an integration lasts, all is well, so the one that lasts longest counts.
    """
    last = func.max(SCIMToken.expires_at)
    endless = func.count().filter(SCIMToken.expires_at.is_(None))
    query = (
        select(Integration, Programme, last)
        .join(Programme, Programme.id == Integration.programme_id)
        .join(
            SCIMToken,
            (SCIMToken.programme_id == Integration.programme_id) & (SCIMToken.integration_id == Integration.id),
        )
        .where(Integration.enabled, SCIMToken.revoked_at.is_(None))
        .group_by(Integration.programme_id, Integration.id, Programme.id)
        .having(endless == 0, last <= now + timedelta(days=max(THRESHOLDS)))
        .order_by(Integration.programme_id, Integration.id)
    )
    written = 0
    for integration, programme, ends in session.execute(query).all():
        assert ends is not None  # noqa: S101 - of tokens without an end the query wants none.
        days = (ends - now) // timedelta(days=1)
        threshold = next(limit for limit in THRESHOLDS if days <= limit)
        written += put_for_admins(
            session,
            MailKind.TOKEN_EXPIRES,
            programme_id=programme.id,
            once_key=f"token:{integration.id.hex}:{ends:%Y%m%d%H%M}:{threshold}",
            now=now,
            data={
                "integration_name": integration.live_name or integration.name,
                "integration_id": str(integration.id),
                "days": max(days, 0),
                "expires_on": long_date(ends.astimezone(programme.zone).date()),
            },
        )
    session.commit()
    return written
