"""The home blueprint."""

from rgapp.home.routes import bp

__all__ = ["bp"]
