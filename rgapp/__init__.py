"""rgapp: the front door of an employee-rewards platform."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Flask

from rgapp import addresses, cli, config, database, errors, form_session, intake, proxies, security, templating
from rgapp.auth import principal
from rgapp.extensions import bootstrap, csrf, db, limiter, migrate
from rgapp.jobs import queue
from rgapp.sealing import Sealer


def create_app(environment: Mapping[str, str] | None = None, **overrides: Any) -> Flask:
    """Build the application from environment variables (default: the process's), then from `overrides`."""
    values = os.environ if environment is None else environment
    instance = config.instance_path(values)
    app = Flask(__name__, instance_path=str(instance))
    app.config.from_mapping(config.load(instance, values))
    app.config.from_mapping(overrides)
    app.extensions["sealer"] = Sealer(app.config["ENCRYPTION_KEYS"])

    proxies.init_app(app)
    intake.init_app(app)
    form_session.init_app(app)
    db.init_app(app)
    migrate.init_app(app, db, directory=str(Path(__file__).resolve().parent.parent / "migrations"))
    database.init_app(app)
    csrf.init_app(app)
    limiter.init_app(app)
    bootstrap.init_app(app)
    principal.init_app(app)
    queue.init_app(app)
    addresses.init_app(app)
    templating.init_app(app)
    security.init_app(app)
    errors.init_app(app)
    register_blueprints(app)
    cli.init_app(app)
    if app.config["DEMO"]:
        from rgapp.demo.commands import demo

        app.cli.add_command(demo)
    return app


def register_blueprints(app: Flask) -> None:
    """Register every blueprint; their URLs are part of the public interface."""
    from rgapp import dashboard, home, manager, probes, scim, sso, users
    from rgapp.home import landing

    for part in (sso, scim, home, landing, manager, dashboard, users, probes):
        app.register_blueprint(part.bp)
    errors.answer_with(app, scim.PREFIX, scim.error_answer)
