"""The users blueprint."""

from rgapp.users.routes import bp

__all__ = ["bp"]
