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


_TRANSPORT = ("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
_PLAIN_POLICY = "; ".join(f"{name} {value}" for name, value in POLICY.items())


ORIGIN = re.compile(r"https?://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")


def init_app(app: Flask) -> None:
    """Add the headers to every response."""

    @app.after_request
    def add_headers(response: Response) -> Response:
        if isinstance(request.routing_exception, RequestRedirect):
            response.location = own_path(request.routing_exception.new_url)
        extra = g.get("form_action")
        given = {**HEADERS, "Content-Security-Policy": policy(extra) if extra else _PLAIN_POLICY}
        if app.config["HTTPS"]:
            given.update([_TRANSPORT])
        if request.endpoint not in {"static", "bootstrap.static"}:
            given["Cache-Control"] = "no-store"
        has = {name.lower() for name, _ in response.headers}
        for name, value in given.items():
            if name.lower() not in has:
                response.headers.add(name, value)
        return response


def policy(form_action: str) -> str:
    """Return the Content-Security-Policy of a page whose forms may go to one more origin."""
    return "; ".join(
        f"{name} {value} {form_action}" if name == "form-action" else f"{name} {value}"
        for name, value in POLICY.items()
    )


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
