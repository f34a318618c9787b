"""The flask commands: each calls the same services as the web."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the commands."""
