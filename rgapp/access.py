"""Who may call a view: every view carries one of these decorators, and a test fails on one without."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from flask import abort, current_app, g, redirect, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from rgapp.auth.enforcement import programme_that_asks
from rgapp.auth.staff import programme_for
from rgapp.extensions import db, login_manager
from rgapp.models import Role, Staff, User

P = ParamSpec("P")
R = TypeVar("R")
ACCESS_ATTRIBUTE = "rgapp_access"
SECOND_STEP_ATTRIBUTE = "rgapp_second_step"


def public(view: Callable[P, R]) -> Callable[P, R]:
    """Let anybody call this view."""
    setattr(view, ACCESS_ATTRIBUTE, "public")
    return view


def employee(view: Callable[..., Any]) -> Callable[..., Any]:
    """Let a signed-in employee of the programme in the URL (`slug`) call this view.

    Others are sent to that programme's sign-in page and come back afterwards.
    """

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if not isinstance(current_user._get_current_object(), User):
            wanted = request.full_path.rstrip("?") if request.method == "GET" else ""
            return redirect(url_for("home.login", slug=kwargs["slug"], next=wanted or None))
        return view(*args, **kwargs)

    setattr(guarded, ACCESS_ATTRIBUTE, "employee")
    return guarded


def staff(*roles: Role, second_factor: bool = True) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let signed-in staff of these roles call this view.

    Where the URL names a programme (`slug`), it becomes `g.programme`; one that the person may not see answers 404,
    as one that does not exist. Who has to set up a second step first is sent there, but for the few views that need
    none (`second_factor=False`): the person's own account and the way out.
    """

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            person = current_user._get_current_object()
            if not isinstance(person, Staff):
                return login_manager.unauthorized()
            if "slug" in kwargs:
                programme = programme_for(db.session(), person, kwargs["slug"])
                if programme is None:
                    abort(404)
                g.programme, g.zone = programme, programme.zone
            if second_factor and programme_that_asks(db.session(), person, g.get("programme")) is not None:
                wanted = request.full_path.rstrip("?") if request.method == "GET" else ""
                return redirect(url_for("manager.second_factor_setup", next=wanted or None), 303)
            if person.role not in roles:
                abort(403)
            return view(*args, **kwargs)

        setattr(guarded, ACCESS_ATTRIBUTE, "staff:" + ",".join(sorted(roles)))
        setattr(guarded, SECOND_STEP_ATTRIBUTE, second_factor)
        return guarded

    return decorate


def bearer(view: Callable[..., Any]) -> Callable[..., Any]:
    """Let whoever presents a bearer token (RFC 6750) call this view, which takes it as `token`.

    What the token opens, the service behind the view says: it has to look it up in the same transaction.
    """

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            abort(401)
        return view(*args, token=token.strip(), **kwargs)

    setattr(guarded, ACCESS_ATTRIBUTE, "bearer")
    return guarded


EVERY_ROLE = (Role.ADMIN, Role.SUPPORT, Role.OPERATOR)
CHANGERS = (Role.ADMIN, Role.OPERATOR)


def access_of(view: Callable[..., Any]) -> str | None:
    """Return what a view declares about who may call it, None where it declares nothing."""
    return getattr(view, ACCESS_ATTRIBUTE, None)


def asks_second_step(view: Callable[..., Any]) -> bool:
    """Tell whether a view of staff is closed to who has yet to set up the second step that a programme asks for."""
    return bool(getattr(view, SECOND_STEP_ATTRIBUTE, False))


def send_to_staff_sign_in() -> Response:
    """Send somebody who is not signed in to Reward Manager's sign-in page, and back afterwards."""
    wanted = request.full_path.rstrip("?") if request.method == "GET" else ""
    return redirect(url_for("manager.login", next=wanted or None))


def set_cookie(response: Response, name: str, value: str, **options: Any) -> None:
    """Set a cookie with this application's defaults: HttpOnly, Secure behind TLS, SameSite=Lax, path /."""
    defaults: dict[str, Any] = {
        "httponly": True,
        "secure": bool(current_app.config["HTTPS"]),
        "samesite": "Lax",
        "path": "/",
    }
    response.set_cookie(name, value, **defaults | options)
