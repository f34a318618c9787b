"""The BambooHR kind: catalogue tile, first draft, validation, and settings in words."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

from rgapp.integrations.bamboohr.declared import ACCESS_KEYS
from rgapp.integrations.bamboohr.settings import DEFAULT_MAPPING, BambooSettings
from rgapp.integrations.base import DeclaredContext, SettingsProblem, Tile
from rgapp.integrations.pulls.kind import PullKind
from rgapp.outbound import origin_of

KIND: Final = "bamboohr"
FILTERS: Final = {
    "status": "Status",
    "employment_type": "Employment type",
    "country": "Country",
    "department": "Department",
}
TILES: Final = (
    Tile(
        "bamboohr",
        KIND,
        "Directory",
        "BambooHR",
        "We read the people in your BambooHR every day, and who is there has an account.",
        15,
        "somebody in BambooHR who sees every employee and may make an API key",
    ),
)


class BambooHR(PullKind):
    """Provisioning from BambooHR."""

    key = KIND
    label = "Pull (BambooHR)"
    all_tiles = TILES
    settings = BambooSettings
    access_keys = ACCESS_KEYS
    usual_mapping: ClassVar[Mapping[str, Any]] = DEFAULT_MAPPING

    def wrong_with(self, settings: Mapping[str, Any], context: DeclaredContext) -> list[SettingsProblem]:
        """Refuse another address than BambooHR's own, unless the operator has named it."""
        address = settings.get("base_url")
        if not address or _origin(address) in context.outbound_allow:
            return []
        return [SettingsProblem("base_url", "Only an address that RGAPP_OUTBOUND_ALLOW names can stand here.")]

    def missing_of_connection(self, settings: Mapping[str, Any]) -> list[str]:
        """Return what of BambooHR is not known yet."""
        return [] if settings.get("subdomain") else ["the sub-domain of your BambooHR"]

    def describe_connection(self, settings: Mapping[str, Any]) -> dict[str, str]:
        """Return which BambooHR is asked, and who is taken."""
        subdomain, address = settings.get("subdomain"), settings.get("base_url")
        where = address or (f"{subdomain}.bamboohr.com" if subdomain else "Not given")
        filters = settings.get("filters") or {}
        return {"BambooHR": f"{subdomain}, at {address}" if address and subdomain else where} | {
            f"Who: {label.lower()}": ", ".join(map(str, filters.get(key) or ())) or "Any"
            for key, label in FILTERS.items()
        }


def _origin(address: str) -> str:
    try:
        parts = urlsplit(address)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
    except ValueError:
        return ""
    return origin_of(parts.scheme, parts.hostname or "", port)
