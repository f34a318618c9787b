"""The inbound SAML connection in the URL."""

import uuid

from flask import abort

from rgapp.dashboard.common import load
from rgapp.integrations.saml.kind import KIND
from rgapp.models import Integration


def connection(integration_id: uuid.UUID) -> Integration:
    """Return the connection in the URL; 404 for what is none, integrations of other kinds included."""
    found = load(integration_id)
    if found.kind != KIND:
        abort(404)
    return found
