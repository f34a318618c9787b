"""Tell admins in time that the signing certificate of a live connection ends."""

import hashlib
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from rgapp.integrations.saml.certificates import CertificateError, SigningCertificate, read_certificates
from rgapp.integrations.saml.kind import KIND
from rgapp.mail.outbox import MailKind, put_for_admins
from rgapp.models import Integration, IntegrationVersion, Programme
from rgapp.wording import long_date

# Days left at which a mail is sent: once when there is time to plan, and once when there is not.
THRESHOLDS = (7, 30)


def certificate_alerts(session: Session, *, base_url: str, now: datetime) -> int:
    """Write a mail to each admin about each certificate that ends soon; commits by programme, returns how many.

    A connection is in time as long as one of its certificates is valid, so the newest one counts.
    """
    written = 0
    for integration, programme, settings in _live(session):
        newest = newest_certificate(settings)
        days = (newest.not_after - now) // timedelta(days=1) if newest else None
        threshold = next((limit for limit in THRESHOLDS if days is not None and days <= limit), None)
        if newest is None or days is None or threshold is None:
            continue
        data = {
            "integration_name": integration.live_name or integration.name,
            "days": max(days, 0),
            "expires_on": long_date(newest.not_after.astimezone(programme.zone).date()),
            "integration_url": f"{base_url}/manager/{programme.slug}/integrations/{integration.id}/setup/initial",
        }
        fingerprint = hashlib.sha256(newest.pem.encode()).hexdigest()[:16]
        written += put_for_admins(
            session,
            MailKind.CERTIFICATE_EXPIRES,
            programme_id=programme.id,
            once_key=f"certificate:{integration.id.hex}:{fingerprint}:{threshold}",
            now=now,
            data=data,
        )
        session.commit()
    return written


def newest_certificate(settings: dict[str, Any]) -> SigningCertificate | None:
    """Return the certificate that lasts longest, None where none can be read."""
    found: list[SigningCertificate] = []
    for pem in (settings.get("idp") or {}).get("certificates", []):
        try:
            found += read_certificates(pem)
        except CertificateError:
            continue
    return max(found, key=lambda certificate: certificate.not_after, default=None)


def _live(session: Session) -> list[tuple[Integration, Programme, dict[str, Any]]]:
    """Return every live connection with its programme and its live settings."""
    rows = session.execute(
        select(Integration, Programme, IntegrationVersion.settings)
        .join(Programme, Programme.id == Integration.programme_id)
        .join(
            IntegrationVersion,
            (IntegrationVersion.programme_id == Integration.programme_id)
            & (IntegrationVersion.integration_id == Integration.id)
            & (IntegrationVersion.number == Integration.live_version),
        )
        .where(Integration.kind == KIND, Integration.enabled)
        .order_by(Integration.programme_id, Integration.id)
    ).all()
    session.commit()
    return [(row[0], row[1], row[2]) for row in rows]
