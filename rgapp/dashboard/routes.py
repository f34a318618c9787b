"""Routes of the dashboard blueprint: importing each module registers the pages of one part."""

import rgapp.dashboard.catalogue
import rgapp.dashboard.integration
import rgapp.dashboard.overview
import rgapp.dashboard.review
import rgapp.dashboard.saml.activity
import rgapp.dashboard.saml.initial
import rgapp.dashboard.saml.mapping
import rgapp.dashboard.saml.testing  # noqa: F401 - these imports are for their effect.
from rgapp.dashboard.common import bp

__all__ = ["bp"]
