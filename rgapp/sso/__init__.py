"""The sso blueprint."""

from rgapp.sso.routes import bp

__all__ = ["bp"]
