"""The SCIM integration in the URL, with the values of ours that go into its client's console."""

import uuid
from collections.abc import Iterable
from typing import Any

from flask import abort

from rgapp.dashboard.common import base_url, load
from rgapp.integrations.scim.kind import KIND, scim_base_url
from rgapp.integrations.scim.presets import PRESETS, ClientPreset, Step, our_values
from rgapp.models import Integration


def connection(integration_id: uuid.UUID) -> Integration:
    """Return the SCIM integration in the URL; 404 for what is none, integrations of other kinds included."""
    found = load(integration_id)
    if found.kind != KIND:
        abort(404)
    return found


def address_of(integration: Integration) -> str:
    """Return the base URL that the client is given."""
    return scim_base_url(integration.programme_id, base_url())


def preset_of(integration: Integration) -> ClientPreset:
    """Return what we know of the client."""
    return PRESETS[integration.provider]


def guide(integration: Integration, steps: Iterable[Step]) -> list[dict[str, Any]]:
    """Return steps in the client's console, each with what is copied there."""
    values = our_values(address_of(integration))
    return [{"text": one.text, "copy": [(one.their_field, values[one.copy])] if one.copy else []} for one in steps]
