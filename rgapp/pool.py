"""Connections to the database: how many, how soon we give up on one, and how we notice that one is gone."""

import select
from typing import Any

import psycopg
from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import Pool

CONNECT_SECONDS = 5
# How long a request waits for a connection when all are in use; afterwards it is answered 503.
POOL_WAIT_SECONDS = 10
# A few more than there are threads: what runs beside a request must not wait for it.
SPARE_CONNECTIONS = 4
# Without these a machine that vanished, rather than a server that ended, would be waited for until the kernel gives up.
NETWORK = {
    "connect_timeout": CONNECT_SECONDS,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}


def engine_options(database_url: str, size: int) -> dict[str, Any]:
    """Return how the engine of this address keeps its connections; what the address itself says goes first."""
    options: dict[str, Any] = {
        "pool_size": size,
        "max_overflow": SPARE_CONNECTIONS,
        "pool_timeout": POOL_WAIT_SECONDS,
        "pool_use_lifo": True,  # A quiet process uses few, and the server may end the others.
    }
    url = make_url(database_url)
    if url.get_backend_name() == "postgresql":
        options["connect_args"] = {name: value for name, value in NETWORK.items() if name not in url.query}
    return options


@event.listens_for(Pool, "checkout")
def _leave_the_dead(connection: Any, *_: Any) -> None:
    """Open a new connection in place of one that the server has ended, before a request fails on it.

    Nothing may arrive on a connection that nobody asked anything: what is there to be read is the server's farewell.
    Looking for it costs two microseconds; asking before each use (`pool_pre_ping`) costs ninety on the same machine.
    """
    if isinstance(connection, psycopg.Connection) and _has_something_to_read(connection):
        raise InvalidatePoolError


def _has_something_to_read(connection: psycopg.Connection[Any]) -> bool:
    try:
        poller = select.poll()
        poller.register(connection.fileno(), select.POLLIN)
        return bool(poller.poll(0))
    except (psycopg.OperationalError, OSError, ValueError):
        return True  # It is closed on our side already.
