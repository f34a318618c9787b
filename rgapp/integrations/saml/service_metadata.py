"""Our own metadata (SAML metadata 2.0, SPSSODescriptor), published for each connection."""

from rgapp.integrations.saml.connection import Connection


def build_metadata(connection: Connection) -> bytes:
    """Return the metadata document of our side of one connection."""
    raise NotImplementedError
