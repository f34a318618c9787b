"""The addresses of the SCIM service; everything below `/scim` answers in SCIM's own JSON, errors included."""

from http import HTTPStatus
from typing import Any, Final

from flask import Blueprint, Response, current_app, request
from pydantic_core import to_json
from scim2_models import PayloadTooLargeException, SCIMException
from scim2_server.requests import ScimRequest
from scim2_server.responses import SCIM_MEDIA_TYPE
from werkzeug.exceptions import RequestEntityTooLarge

from rgapp.access import bearer
from rgapp.clock import utcnow
from rgapp.extensions import client_network, csrf, db
from rgapp.integrations.scim.kind import scim_base_url
from rgapp.integrations.scim.schemas import MAX_PAYLOAD
from rgapp.scim.auth import read_guid, refusal
from rgapp.scim.bodies import Body
from rgapp.scim.errors import CHALLENGE, error_body, status_words
from rgapp.scim.exchange import Exchange, Presented

bp = Blueprint("scim", __name__, url_prefix="/scim")
PREFIX: Final = "/scim"
METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
HEADERS: Final = ("Content-Type", "If-Match", "If-None-Match")
#: Slashes are the client's business: no redirects, whose pages are no SCIM.
PLAIN: Final[dict[str, Any]] = {"merge_slashes": False, "provide_automatic_options": False, "methods": METHODS}


@bp.route("/<guid>/v2/", defaults={"path": ""}, strict_slashes=False, **PLAIN)
@bp.route("/<guid>/v2/<path:path>", **PLAIN)
@csrf.exempt
@bearer
def endpoint(guid: str, path: str, token: str) -> Response:
    """Serve a request of a SCIM client (RFC 7644 section 3.2)."""
    programme_id = read_guid(guid)
    if programme_id is None:
        raise refusal(client_network())
    asked = ScimRequest(
        method="GET" if request.method == "HEAD" else request.method,
        base_url=scim_base_url(programme_id, current_app.config["BASE_URL"]),
        path=path,
        query=request.args.to_dict(),
        headers={name: request.headers[name] for name in HEADERS if name in request.headers},
        body=body_of_request(),
    )
    shown = Presented(programme_id, token, client_network())
    response = Exchange(db.session(), shown, current_app.config["SECRET_KEY"], utcnow()).answer(asked)
    content = b"" if response.body is None else to_json(response.body)
    return Response(content, response.status, response.headers)


def body_of_request() -> bytes:
    """Read the body; one that is too large becomes what the service answers, and its log keeps."""
    try:
        return request.get_data(cache=False)
    except RequestEntityTooLarge:
        problem = PayloadTooLargeException(detail=f"The body is larger than {MAX_PAYLOAD} bytes.")
        return Body.of(b"", None, problem)


@bp.errorhandler(SCIMException)
def refused(refusal: SCIMException) -> Response:
    """Answer a request that was refused before the service saw it."""
    db.session.rollback()
    return error_answer(refusal.status, refusal.detail)


def error_answer(status: int, detail: str = "", headers: dict[str, str] | None = None) -> Response:
    """Return an error that came up outside of the service."""
    made = Response(to_json(error_body(status, detail or status_words(status))), status, headers)
    made.content_type = SCIM_MEDIA_TYPE
    if status == HTTPStatus.UNAUTHORIZED:
        made.headers["WWW-Authenticate"] = CHALLENGE
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        made.headers["Retry-After"] = "60"
    return made
