"""Single logout (SAML profiles 4.4): end sessions here, and tell or be told by the identity provider."""

from flask import current_app, redirect, request, url_for
from sqlalchemy import delete
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from rgapp.access import public, set_cookie
from rgapp.auth import users as accounts
from rgapp.clock import utcnow
from rgapp.database import writing
from rgapp.extensions import db, limiter
from rgapp.integrations.saml.connection import Connection
from rgapp.integrations.saml.logout import (
    ReceivedLogoutRequest,
    ReceivedLogoutResponse,
    build_logout_request,
    build_logout_response,
    read_logout,
)
from rgapp.models import UserSession
from rgapp.sso.context import ConnectionContext
from rgapp.sso.refusals import refused_page
from rgapp.sso.routes import base_url, bp, load, sealer

REQUEST_COOKIE = "rg_logout"
REQUEST_LASTS_SECONDS = 600


@bp.get("/logout")
@public
def logout(public_id: str) -> Response:
    """End this browser's session, then go on to the identity provider where it takes part in logout."""
    found = load(public_id)
    name = accounts.cookie_name(found.programme.slug, https=current_app.config["HTTPS"])
    token = request.cookies.get(name)
    held = accounts.user_of_session(db.session(), found.programme.id, token, now=utcnow()) if token else None
    response = redirect(_signed_out_url(found))
    if held is not None:
        with writing():
            accounts.close_session(db.session(), found.programme.id, token or "")
        response = _ask_provider(found, held[1]) or response
    response.delete_cookie(name, secure=current_app.config["HTTPS"], httponly=True, samesite="Lax")
    return response


@bp.get("/sls")
@public
@limiter.limit("60/minute", deduct_when=lambda response: response.status_code >= 400)
def sls(public_id: str) -> Response:
    """Take the identity provider's LogoutRequest, or its answer to ours (SAML bindings 3.4)."""
    found = load(public_id)
    connection = _connection(found)
    if connection is None:
        return refused_page(found.programme, "not_live")
    received = read_logout(
        request.query_string.decode("latin-1"),
        connection,
        now=utcnow(),
        expected_id=request.cookies.get(REQUEST_COOKIE),
    )
    if isinstance(received, ReceivedLogoutRequest):
        with writing():
            end_sessions(db.session(), found, received)
        if not (connection.slo_url or connection.slo_response_url):
            return redirect(_signed_out_url(found))
        return redirect(
            build_logout_response(
                connection, in_response_to=received.id, now=utcnow(), relay_state=received.relay_state
            )
        )
    if isinstance(received, ReceivedLogoutResponse):
        response = redirect(_signed_out_url(found))
        response.delete_cookie(REQUEST_COOKIE, httponly=True, samesite="Lax")
        return response
    return refused_page(found.programme, "signed_out")


def end_sessions(session: Session, found: ConnectionContext, received: ReceivedLogoutRequest) -> int:
    """End the sessions that the identity provider names, on every web process; returns how many there were."""
    wanted = delete(UserSession).where(
        UserSession.programme_id == found.programme.id,
        UserSession.integration_id == found.integration.id,
        UserSession.name_id == received.name_id,
    )
    if received.session_indexes:
        # A session whose index was not kept may be the one that is meant.
        named = UserSession.session_index.in_(received.session_indexes) | UserSession.session_index.is_(None)
        wanted = wanted.where(named)
    ended: int = session.execute(wanted).rowcount  # type: ignore[attr-defined]  # CursorResult has it.
    return ended


def _ask_provider(found: ConnectionContext, held: UserSession) -> Response | None:
    """Return the redirect to the identity provider with our LogoutRequest; None where it takes no part."""
    connection = _connection(found)
    if connection is None or not connection.slo_url or not held.name_id or held.integration_id != found.integration.id:
        return None
    logout_request = build_logout_request(
        connection,
        name_id=held.name_id,
        name_id_format=held.name_id_format,
        session_index=held.session_index,
        now=utcnow(),
        relay_state="",
    )
    response = redirect(logout_request.redirect_url)
    set_cookie(response, REQUEST_COOKIE, logout_request.id, max_age=REQUEST_LASTS_SECONDS)
    return response


def _connection(found: ConnectionContext) -> Connection | None:
    return found.connection(found.live, base_url(), sealer()) if found.live is not None else None


def _signed_out_url(found: ConnectionContext) -> str:
    return url_for("home.signed_out", slug=found.programme.slug)
