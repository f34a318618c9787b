"""Inbound SAML 2.0: metadata, certificates, requests and the validator; knows no web framework and no database."""
