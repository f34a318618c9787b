"""The dashboard blueprint."""

from rgapp.dashboard.routes import bp

__all__ = ["bp"]
