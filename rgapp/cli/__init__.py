"""The flask commands: each calls the same services as the web."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the commands; those of the demo only where it is switched on."""
    if app.config["DEMO"]:
        from rgapp.demo.commands import demo

        app.cli.add_command(demo)
