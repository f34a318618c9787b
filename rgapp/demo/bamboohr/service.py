"""The simulated BambooHR put together, and served on loopback."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from flask import Flask
from werkzeug.serving import BaseWSGIServer, make_server

from rgapp.demo.bamboohr import consent, control, datasets, routes
from rgapp.demo.bamboohr.access import Door
from rgapp.demo.bamboohr.answers import refusal
from rgapp.demo.bamboohr.company import Company
from rgapp.demo.bamboohr.faults import Faulty

KEY: Final = "demo-api-key"
HOST: Final = "127.0.0.1"


def create(employees: int, *, key: str = KEY) -> Flask:
    """Make the account with so many employees, into which this API key leads."""
    app = Flask(__name__)
    app.json.sort_keys = False  # type: ignore[attr-defined]  # The usual provider has it.
    company, door = Company(employees), Door({key})
    for bp in (routes.bp, datasets.bp, consent.bp, control.bp):
        app.register_blueprint(bp)
    app.register_error_handler(404, lambda _: refusal(404, "Not found"))
    app.register_error_handler(405, lambda _: refusal(405, "Method not allowed"))
    faulty = Faulty(app.wsgi_app, lambda told: control.act(company, door, told))
    app.extensions |= {"company": company, "door": door, "faulty": faulty}
    app.wsgi_app = faulty  # type: ignore[method-assign]
    return app


def server(app: Flask, port: int = 0) -> BaseWSGIServer:
    """Return a server on loopback, on a free port unless one is named."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    return make_server(HOST, port, app, threaded=True)


class Simulated:
    """A simulated account that runs in this process, for tests."""

    def __init__(self, app: Flask, port: int) -> None:
        self.origin = f"http://{HOST}:{port}"
        self.key = KEY
        self._app = app

    def do(self, **told: Any) -> dict[str, Any]:
        """Do what `_control` would do."""
        if "faults" in told:
            self._app.extensions["faulty"].set(told.pop("faults"))
        return control.act(self.company, self.door, told)

    @property
    def company(self) -> Company:
        """Return its people."""
        found: Company = self._app.extensions["company"]
        return found

    @property
    def door(self) -> Door:
        """Return who may come in."""
        found: Door = self._app.extensions["door"]
        return found

    @property
    def requests(self) -> int:
        """Return how many requests came since the last script of faults."""
        return int(self._app.extensions["faulty"].count)

    @property
    def paths(self) -> list[str]:
        """Return which they were."""
        return list(self._app.extensions["faulty"].paths)


@contextmanager
def running(employees: int) -> Iterator[Simulated]:
    """Run a simulated account on a free port while a block runs."""
    app = create(employees)
    made = server(app)
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield Simulated(app, made.port)
    finally:
        made.shutdown()
        made.server_close()
        thread.join()
