"""Inbound SAML 2.0: metadata, certificates, requests and the validator; no web framework, no database."""
