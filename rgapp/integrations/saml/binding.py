"""Bind stored settings to the protocol: the Connection that messages are built for and checked against."""

from rgapp.integrations.saml.connection import Connection
from rgapp.integrations.saml.kind import service_urls
from rgapp.integrations.saml.settings import InboundSAMLSettings
from rgapp.models import Integration
from rgapp.provisioning.record import Field
from rgapp.sealing import Sealer


def connection_of(integration: Integration, settings: InboundSAMLSettings, base_url: str, sealer: Sealer) -> Connection:
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
        signed=settings.signed,
        sp_initiated=settings.sp_initiated,
        idp_initiated=settings.idp_initiated,
        sign_requests=settings.idp.want_signed_requests,
        requires_name_id=settings.mapping[Field.MEMBERSHIP_NO].name_id or settings.mapping[Field.EMAIL].name_id,
        parameter_name=settings.parameter_name,
    )
