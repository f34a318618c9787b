"""scim2-server's own test server as a peer: everything in memory, one token; what SCIM costs without a database."""

import os
from collections.abc import Callable, Iterable
from typing import Any

from scim2_server.memory import InMemoryStorage
from scim2_server.testserver.application import BearerTokenApplication
from scim2_server.utils import load_default_provider

WSGIApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def create_app() -> WSGIApplication:
    """Build the application as the library's command does; gunicorn calls this, in one process.

    Its answers are given their length, which the load generator reads; the library leaves that to the server.
    """
    application: Any = BearerTokenApplication(
        InMemoryStorage(), load_default_provider(), bearer_tokens=[os.environ["BENCHMARK_TOKEN"]]
    )

    def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        begun: list[Any] = []

        def note(status: str, headers: list[tuple[str, str]], *_: Any) -> None:
            begun.append((status, headers))

        body = b"".join(application(environ, note))
        status, headers = begun[0]
        start_response(status, [*headers, ("Content-Length", str(len(body)))])
        return [body]

    return serve
