"""Follow the signing certificates that identity providers publish in their metadata."""

import logging
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from rgapp.audit.service import SYSTEM
from rgapp.integrations import service
from rgapp.integrations.amending import amend_live
from rgapp.integrations.base import SettingsError
from rgapp.integrations.saml.certificates import CertificateError, Validity, read_certificates
from rgapp.integrations.saml.fetch import FetchError
from rgapp.integrations.saml.kind import KIND
from rgapp.integrations.saml.metadata import MetadataError, read_metadata
from rgapp.models import Integration

logger = logging.getLogger(__name__)
Fetch = Callable[[str], bytes]


@dataclass(frozen=True)
class Followed:
    """A connection whose metadata is read: what was live when we looked."""

    programme_id: uuid.UUID
    integration_id: uuid.UUID
    url: str
    entity_id: str
    live_version: int


def refresh_metadata(session: Session, fetch: Fetch, *, now: datetime) -> int:
    """Read the metadata of each live connection that has an address for it; returns how many changed.

    Only the list of signing certificates is followed, and only where the document speaks of the same entityID and
    holds a certificate that is valid now: an old certificate goes when the identity provider withdraws it. What else
    changed there is for an admin to look at. `fetch` is `fetch_metadata` with the operator's allow-list; it runs
    outside any transaction.
    """
    changed = 0
    for followed in _followed(session):
        try:
            found = read_metadata(fetch(followed.url), now=now, entity_id=followed.entity_id)
            if found.entity_id != followed.entity_id:
                continue
            usable = any(each.state(now) is Validity.VALID for each in found.certificates)
            if usable and _follow(session, followed, [each.pem for each in found.certificates], now):
                changed += 1
                session.commit()
        except (FetchError, MetadataError) as error:
            logger.warning("metadata of integration %s was not read: %s", followed.integration_id, error)
        except (SettingsError, IntegrityError):
            logger.warning("new certificates of integration %s were not taken", followed.integration_id)
        finally:
            session.rollback()
    return changed


def _followed(session: Session) -> list[Followed]:
    wanted = select(Integration).where(
        Integration.kind == KIND, Integration.enabled, Integration.live_version.is_not(None)
    )
    found = []
    for integration in session.scalars(wanted.order_by(Integration.programme_id, Integration.id)):
        idp = (service.live_settings(session, integration) or {}).get("idp", {})
        if idp.get("metadata_url") and integration.live_version is not None:
            found.append(
                Followed(
                    integration.programme_id,
                    integration.id,
                    idp["metadata_url"],
                    idp["entity_id"],
                    integration.live_version,
                )
            )
    session.commit()
    return found


def _follow(session: Session, followed: Followed, pems: Sequence[str], now: datetime) -> bool:
    """Publish the new list of certificates, unless an admin published something else in between."""
    integration = session.get(Integration, (followed.programme_id, followed.integration_id), populate_existing=True)
    if integration is None or not integration.is_live or integration.live_version != followed.live_version:
        return False
    settings = service.live_settings(session, integration) or {}
    before, after = _fingerprints(settings["idp"]["certificates"]), _fingerprints(pems)
    if set(before) == set(after):
        return False
    facts: dict[str, Any] = {
        "why": "metadata",
        "certificates_added": [each for each in after if each not in before],
        "certificates_removed": [each for each in before if each not in after],
    }
    amended = {**settings, "idp": {**settings["idp"], "certificates": list(pems)}}
    amend_live(session, integration, amended, actor=SYSTEM, now=now, facts=facts)
    return True


def _fingerprints(pems: Sequence[str]) -> list[str]:
    try:
        return [each.fingerprint_sha256 for pem in pems for each in read_certificates(pem)]
    except CertificateError:
        return []
