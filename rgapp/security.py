"""Response headers that every page carries."""

import re
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


ORIGIN = re.compile(r"https?://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")


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


def allow_form_action(url: str) -> None:
    """Let a form on this page post to, or end up at, one more origin (browsers check redirects after a post too).

    Customers type these addresses. One whose origin is not plain is left out, for `;` and `,` would begin another
    directive or policy: the browser then does not send the form.
    """
    if origin := origin_of(url):
        g.form_action = origin


def origin_of(url: str) -> str:
    """Return scheme, host and port of an http address as a policy names them, an empty string where they are odd."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna" if not url.isascii() else "ascii").decode()
        port = "" if parts.port is None else f":{parts.port}"
    except ValueError:  # A UnicodeError is one too.
        return ""
    origin = f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}"
    return origin if ORIGIN.fullmatch(origin) else ""
