"""The pages of every kind of integration; a new kind is one package and one line here."""

from rgapp.dashboard.kinds import KindPages
from rgapp.dashboard.saml.pages import SAMLPages

PAGES: dict[str, KindPages] = {pages.key: pages for pages in (SAMLPages(),)}


def pages_of(key: str) -> KindPages:
    """Return the pages of a kind.

    Raises `KeyError` for one that does not exist.
    """
    return PAGES[key]
