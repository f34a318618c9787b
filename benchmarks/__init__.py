"""Benchmarks: each a command of its own (`python -m benchmarks.sign_in`), never a timed test."""
