"""Bind stored settings to the protocol: the Connection that messages are built for and checked against."""

import uuid
from typing import Protocol

from rgapp.integrations.saml.connection import Connection
from rgapp.integrations.saml.kind import service_urls
from rgapp.integrations.saml.settings import InboundSAMLSettings
from rgapp.provisioning.record import Field
from rgapp.sealing import Sealer


class ConfiguredConnection(Protocol):
    """What signing in needs of an integration, whether a row or what was read of one."""

    @property
    def programme_id(self) -> uuid.UUID:
        """Return the programme that it belongs to."""

    @property
    def id(self) -> uuid.UUID:
        """Return the integration's own id."""

    @property
    def name(self) -> str:
        """Return its name, as the draft has it."""

    @property
    def live_name(self) -> str | None:
        """Return the name that employees see."""

    @property
    def public_id(self) -> str:
        """Return the id in its addresses."""

    @property
    def service_key(self) -> bytes | None:
        """Return our own private key, sealed."""

    @property
    def service_certificate(self) -> str | None:
        """Return the certificate of our own key (PEM)."""


def connection_of(
    integration: ConfiguredConnection, settings: InboundSAMLSettings, base_url: str, sealer: Sealer
) -> Connection:
    """Return the connection of an integration under these settings, its own private key opened.

    Raises `UnsealError` where the key cannot be opened.
    """
    urls = service_urls(integration.public_id, base_url)
    sealed = integration.service_key
    return Connection(
        entity_id=urls["entity_id"],
        acs_url=urls["acs"],
        sls_url=urls["sls"],
        service_key=sealer.unseal(sealed) if sealed else None,
        service_certificate=integration.service_certificate,
        idp_entity_id=settings.idp.entity_id,
        certificates=tuple(settings.idp.certificates),
        sso_url=settings.idp.sso_url,
        sso_binding=settings.idp.sso_binding,
        slo_url=settings.idp.slo_url,
        slo_response_url=settings.idp.slo_response_url,
        signed=settings.signed,
        sp_initiated=settings.sp_initiated,
        idp_initiated=settings.idp_initiated,
        sign_requests=settings.idp.want_signed_requests,
        requires_name_id=settings.mapping[Field.MEMBERSHIP_NO].name_id or settings.mapping[Field.EMAIL].name_id,
        parameter_name=settings.parameter_name,
    )
