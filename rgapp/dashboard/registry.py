"""The pages of every kind of integration, filled in beside the routes: kinds use the frame, the frame looks here."""

from typing import Final

from rgapp.dashboard.kinds import KindPages

PAGES: Final[dict[str, KindPages]] = {}


def register(*found: KindPages) -> None:
    """Add the pages of kinds."""
    PAGES.update({pages.key: pages for pages in found})


def has_pages(key: str) -> bool:
    """Tell whether a kind has pages; one without is set up at the command line, and not shown here."""
    return key in PAGES


def pages_of(key: str) -> KindPages:
    """Return the pages of a kind.

    Raises `KeyError` for one that does not exist.
    """
    return PAGES[key]
