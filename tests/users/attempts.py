"""Make sign-in attempts as the front door stores them."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from rgapp.clock import utcnow
from rgapp.models import Integration, Purpose, SignInAttempt
from rgapp.tokens import new_reference


def add_attempt(
    session: Session, integration: Integration, *, at: datetime | None = None, **details: Any
) -> SignInAttempt:
    """Add one attempt; a good one unless `reason` says why not."""
    at = at or utcnow()
    reason = details.pop("reason", "")
    attempt = SignInAttempt(
        programme_id=integration.programme_id,
        integration_id=integration.id,
        reference=details.pop("reference", new_reference()),
        at=at,
        purpose=details.pop("purpose", Purpose.SIGN_IN),
        accepted=not reason,
        outcome="refused" if reason else "unchanged",
        reason=reason,
        expires_at=at + timedelta(days=30),
        **details,
    )
    session.add(attempt)
    session.flush()
    return attempt
