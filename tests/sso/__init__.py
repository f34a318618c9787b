"""Tests of the sign-in blueprint."""
