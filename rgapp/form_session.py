"""Flask's session, which holds what forms need: a request that brings none begins an empty one without a signer."""

from flask import Flask, Request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface


class FormSession(SecureCookieSessionInterface):
    """Makes the signer only for a cookie to be read or written; a sign-in has neither."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Return what the cookie holds, or an empty session."""
        if not request.cookies.get(self.get_cookie_name(app)):
            return self.session_class()
        return super().open_session(app, request)


def init_app(app: Flask) -> None:
    """Let the application keep its sessions so."""
    app.session_interface = FormSession()
