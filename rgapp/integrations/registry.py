"""The kinds of integration there are; a new kind is one package and one line here."""

from rgapp.integrations.base import IntegrationKind, Tile
from rgapp.integrations.saml.kind import InboundSAML
from rgapp.integrations.scim.kind import SCIM

KINDS: dict[str, IntegrationKind] = {kind.key: kind for kind in (InboundSAML(), SCIM())}


def kind_of(key: str) -> IntegrationKind:
    """Return a kind by its key.

    Raises `KeyError` for one that does not exist.
    """
    return KINDS[key]


def catalogue() -> list[Tile]:
    """Return every tile of every kind, in the order of the catalogue."""
    return [tile for kind in KINDS.values() for tile in kind.tiles()]


def tile_of(provider: str) -> Tile | None:
    """Return the tile with this key, else None."""
    return next((tile for tile in catalogue() if tile.key == provider), None)
