"""The SAML endpoints of each connection."""

from rgapp.sso import logout
from rgapp.sso.routes import bp

__all__ = ["bp", "logout"]
