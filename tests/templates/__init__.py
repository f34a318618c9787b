"""Tests of the shared templates."""
