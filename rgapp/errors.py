"""Error pages: calm words, the right status, no trace of the inside."""

import logging
import traceback

from flask import Flask, g, render_template, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from rgapp.extensions import db, login_manager
from rgapp.tokens import new_reference

logger = logging.getLogger(__name__)
# What says that the database cannot be reached now, or not soon enough.
AWAY = (OperationalError, InterfaceError, PoolTimeout)
PAGES = frozenset({400, 403, 404, 405, 413, 429, 500, 503})


def init_app(app: Flask) -> None:
    """Install the handlers."""
    app.register_error_handler(CSRFError, form_expired)
    app.register_error_handler(HTTPException, http_error)
    for away in AWAY:
        app.register_error_handler(away, database_error)
    app.register_error_handler(Exception, unexpected_error)


def http_error(error: HTTPException) -> tuple[str, int, dict[str, str]] | HTTPException:
    """Show the page of this status; redirects and the like pass."""
    code = error.code or 500
    if code < 400:
        return error
    headers = {name: value for name, value in error.get_headers() if name in {"Allow", "Retry-After"}}
    page = code if code in PAGES else (400 if code < 500 else 500)
    try:
        return render_template(f"errors/{page}.html", reference=None), code, headers
    except AWAY as away:  # The page asks who is there.
        return database_error(away)


def form_expired(_: CSRFError) -> tuple[str, int] | tuple[str, int, dict[str, str]]:
    """Say that the form is stale; the usual cause is a tab left open over a sign-out."""
    try:
        return render_template("errors/400.html", reference=None, stale_form=True), 400
    except AWAY as away:
        return database_error(away)


def database_error(error: SQLAlchemyError) -> tuple[str, int, dict[str, str]]:
    """Say that we are back soon; the details are for the log."""
    db.session.rollback()
    cause = getattr(error, "orig", None) or error
    logger.error("database unavailable on %s: %s", request.endpoint, type(cause).__name__)
    _ask_nobody()
    return render_template("errors/503.html", reference=None), 503, {"Retry-After": "5"}


def unexpected_error(error: Exception) -> tuple[str, int]:
    """Log the error with a reference, and show only the reference."""
    db.session.rollback()
    reference = new_reference()
    if isinstance(error, DBAPIError):
        # PostgreSQL names the values in its messages, and they are people's details: only the place is logged.
        place = "".join(traceback.format_tb(error.__traceback__))
        kind = type(error.orig).__name__
        logger.error("unexpected error %s on %s: %s\n%s", reference, request.endpoint, kind, place)
    else:
        logger.error("unexpected error %s on %s", reference, request.endpoint, exc_info=error)
    _ask_nobody()
    return render_template("errors/500.html", reference=reference), 500


def _ask_nobody() -> None:
    """Let the page not ask the database who is there: that may be what failed, and would fail once more."""
    g._login_user = login_manager.anonymous_user()  # This is where Flask-Login keeps whom it found.
