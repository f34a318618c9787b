"""Take the client's address from our own proxies, and nothing else from any."""

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix


def init_app(app: Flask) -> None:
    """Believe X-Forwarded-For of as many proxies as RGAPP_TRUSTED_PROXIES says.

    Scheme, host and port are never taken from a header: addresses are built from RGAPP_BASE_URL.
    """
    trusted: int = app.config["TRUSTED_PROXIES"]
    if trusted:
        proxied = ProxyFix(app.wsgi_app, x_for=trusted, x_proto=0, x_host=0, x_port=0, x_prefix=0)
        app.wsgi_app = proxied  # type: ignore[method-assign]  # This is how Flask documents it.
