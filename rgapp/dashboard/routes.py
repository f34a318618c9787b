"""Routes of the dashboard blueprint: importing each module registers the pages of one part."""

import rgapp.dashboard.catalogue
import rgapp.dashboard.integration
import rgapp.dashboard.overview
import rgapp.dashboard.review
import rgapp.dashboard.setup_saml
import rgapp.dashboard.testing  # noqa: F401 - these imports are for their effect.
from rgapp.dashboard.common import bp

__all__ = ["bp"]
