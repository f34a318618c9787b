"""Load what one connection's public id leads to: programme, integration, and the settings that count."""

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from rgapp.integrations.saml.binding import connection_of
from rgapp.integrations.saml.connection import Connection
from rgapp.integrations.saml.kind import KIND, service_urls
from rgapp.integrations.saml.settings import InboundSAMLSettings
from rgapp.models import ConnectionDirectory, Integration, IntegrationVersion, Programme
from rgapp.sealing import Sealer


@dataclass(frozen=True)
class ConnectionContext:
    """One inbound SAML connection with its programme; `live` is None before the first publishing."""

    programme: Programme
    integration: Integration
    live: InboundSAMLSettings | None

    @property
    def is_live(self) -> bool:
        """Tell whether employees can sign in through it now."""
        return self.integration.is_live and self.live is not None

    def draft(self) -> InboundSAMLSettings | None:
        """Return the draft where it is complete, else None."""
        return read_settings(self.integration.draft)

    def connection(self, settings: InboundSAMLSettings, base_url: str, sealer: Sealer) -> Connection:
        """Return the protocol's view of the connection under these settings."""
        return connection_of(self.integration, settings, base_url, sealer)


def load(session: Session, public_id: str) -> ConnectionContext | None:
    """Return the connection with this public id, in one look-up; None where there is none."""
    row = session.execute(
        select(Programme, Integration, IntegrationVersion.settings)
        .select_from(ConnectionDirectory)
        .join(Programme, Programme.id == ConnectionDirectory.programme_id)
        .join(
            Integration,
            and_(
                Integration.programme_id == ConnectionDirectory.programme_id,
                Integration.id == ConnectionDirectory.integration_id,
            ),
        )
        .outerjoin(
            IntegrationVersion,
            and_(
                IntegrationVersion.programme_id == Integration.programme_id,
                IntegrationVersion.integration_id == Integration.id,
                IntegrationVersion.number == Integration.live_version,
            ),
        )
        .where(ConnectionDirectory.public_id == public_id, Integration.kind == KIND)
    ).first()
    if row is None:
        return None
    programme, integration, settings = row
    return ConnectionContext(programme, integration, read_settings(settings) if settings is not None else None)


def read_settings(settings: dict[str, Any]) -> InboundSAMLSettings | None:
    """Return complete settings, None where they are not complete yet."""
    try:
        return InboundSAMLSettings.model_validate(settings)
    except ValidationError:
        return None


def metadata_connection(
    found: ConnectionContext, settings: InboundSAMLSettings | None, base_url: str, sealer: Sealer
) -> Connection:
    """Return enough of a connection to publish our metadata, also while the draft is not complete."""
    if settings is not None:
        return found.connection(settings, base_url, sealer)
    urls = service_urls(found.integration.public_id, base_url)
    return Connection(
        entity_id=urls["entity_id"],
        acs_url=urls["acs"],
        sls_url=urls["sls"],
        service_certificate=found.integration.service_certificate,
        idp_entity_id="",
        certificates=(),
    )
