"""Integrations: one package per kind, all with the same parts, and the services they share."""
