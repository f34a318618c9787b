"""Tests of Users."""
