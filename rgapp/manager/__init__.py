"""Reward Manager's own pages: sign-in, programmes, activity, settings and mail, and the frame around every page."""

from rgapp.manager import activity, context, mail, routes, settings
from rgapp.manager.routes import bp

__all__ = ["activity", "bp", "context", "mail", "routes", "settings"]
