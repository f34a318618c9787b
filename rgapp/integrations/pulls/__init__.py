"""Pulls: what all integrations share that fetch their people from the other side."""
