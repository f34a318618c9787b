"""The SFTP integration in the URL, its account, where clients find our server, and its example file."""

import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import abort, current_app

from rgapp.clock import utcnow
from rgapp.dashboard.common import actor, load
from rgapp.extensions import db
from rgapp.integrations.sftp import accounts, address, examples
from rgapp.integrations.sftp.examples import Example
from rgapp.integrations.sftp.kind import KIND
from rgapp.integrations.sftp.spool import Entry
from rgapp.models import Integration, SFTPAccount

MEBI = 1 << 20


@dataclass(frozen=True)
class Server:
    """Our server as a client has to know it; `fingerprints` are (kind, SHA-256 fingerprint)."""

    host: str
    port: int
    fingerprints: list[tuple[str, str]]

    @property
    def known_hosts(self) -> str:
        """Return how `known_hosts` names the server."""
        return self.host if self.port == 22 else f"[{self.host}]:{self.port}"


def connection(integration_id: uuid.UUID) -> Integration:
    """Return the SFTP integration in the URL; 404 for what is none, integrations of other kinds included."""
    found = load(integration_id)
    if found.kind != KIND:
        abort(404)
    return found


def account_of(integration: Integration) -> SFTPAccount | None:
    """Return the integration's account, None before its first need."""
    return accounts.of_integration(db.session(), integration)


def made_account(integration: Integration) -> SFTPAccount:
    """Return the integration's account, made where there is none yet."""
    return accounts.ensure(db.session(), integration, actor=actor(), now=utcnow())


def server() -> Server:
    """Return what a client has to know of our server."""
    from rgapp.sftp import host_keys  # Loads all of SSH, which few pages need.

    host, port = address.shown(current_app.config)
    keys = host_keys.public(Path(current_app.config["SFTP_FOLDER"]))
    return Server(host, port, [(key.kind, key.fingerprint) for key in keys])


def limits() -> list[tuple[str, Any]]:
    """Return what an account may keep, in words."""
    config = current_app.config
    return [
        ("Largest file", _size(config["SFTP_MAX_BYTES"])),
        ("Files at once", f"{config['SFTP_MAX_FILES']:,}"),
        ("All files together", _size(config["SFTP_MAX_TOTAL_BYTES"])),
    ]


def _size(count: int) -> str:
    return f"{count >> 30:,} GiB" if count % (1 << 30) == 0 else f"{count // MEBI:,} MiB"


def spool() -> Path:
    """Return where uploaded files are."""
    return Path(current_app.config["SFTP_SPOOL"])


def example_folder(username: str) -> Path:
    """Return where the example of an account is kept."""
    return examples.folder_of(spool(), username)


def example_of(integration: Integration) -> Example | None:
    """Return the example file, None where there is none."""
    account = account_of(integration)
    return examples.current(example_folder(account.username)) if account is not None else None


def last_upload(integration: Integration) -> Entry | None:
    """Return the newest file that came by SFTP, None where there is none any more."""
    account = account_of(integration)
    return examples.last_upload(spool(), account.username) if account is not None else None
