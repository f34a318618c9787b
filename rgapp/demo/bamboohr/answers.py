"""Signing requests in, and refusals in BambooHR's way: an empty body, and the reason in a header."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from flask import Response, current_app, g, jsonify, request

from rgapp.demo.bamboohr.access import Door

REASON = "X-BambooHR-Error-Message"


def door_of() -> Door:
    """Return who may come in."""
    return cast(Door, current_app.extensions["door"])


def signed_in(view: Callable[..., Any]) -> Callable[..., Any]:
    """Let a view answer only requests that are signed in; `g.method` says how."""

    @wraps(view)
    def checked(*args: Any, **kwargs: Any) -> Any:
        g.method = door_of().who(request.headers.get("Authorization", ""))
        return view(*args, **kwargs) if g.method else refusal(401, "Unauthorized")

    return checked


def refusal(status: int, reason: str) -> Response:
    """Refuse with an empty body."""
    return Response(status=status, headers={REASON: reason})


def forbidden() -> Response:
    """Refuse what the access may not see."""
    return refusal(403, "You do not have access to this resource")


def problem(status: int, code: str, detail: str) -> Any:
    """Refuse as problem details (RFC 7807)."""
    answer = jsonify(type="about:blank", title=code.replace("_", " ").title(), status=status, detail=detail, code=code)
    answer.mimetype = "application/problem+json"
    return answer, status
