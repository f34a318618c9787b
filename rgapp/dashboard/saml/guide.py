"""The identity provider's own steps, with the values of ours that go into its fields."""

from collections.abc import Mapping
from typing import Any

from rgapp.integrations.saml.preset import OurValue, ProviderPreset

OUR_URLS = {
    OurValue.ENTITY_ID: "entity_id",
    OurValue.ACS_URL: "acs",
    OurValue.METADATA_URL: "metadata",
    OurValue.LOGIN_URL: "login",
    OurValue.SLS_URL: "sls",
}


def guide(preset: ProviderPreset, urls: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the steps in the provider's console, each with what is copied there."""
    return [
        {"text": step.text, "copy": [(step.their_field, urls[OUR_URLS[step.copy]])] if step.copy else []}
        for step in preset.steps
    ]
