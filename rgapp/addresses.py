"""Under which address the services beside the web are found, for kinds that know no Flask."""

from flask import Flask, current_app

from rgapp.integrations.registry import FILES
from rgapp.integrations.sftp import address


def init_app(app: Flask) -> None:
    """Let the kind that takes files tell where its server is; which application is meant, the context says."""
    FILES.address = sftp_address


def sftp_address(base_url: str) -> tuple[str, int]:
    """Return host and port of the SFTP server for clients."""
    return address.shown(current_app.config)
