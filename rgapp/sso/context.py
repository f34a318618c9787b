"""Load what one connection's public id leads to: programme, integration, and the settings that count."""

import uuid
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from pydantic import ValidationError
from sqlalchemy import and_, bindparam, select
from sqlalchemy.orm import Session

from rgapp.integrations.saml.binding import connection_of
from rgapp.integrations.saml.connection import Connection
from rgapp.integrations.saml.kind import KIND, service_urls
from rgapp.integrations.saml.settings import InboundSAMLSettings
from rgapp.models import ConnectionDirectory, Integration, IntegrationVersion, Programme
from rgapp.models.prepared import Prepared
from rgapp.sealing import Sealer

CONNECTIONS_KEPT = 1000


@dataclass(frozen=True, slots=True)
class ProgrammeFacts:
    """What a sign-in and its pages need of the programme."""

    id: uuid.UUID
    slug: str
    name: str
    colour: str
    contact_name: str
    contact_email: str
    password_sign_in: bool


@dataclass(frozen=True, slots=True)
class IntegrationFacts:
    """What a sign-in needs of the integration."""

    programme_id: uuid.UUID
    id: uuid.UUID
    name: str
    live_name: str | None
    live_version: int | None
    enabled: bool
    public_id: str
    service_key: bytes | None
    service_certificate: str | None


@dataclass(slots=True)
class _Published:
    """What was made of one published version, so that it is made once; a version never changes.

    No verdict is ever kept, and whether the version is live is asked each time.
    """

    settings: InboundSAMLSettings | None = None
    connections: dict[tuple[str, bytes | None, str | None], Connection] = field(default_factory=dict)
    is_read: bool = False


@dataclass(frozen=True, slots=True)
class ConnectionContext:
    """One inbound SAML connection with its programme; `live` is None before the first publishing."""

    programme: ProgrammeFacts
    integration: IntegrationFacts
    published: _Published

    @property
    def live(self) -> InboundSAMLSettings | None:
        """Return the settings that were published last."""
        return self.published.settings

    @property
    def is_live(self) -> bool:
        """Tell whether employees can sign in through it now."""
        return self.integration.live_version is not None and self.integration.enabled and self.live is not None

    def draft(self, session: Session) -> InboundSAMLSettings | None:
        """Return the draft where it is complete, else None."""
        return read_settings(self.row(session).draft)

    def row(self, session: Session) -> Integration:
        """Return the integration itself, to read its draft or to change it."""
        return session.get_one(Integration, (self.integration.programme_id, self.integration.id))

    def connection(self, settings: InboundSAMLSettings, base_url: str, sealer: Sealer) -> Connection:
        """Return the protocol's view of the connection under these settings."""
        if settings is not self.live:
            return connection_of(self.integration, settings, base_url, sealer)
        made, integration = self.published.connections, self.integration
        key = (base_url, integration.service_key, integration.service_certificate)
        found = made.get(key)  # Once: other threads fill and clear this at the same time.
        if found is None:
            found = connection_of(integration, settings, base_url, sealer)
            made.clear()
            made[key] = found
        return found


# Columns of the tables, not attributes of the models: rows come back as they are, and cost a fraction.
_PROGRAMMES, _INTEGRATIONS = Programme.__table__, Integration.__table__
_DIRECTORY, _VERSIONS = ConnectionDirectory.__table__, IntegrationVersion.__table__
_OF_PROGRAMME = [_PROGRAMMES.c[name].label(f"of_{name}") for name in ProgrammeFacts.__slots__]
_OF_INTEGRATION = [_INTEGRATIONS.c[name] for name in IntegrationFacts.__slots__]
_FOUND = [*_OF_PROGRAMME, *_OF_INTEGRATION, _INTEGRATIONS.c.updated_at]
_LOOK_UP = (
    select(*_FOUND)
    .select_from(_DIRECTORY)
    .join(_PROGRAMMES, _PROGRAMMES.c.id == _DIRECTORY.c.programme_id)
    .join(
        _INTEGRATIONS,
        and_(
            _INTEGRATIONS.c.programme_id == _DIRECTORY.c.programme_id,
            _INTEGRATIONS.c.id == _DIRECTORY.c.integration_id,
        ),
    )
    .where(_DIRECTORY.c.public_id == bindparam("public_id"), _INTEGRATIONS.c.kind == bindparam("kind"))
)
_OF_PUBLIC_ID = Prepared(lambda _: _LOOK_UP, _FOUND)
_SETTINGS = select(_VERSIONS.c.settings).where(
    _VERSIONS.c.programme_id == bindparam("programme_id"),
    _VERSIONS.c.integration_id == bindparam("integration_id"),
    _VERSIONS.c.number == bindparam("number"),
)


def load(session: Session, public_id: str) -> ConnectionContext | None:
    """Return the connection with this public id, in one look-up; None where there is none."""
    row = next(iter(_OF_PUBLIC_ID.rows(session, {"public_id": public_id, "kind": KIND})), None)
    if row is None:
        return None
    programme = ProgrammeFacts(*row[: len(_OF_PROGRAMME)])
    integration = IntegrationFacts(*row[len(_OF_PROGRAMME) : -1])
    published = _Published()
    if integration.live_version is not None:
        # The time of the last change is part of the key for the sake of databases that were restored from a backup.
        published = _published(integration.programme_id, integration.id, integration.live_version, row[-1])
        if not published.is_read:
            _read(session, integration, published)
    return ConnectionContext(programme, integration, published)


@lru_cache(maxsize=CONNECTIONS_KEPT)
def _published(*_: object) -> _Published:
    return _Published()


def _read(session: Session, integration: IntegrationFacts, published: _Published) -> None:
    key = {"programme_id": integration.programme_id, "integration_id": integration.id}
    settings = session.scalar(_SETTINGS, {**key, "number": integration.live_version})
    published.settings = read_settings(settings) if settings is not None else None
    published.is_read = True


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
