"""The cookie that binds a sign-in to the browser that started it."""

from flask import current_app, request
from werkzeug.wrappers import Response

from rgapp.access import set_cookie

LASTS_SECONDS = 3600


def binding_tokens() -> list[str]:
    """Return the binding tokens that came with this request."""
    return [token for name in _names() if (token := request.cookies.get(name))]


def bind_browser(response: Response, token: str) -> None:
    """Give the browser its binding token.

    The answer comes as a cross-site POST, to which browsers send SameSite=None cookies only, and those only with
    Secure. Over plain http (a loopback address while developing) a twin without Secure serves clients that drop
    Secure cookies there.
    """
    secure_name, *plain_names = _names()
    set_cookie(response, secure_name, token, secure=True, samesite="None", max_age=LASTS_SECONDS)
    for name in plain_names:
        set_cookie(response, name, token, samesite="Lax", max_age=LASTS_SECONDS)


def _names() -> list[str]:
    return ["__Host-rg_saml"] if current_app.config["HTTPS"] else ["rg_saml_secure", "rg_saml"]
