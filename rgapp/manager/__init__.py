"""The manager blueprint."""

from rgapp.manager.routes import bp

__all__ = ["bp"]
