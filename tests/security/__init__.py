"""Attacks on the front door, and what stops each."""
