"""`flask sftp …`: the SFTP server, and what an operator does about its spool."""

import asyncio
import errno
import logging
import os
from datetime import timedelta
from pathlib import Path

from flask import Flask, current_app
from flask.cli import with_appcontext

from rgapp.cli.support import CommandError, group, json_option, note, print_json, print_table
from rgapp.integrations.sftp.receiving import receive
from rgapp.sftp import host_keys, serving
from rgapp.sftp.limits import Quota
from rgapp.sftp.serving import Place

sftp = group("sftp", "Serve SFTP, and look after what was uploaded.")


@sftp.command("serve")
@with_appcontext
def serve() -> None:
    """Take files until stopped; SIGTERM lets uploads that are under way finish for a moment."""
    _log()
    place = _place()
    try:
        asyncio.run(serving.serve(_app(), place, receive, announce=lambda port: _announce(place, port)))
    except OSError as error:
        if error.errno not in {errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL}:
            raise
        raise CommandError(
            f"Port {place.port} of {place.address or 'this machine'} cannot be listened on: {error.strerror}. "
            "RGAPP_SFTP_PORT chooses another one."
        ) from error


@sftp.command("scan")
@with_appcontext
def scan() -> None:
    """Look after the spool once: take what another SFTP server left, and hand over what waits.

    `flask sftp serve` does this each minute by itself.
    """
    _log()
    asyncio.run(serving.look_once(_app(), _place(), receive))


@sftp.command("fingerprints")
@json_option
@with_appcontext
def fingerprints(as_json: bool) -> None:
    """Print the fingerprints of the server's host keys, for clients to check."""
    found = host_keys.public(Path(current_app.config["SFTP_FOLDER"]))
    if as_json:
        print_json([{"kind": key.kind, "fingerprint": key.fingerprint, "public_key": key.line} for key in found])
        return
    print_table(
        ("kind", "fingerprint"),
        [(key.kind, key.fingerprint) for key in found],
        empty="There is no host key yet: `flask sftp serve` makes them when it starts.",
    )


def _place() -> Place:
    config = current_app.config
    return Place(
        address=config["SFTP_BIND"],
        port=config["SFTP_PORT"],
        or_another=config["SFTP_OTHER_PORT"],
        folder=Path(config["SFTP_FOLDER"]),
        spool=Path(config["SFTP_SPOOL"]),
        quota=Quota(config["SFTP_MAX_BYTES"], config["SFTP_MAX_FILES"], config["SFTP_MAX_TOTAL_BYTES"]),
        kept=timedelta(days=config["SFTP_KEEP_DAYS"]),
    )


def _app() -> Flask:
    """Return the application itself: other threads do not see the command's context."""
    found: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    return found


def _announce(place: Place, port: int) -> None:
    note(f"SFTP server listens on {place.address or '*'}:{port}.")


def _log() -> None:
    """Let the server's own lines reach stderr; the library tells each key exchange, which nobody wants to read."""
    logging.basicConfig(level=os.environ.get("RGAPP_LOG_LEVEL", "info").upper(), format="%(levelname)s %(message)s")
    logging.getLogger("asyncssh").setLevel(logging.ERROR)
