"""Presets of identity providers: what to do in their consoles, and what they usually call our fields."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from rgapp.integrations.saml import consoles_cloud, consoles_other
from rgapp.integrations.saml.preset import OurValue, ProviderPreset, Step

#: In the order in which the catalogue shows them.
PRESETS: Final[Mapping[str, ProviderPreset]] = MappingProxyType(
    {
        preset.key: preset
        for preset in (
            consoles_cloud.ENTRA,
            consoles_cloud.OKTA,
            consoles_cloud.GOOGLE,
            consoles_cloud.ONELOGIN,
            consoles_other.ADFS,
            consoles_cloud.PINGONE,
            consoles_cloud.JUMPCLOUD,
            consoles_other.KEYCLOAK,
            consoles_other.CUSTOM,
        )
    }
)

__all__ = ["PRESETS", "OurValue", "ProviderPreset", "Step"]
