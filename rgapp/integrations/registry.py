"""The kinds of integration there are; a new kind is one package and one line here."""

from rgapp.integrations.bamboohr.declared import read_access as read_bamboohr
from rgapp.integrations.bamboohr.feeds import BambooFeeds
from rgapp.integrations.bamboohr.kind import BambooHR
from rgapp.integrations.base import AccessKeeper, IntegrationKind, Tile
from rgapp.integrations.json_report.declared import read_access as read_json_report
from rgapp.integrations.json_report.feeds import JSONReportFeeds
from rgapp.integrations.json_report.kind import JSONReport
from rgapp.integrations.pulls.access import PullKeeper
from rgapp.integrations.saml.kind import InboundSAML
from rgapp.integrations.scim.kind import SCIM
from rgapp.integrations.sftp.access import SFTPAccess
from rgapp.integrations.sftp.accounts import username_of
from rgapp.integrations.sftp.kind import SFTP
from rgapp.models import SFTPAccount, SFTPFile, SFTPKey

# Where its server listens is not known here: `create_app()` says it.
FILES = SFTP(username=username_of, kept_with_draft=(SFTPFile, SFTPKey, SFTPAccount))
BAMBOOHR, JSON_REPORT = BambooHR(BambooFeeds()), JSONReport(JSONReportFeeds())
KINDS: dict[str, IntegrationKind] = {kind.key: kind for kind in (InboundSAML(), SCIM(), FILES, BAMBOOHR, JSON_REPORT)}
ACCESS: dict[str, AccessKeeper] = {
    FILES.key: SFTPAccess(),
    BAMBOOHR.key: PullKeeper(read_bamboohr),
    JSON_REPORT.key: PullKeeper(read_json_report),
}


def kind_of(key: str) -> IntegrationKind:
    """Return a kind by its key.

    Raises `KeyError` for one that does not exist.
    """
    return KINDS[key]


def access_of(key: str) -> AccessKeeper | None:
    """Return who keeps what opens the way into integrations of a kind; None for one that has nothing of the sort."""
    return ACCESS.get(key)


def catalogue() -> list[Tile]:
    """Return every tile of every kind, in the order of the catalogue."""
    return [tile for kind in KINDS.values() for tile in kind.tiles()]


def tile_of(provider: str) -> Tile | None:
    """Return the tile with this key, else None."""
    return next((tile for tile in catalogue() if tile.key == provider), None)
