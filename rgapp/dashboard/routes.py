"""Routes of the dashboard blueprint: each module registers the pages of one part."""

from rgapp.dashboard import catalogue, integration, overview, review, setup_saml, testing
from rgapp.dashboard.common import bp

__all__ = ["bp", "catalogue", "integration", "overview", "review", "setup_saml", "testing"]
