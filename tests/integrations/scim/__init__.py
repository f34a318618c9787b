"""Tests of SCIM without the web application."""
