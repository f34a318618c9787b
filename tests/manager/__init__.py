"""Tests of Reward Manager's own pages."""
