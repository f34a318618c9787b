"""How gunicorn serves the web process; every number can be set from the environment."""

import gc
import logging
import os
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger
from gunicorn.http.message import Request
from gunicorn.http.wsgi import Response
from gunicorn.workers.base import Worker

from rgapp.config import ConfigError, instance_path, load

os.umask(0o077)  # As in wsgi.py; the master writes a file, too.

bind = os.environ.get("RGAPP_BIND") or f"127.0.0.1:{os.environ.get('PORT') or 8000}"
worker_class = "gthread"
workers = int(os.environ.get("RGAPP_WEB_WORKERS") or 2)
threads = int(os.environ.get("RGAPP_WEB_THREADS") or 8)
# Each worker builds its own application: no database connection, lock or random state ever crosses a fork.
preload_app = False

timeout = 30
graceful_timeout = 20
keepalive = 5
# A sign-out by redirect has a signed SAML message in its query; gunicorn's default of 4094 would cut some.
limit_request_line = 8190
limit_request_fields = 60
limit_request_field_size = 8190
# Our address is RGAPP_BASE_URL; what a proxy says about scheme and host is read by nobody.
forwarded_allow_ips = os.environ.get("FORWARDED_ALLOW_IPS", "")

control_socket_disable = True  # It would stand in the home folder, one for every instance of this machine.
accesslog = "-"
errorlog = "-"
loglevel = os.environ.get("RGAPP_LOG_LEVEL", "info")
# The path only: queries carry SAML messages, RelayState and search terms, the referrer may carry them again.
access_log_format = '%(h)s "%(m)s %(U)s" %(s)s %(B)s %(M)sms'

_UNPRINTABLE = re.compile(r"[^\x21-\x7e]")  # A path may hold line breaks, and with them invented log lines.
_TOKEN = re.compile(r"(?<=/)[A-Za-z0-9_-]{40,}(?=/|$)")


class PathLogger(Logger):  # type: ignore[misc]  # gunicorn ships no types.
    """Write paths without their one-time tokens: segments of 40 characters and more; ids are shorter."""

    def atoms(self, resp: Response, req: Request, environ: dict[str, Any], request_time: Any) -> dict[str, Any]:
        """Return what the access log may print of one request; its headers, cookies among them, are not even read."""
        return {
            "h": environ.get("REMOTE_ADDR", "-"),
            "m": environ.get("REQUEST_METHOD"),
            "U": _without_secrets(environ.get("PATH_INFO") or ""),
            "s": str(resp.status).partition(" ")[0],
            "B": getattr(resp, "sent", None),
            "M": int(request_time.total_seconds() * 1000),
        }

    def exception(self, msg: str, *args: Any, **options: Any) -> None:
        """Log an error that came out of the application, which gunicorn says with the whole address."""
        super().exception(msg, *(_without_secrets(arg) for arg in args), **options)


def _without_secrets(arg: Any) -> Any:
    if not isinstance(arg, str):
        return arg
    return _TOKEN.sub("***", _UNPRINTABLE.sub("?", arg.partition("?")[0]))


logger_class = PathLogger


def pre_request(worker: Any, req: Request) -> None:
    """Log nothing yet: gunicorn's own hook writes the path, with its one-time token, at the level `debug`."""


def on_starting(server: Arbiter) -> None:
    """Refuse a configuration that cannot be served safely, once; leave our address for the command line."""
    instance = instance_path()
    try:
        settings = load(instance)
    except ConfigError as error:
        server.log.error("%s", error)
        logging.shutdown()
        sys.exit(2)
    keep_base_url(instance, settings["BASE_URL"])


def saying_farewell(application: WSGIApplication) -> WSGIApplication:
    """Say `Connection: close` with the answer to a body that was too large to be read.

    gunicorn closes such a connection, and by itself it says so to nobody: a client would send its next request there.
    """

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *problem: Any) -> Callable[[bytes], object]:
            if status.startswith("413"):
                response: Response = start_response.__self__  # type: ignore[attr-defined]  # It is a method of it.
                response.force_close()
            return start_response(status, headers, *problem)

        return application(environ, start)

    return serve


def post_worker_init(worker: Worker) -> None:
    """Prepare the application, and leave what it consists of out of every later collection.

    Two hundred thousand objects never go. Looking through them takes tens of milliseconds, and a request waits for it.
    """
    worker.wsgi = saying_farewell(worker.wsgi)
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)  # A request makes some thousands of objects, and most of them go with it.


def keep_base_url(instance: Path, base_url: str) -> None:
    """Write the address so that `flask integration list`, without PORT, prints the right links."""
    draft = instance / f".base_url.{os.getpid()}"
    draft.write_text(base_url + "\n")
    draft.replace(instance / "base_url")
