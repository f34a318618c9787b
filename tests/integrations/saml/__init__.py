"""Tests of inbound SAML; none of them needs the web application."""
