"""Reward Manager's own pages: sign-in, account, programmes, activity, settings, mail, and the frame of every page."""

from rgapp.manager import account, activity, context, mail, routes, second_step, settings, ways
from rgapp.manager.routes import bp

__all__ = ["account", "activity", "bp", "context", "mail", "routes", "second_step", "settings", "ways"]
