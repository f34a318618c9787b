"""Response headers that every page carries."""

from urllib.parse import urlsplit, urlunsplit

from flask import Flask, Response, g, request
from werkzeug.routing import RequestRedirect

POLICY = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "object-src": "'none'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
    "form-action": "'self'",
}
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def init_app(app: Flask) -> None:
    """Add the headers to every response."""

    @app.after_request
    def add_headers(response: Response) -> Response:
        if isinstance(request.routing_exception, RequestRedirect):
            response.location = own_path(request.routing_exception.new_url)
        policy = dict(POLICY)
        if extra := g.get("form_action"):
            policy["form-action"] = f"'self' {extra}"
        response.headers.setdefault("Content-Security-Policy", "; ".join(f"{k} {v}" for k, v in policy.items()))
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if app.config["HTTPS"]:
            response.headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
        if request.endpoint not in {"static", "bootstrap.static"}:
            response.headers.setdefault("Cache-Control", "no-store")
        return response


def own_path(url: str) -> str:
    """Return path and query of an address that routing built with the Host header, which anybody can choose."""
    parts = urlsplit(url)
    return urlunsplit(("", "", "/" + parts.path.lstrip("/"), parts.query, ""))


def allow_form_action(origin: str) -> None:
    """Let a form on this page post to, or end up at, one more origin (browsers check redirects after a post too)."""
    g.form_action = origin
