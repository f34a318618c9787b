"""Probes for the platform: is the process alive, can it work, and its metrics."""

import hmac
from ipaddress import ip_address

from flask import Blueprint, Response, abort, current_app, request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from rgapp.access import public
from rgapp.extensions import db, limiter

bp = Blueprint("probes", __name__)
limiter.exempt(bp)


@bp.get("/healthz")
@public
def healthz() -> Response:
    """Answer as long as the process runs."""
    return Response("ok\n", mimetype="text/plain")


@bp.get("/readyz")
@public
def readyz() -> Response:
    """Answer 200 when database and queue can be reached, else 503 naming which cannot."""
    failing = [name for name, works in (("database", _database_works), ("queue", _queue_works)) if not works()]
    if failing:
        return Response(f"not ready: {', '.join(failing)}\n", status=503, mimetype="text/plain")
    return Response("ready\n", mimetype="text/plain")


@bp.get("/metrics")
@public
def metrics() -> Response:
    """Return Prometheus metrics to loopback, or to whoever has RGAPP_METRICS_TOKEN."""
    if not _may_read_metrics():
        abort(404)
    return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)


def _may_read_metrics() -> bool:
    token = current_app.config["METRICS_TOKEN"]
    given = request.headers.get("Authorization", "")
    if token:
        return hmac.compare_digest(given.encode(), f"Bearer {token}".encode())
    if current_app.config["HTTPS"]:
        return False  # Behind a proxy on the same machine everybody comes from loopback, so there the token is needed.
    try:
        return ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


def _database_works() -> bool:
    try:
        db.session.execute(text("SELECT 1 FROM programmes LIMIT 1"))
    except SQLAlchemyError:
        db.session.rollback()
        return False
    return True


def _queue_works() -> bool:
    try:
        current_app.extensions["queue"].pending_count()
    except Exception:
        return False
    return True
