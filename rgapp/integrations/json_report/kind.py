"""The kind "JSON report": catalogue tile, validation, and settings in words."""

from collections.abc import Mapping
from typing import Any, Final

from rgapp.integrations.base import Tile
from rgapp.integrations.json_report.declared import ACCESS_KEYS
from rgapp.integrations.json_report.settings import JSONReportSettings
from rgapp.integrations.pulls.kind import PullKind

KIND: Final = "json-report"
TILES: Final = (
    Tile(
        "json-report",
        KIND,
        "Directory",
        "HTTP JSON report",
        "We read a report of your HR system from its address, such as a custom report of Workday (RaaS).",
        15,
        "the address of a report in JSON, and the user name and password, or token, that opens it",
    ),
)


class JSONReport(PullKind):
    """Provisioning from a report in JSON."""

    key = KIND
    label = "Pull (JSON report)"
    all_tiles = TILES
    settings = JSONReportSettings
    access_keys = ACCESS_KEYS

    def missing_of_connection(self, settings: Mapping[str, Any]) -> list[str]:
        """Return what of the report is not known yet."""
        return [] if settings.get("url") else ["the address of the report"]

    def describe_connection(self, settings: Mapping[str, Any]) -> dict[str, str]:
        """Return where the report is, without what stands behind the question mark of its address."""
        address = str(settings.get("url") or "Not given").partition("?")[0]
        return {"Report": address, "List of people": settings.get("list") or "The answer itself"}
