"""The dashboard's pages of inbound SAML connections."""
