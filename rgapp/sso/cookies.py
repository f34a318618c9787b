"""The cookies that bind a sign-in, or a sign-out, to the browser that started it."""

from flask import current_app, request
from werkzeug.wrappers import Response

from rgapp.access import set_cookie

LASTS_SECONDS = 3600
LOGOUT_LASTS_SECONDS = 600
_SIGN_IN, _LOGOUT = "rg_saml", "rg_logout"


def binding_tokens() -> list[str]:
    """Return the binding tokens that came with this request."""
    return _values(_SIGN_IN)


def bind_browser(response: Response, token: str) -> None:
    """Give the browser its binding token."""
    _set(response, _SIGN_IN, token, LASTS_SECONDS)


def awaited_logout() -> str | None:
    """Return the ID of the LogoutRequest with which this browser was sent to the identity provider."""
    return next(iter(_values(_LOGOUT)), None)


def await_logout(response: Response, request_id: str) -> None:
    """Let the browser remember the LogoutRequest that it carries away."""
    _set(response, _LOGOUT, request_id, LOGOUT_LASTS_SECONDS)


def forget_logout(response: Response) -> None:
    """Let the browser forget it."""
    secure_name, *plain_names = _names(_LOGOUT)
    response.delete_cookie(secure_name, secure=True, httponly=True, samesite="None")
    for name in plain_names:
        response.delete_cookie(name, httponly=True, samesite="Lax")


def _set(response: Response, base: str, value: str, lasts_seconds: int) -> None:
    """Set a cookie that comes back with the identity provider's answer.

    The answer comes as a cross-site POST, to which browsers send SameSite=None cookies only, and those only with
    Secure. Over plain http (a loopback address while developing) a twin without Secure serves clients that drop
    Secure cookies there.
    """
    secure_name, *plain_names = _names(base)
    set_cookie(response, secure_name, value, secure=True, samesite="None", max_age=lasts_seconds)
    for name in plain_names:
        set_cookie(response, name, value, samesite="Lax", max_age=lasts_seconds)


def _values(base: str) -> list[str]:
    return [value for name in _names(base) if (value := request.cookies.get(name))]


def _names(base: str) -> list[str]:
    return [f"__Host-{base}"] if current_app.config["HTTPS"] else [f"{base}_secure", base]
