"""The server's life: listen, look after the spool each minute, and end without losing anything."""

import asyncio
import contextlib
import errno
import logging
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import asyncssh
from flask import Flask

from rgapp.integrations.sftp import address
from rgapp.integrations.sftp.arrivals import Receive
from rgapp.sftp import host_keys
from rgapp.sftp.gate import Gate
from rgapp.sftp.house import House, shut_out
from rgapp.sftp.limits import ALIVE_EVERY_SECONDS, ALIVE_TRIES, IDLE_SECONDS, SIGN_IN_SECONDS, STOP_SECONDS, Quota
from rgapp.sftp.services import Services

logger = logging.getLogger(__name__)

ROUND_SECONDS: Final = 60.0
# What is safe today and what clients of the last ten years have; nothing with SHA-1.
KEY_EXCHANGES: Final = (
    "mlkem768x25519-sha256",
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp521",
    "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp256",
    "diffie-hellman-group16-sha512",
    "diffie-hellman-group18-sha512",
    "diffie-hellman-group-exchange-sha256",
    "diffie-hellman-group14-sha256",
)
CIPHERS: Final = (
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "chacha20-poly1305@openssh.com",
    "aes256-ctr",
    "aes192-ctr",
    "aes128-ctr",
)
MACS: Final = ("hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256", "hmac-sha2-512")
SIGNATURES: Final = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
)


@dataclass(frozen=True)
class Place:
    """Where to listen, and what is kept where; port 0 is any that is free, `or_another` if this one is not.

    Files are deleted when their runs have been over for as long as they are `kept`.
    """

    address: str
    port: int
    or_another: bool
    folder: Path
    spool: Path
    quota: Quota
    kept: timedelta


async def serve(app: Flask, place: Place, receive: Receive, *, announce: Callable[[int], None]) -> None:
    """Serve until SIGTERM or SIGINT; `announce` is told the port.

    Raises `OSError` where the address cannot be listened on.
    """
    services = Services(app, place.spool, place.quota, receive, kept=place.kept)
    house = House(services)
    server = await _listen(place, house)
    port = server.get_port()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    port_file = address.port_file(place.folder)
    port_file.write_text(f"{port}\n")
    announce(port)
    rounds = asyncio.create_task(_rounds(house))
    try:
        await stopped.wait()
    finally:
        server.close()
        rounds.cancel()
        await _farewell(house)
        with contextlib.suppress(asyncio.CancelledError):
            await rounds
        await services.close()
        port_file.unlink(missing_ok=True)


async def _listen(place: Place, house: House) -> asyncssh.SSHAcceptor:
    keys = await house.services.disk(host_keys.load, place.folder)
    try:
        return await _listen_on(place.address, place.port, house, keys)
    except OSError as error:
        if error.errno != errno.EADDRINUSE or not place.or_another:
            raise
        return await _listen_on(place.address, 0, house, keys)


async def _listen_on(host: str, port: int, house: House, keys: Sequence[asyncssh.SSHKey]) -> asyncssh.SSHAcceptor:
    return await asyncssh.listen(
        host,
        port,
        server_factory=lambda: Gate(house),
        server_host_keys=list(keys),
        config=None,
        reuse_address=True,
        server_version="rgapp",
        kex_algs=KEY_EXCHANGES,
        encryption_algs=CIPHERS,
        mac_algs=MACS,
        signature_algs=SIGNATURES,
        compression_algs=["none"],
        kbdint_auth=False,
        host_based_auth=False,
        gss_host=None,
        allow_pty=False,
        line_editor=False,
        agent_forwarding=False,
        x11_forwarding=False,
        allow_scp=False,
        login_timeout=SIGN_IN_SECONDS,
        keepalive_interval=ALIVE_EVERY_SECONDS,
        keepalive_count_max=ALIVE_TRIES,
    )


async def look_once(app: Flask, place: Place, receive: Receive) -> None:
    """Look after the spool once, as the server does each minute."""
    services = Services(app, place.spool, place.quota, receive, kept=place.kept)
    try:
        await services.round()
    finally:
        await services.close()


async def _rounds(house: House) -> None:
    while True:
        began = time.monotonic()
        try:
            await house.services.round()
            await shut_out(house, idle_seconds=IDLE_SECONDS)
        except Exception:  # The next round may do better; the server goes on serving.
            logger.exception("the spool could not be looked after")
        await asyncio.sleep(max(1.0, ROUND_SECONDS - (time.monotonic() - began)))


async def _farewell(house: House) -> None:
    """Let uploads that are under way come to their end for a while, then end every connection.

    What is not complete by then stays unfinished, and its client continues it with the next server.
    """
    until = time.monotonic() + STOP_SECONDS
    while house.services.running_uploads() and time.monotonic() < until:
        await asyncio.sleep(0.1)
    for guest in tuple(house.guests):
        guest.abort()
    until = time.monotonic() + 2
    while (house.guests or house.services.running_uploads()) and time.monotonic() < until:
        await asyncio.sleep(0.02)
