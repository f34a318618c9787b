"""SCIM 2.0 (RFC 7643, RFC 7644): the service that identity providers and HR systems push people to."""

from rgapp.scim.routes import PREFIX, bp, error_answer

__all__ = ["PREFIX", "bp", "error_answer"]
