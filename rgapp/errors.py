"""Error pages: calm words, the right status, no trace of the inside."""

import logging
import traceback
from collections.abc import Callable

from flask import Flask, Response, current_app, g, render_template, request
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


Page = tuple[str, int, dict[str, str]]
#: Answers an error of a part of the application that shows no pages: status, sentence (empty: the usual one), headers.
Answerer = Callable[[int, str, dict[str, str]], Response]


def answer_with(app: Flask, prefix: str, answerer: Answerer) -> None:
    """Let errors at addresses below a prefix be answered in another form than a page, also where no view is found."""
    app.extensions.setdefault("error_answers", {})[prefix] = answerer


def _answerer() -> Answerer | None:
    found: dict[str, Answerer] = current_app.extensions.get("error_answers", {})
    path = request.path
    return next((each for prefix, each in found.items() if path == prefix or path.startswith(f"{prefix}/")), None)


def http_error(error: HTTPException) -> Page | Response | HTTPException:
    """Show the page of this status; redirects and the like pass."""
    code = error.code or 500
    if code < 400:
        return error
    headers = {name: value for name, value in error.get_headers() if name in {"Allow", "Retry-After"}}
    if (answerer := _answerer()) is not None:
        return answerer(code, "", headers)
    page = code if code in PAGES else (400 if code < 500 else 500)
    try:
        return render_template(f"errors/{page}.html", reference=None), code, headers
    except AWAY as away:  # The page asks who is there.
        return database_error(away)


def form_expired(_: CSRFError) -> tuple[str, int] | Page | Response:
    """Say that the form is stale; the usual cause is a tab left open over a sign-out."""
    try:
        return render_template("errors/400.html", reference=None, stale_form=True), 400
    except AWAY as away:
        return database_error(away)


def database_error(error: SQLAlchemyError) -> Page | Response:
    """Say that we are back soon; the details are for the log."""
    db.session.rollback()
    cause = getattr(error, "orig", None) or error
    logger.error("database unavailable on %s: %s", request.endpoint, type(cause).__name__)
    if (answerer := _answerer()) is not None:
        return answerer(503, "", {"Retry-After": "5"})
    _ask_nobody()
    return render_template("errors/503.html", reference=None), 503, {"Retry-After": "5"}


def unexpected_error(error: Exception) -> tuple[str, int] | Response:
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
    if (answerer := _answerer()) is not None:
        return answerer(500, f"Something went wrong here. Please name the reference {reference}.", {})
    _ask_nobody()
    return render_template("errors/500.html", reference=reference), 500


def _ask_nobody() -> None:
    """Let the page not ask the database who is there: that may be what failed, and would fail once more."""
    g._login_user = login_manager.anonymous_user()  # This is where Flask-Login keeps whom it found.
