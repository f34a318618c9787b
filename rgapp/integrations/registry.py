"""The kinds of integration there are; a new kind is one package and one line here."""

from rgapp.integrations.base import AccessKeeper, IntegrationKind, Tile
from rgapp.integrations.saml.kind import InboundSAML
from rgapp.integrations.scim.kind import SCIM
from rgapp.integrations.sftp.access import SFTPAccess
from rgapp.integrations.sftp.accounts import username_of
from rgapp.integrations.sftp.kind import SFTP
from rgapp.models import SFTPAccount, SFTPFile, SFTPKey

# Where its server listens is not known here: `create_app()` says it.
FILES = SFTP(username=username_of, kept_with_draft=(SFTPFile, SFTPKey, SFTPAccount))
KINDS: dict[str, IntegrationKind] = {kind.key: kind for kind in (InboundSAML(), SCIM(), FILES)}
ACCESS: dict[str, AccessKeeper] = {FILES.key: SFTPAccess()}


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
