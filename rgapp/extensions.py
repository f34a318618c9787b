"""The Flask extensions, made once here and bound to an application in `create_app()`."""

from functools import cached_property
from ipaddress import IPv6Address, ip_address
from typing import Any

from flask import current_app
from flask_bootstrap import Bootstrap5
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect
from limits import RateLimitItem
from limits.storage import MemoryStorage
from pydantic_core import from_json, to_json
from redis.exceptions import RedisError

from rgapp.models.base import Base
from rgapp.rate_limits import SQLStorage
from rgapp.sealing import Sealer


def client_network() -> str:
    """Return whom a rate limit counts: an IPv4 address, or the /64 that one customer of a network has in IPv6."""
    address = _without_port(get_remote_address())
    try:
        read = ip_address(address)
    except ValueError:
        return address
    if not isinstance(read, IPv6Address):
        return address
    return str(read.ipv4_mapped) if read.ipv4_mapped else f"{IPv6Address(int(read) >> 64 << 64)}/64"


def _without_port(address: str) -> str:
    """Return an address alone: some proxies add the client's port, and each of its connections has another one."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0] if address.count(":") == 1 else address


class ViewLimiter(Limiter):
    """Asks for limits where a view declares some, and nowhere else.

    The extension also looks for limits of the whole application before every request. There are none, and looking
    costs as much as a query: every sign-in would pay for it.
    """

    def _check_request_limit(self, callable_name: str | None = None, in_middleware: bool = True) -> None:
        if not in_middleware:
            super()._check_request_limit(callable_name=callable_name, in_middleware=False)

    def count(self, item: RateLimitItem, *key: str, amount: int = 1) -> int:
        """Count something of our own and return the sum; in this process's memory where the storage is away."""
        counter, expiry = item.key_for(*key), item.get_expiry()
        try:
            return self.limiter.storage.incr(counter, expiry, amount)
        except RedisError:  # Of the storages that can be configured this one raises.
            return self._alone.incr(counter, expiry, amount)

    @cached_property
    def _alone(self) -> MemoryStorage:
        return MemoryStorage()


def shared_counters() -> SQLStorage | None:
    """Return the counters that all web processes share; None where there are no limits, or they are in Redis."""
    counters = getattr(limiter, "_storage", None) if limiter.enabled else None
    return counters if isinstance(counters, SQLStorage) else None


def sealer() -> Sealer:
    """Return what seals secrets at rest, with the keys of this application."""
    found: Sealer = current_app.extensions["sealer"]
    return found


def _json(value: Any) -> str:
    """Return JSON as the database keeps it, in a fraction of the time that the standard library takes."""
    return to_json(value).decode()


# The models stand on a base of their own that knows no Flask; this extension brings engine and session only.
# Errors of the database are logged: without the values, which are people's details.
db = SQLAlchemy(
    metadata=Base.metadata,
    session_options={"expire_on_commit": False},
    engine_options={"hide_parameters": True, "json_serializer": _json, "json_deserializer": from_json},
)
migrate = Migrate()
login_manager = LoginManager()
csrf = CSRFProtect()
limiter = ViewLimiter(key_func=client_network, in_memory_fallback_enabled=True)
bootstrap = Bootstrap5()
