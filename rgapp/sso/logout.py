"""Single logout (SAML profiles 4.4): end sessions here, and tell or be told by the identity provider."""

from datetime import datetime

from flask import Response, current_app, redirect, render_template, request, url_for
from sqlalchemy import delete
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from rgapp.access import public
from rgapp.auth import users as accounts
from rgapp.clock import utcnow
from rgapp.database import reading, writing
from rgapp.extensions import csrf, db, limiter, sealer
from rgapp.integrations.saml.connection import Connection
from rgapp.integrations.saml.logout import (
    MAX_AGE,
    ReceivedLogoutRequest,
    ReceivedLogoutResponse,
    RefusedLogout,
    build_logout_request,
    build_logout_response,
    read_logout,
    read_posted_logout,
)
from rgapp.models import SAMLReplay, User, UserSession
from rgapp.models.rows import insert_if_new
from rgapp.security import allow_form_action
from rgapp.sso.context import ConnectionContext
from rgapp.sso.cookies import await_logout, awaited_logout, forget_logout
from rgapp.sso.refusals import refused_page
from rgapp.sso.routes import base_url, bp, load
from rgapp.tokens import hash_token


@bp.get("/logout")
@public
def ask_logout(public_id: str) -> BaseResponse:
    """Ask before signing out: a link on somebody else's page must not do it."""
    found = load(public_id)
    held = _held(found)
    if held is None:
        return redirect(_signed_out_url(found))
    connection = _connection(found)
    if connection is not None and connection.slo_url:
        allow_form_action(connection.slo_url)
    goes_on = connection is not None and bool(connection.slo_url)
    page = render_template("sso/sign_out.html", programme=found.programme, person=held[0], goes_on=goes_on)
    return Response(page, mimetype="text/html")


@bp.post("/logout")
@public
def logout(public_id: str) -> BaseResponse:
    """End this browser's session, then go on to the identity provider where it takes part in logout."""
    found = load(public_id)
    held = _held(found)
    response = redirect(_signed_out_url(found), 303)
    name = _session_cookie(found)
    if held is not None:
        accounts.close_session(db.session(), found.programme.id, request.cookies[name])
        db.session.commit()
        response = _ask_provider(found, held[1]) or response
    response.delete_cookie(name, secure=current_app.config["HTTPS"], httponly=True, samesite="Lax")
    return response


@bp.get("/sls")
@public
@limiter.limit("60/minute", deduct_when=lambda response: response.status_code >= 400)
def sls(public_id: str) -> BaseResponse:
    """Take the identity provider's LogoutRequest, or its answer to ours (SAML bindings 3.4)."""
    found = load(public_id)
    connection = _connection(found)
    if connection is None:
        return refused_page(found.programme, "not_live")
    query = request.query_string.decode("latin-1")
    return _answer(found, connection, read_logout(query, connection, now=utcnow(), expected_id=awaited_logout()))


@bp.post("/sls")
@public
@csrf.exempt
@limiter.limit("60/minute", deduct_when=lambda response: response.status_code >= 400)
def posted_sls(public_id: str) -> BaseResponse:
    """Take the same where the identity provider posts it (SAML bindings 3.5); the signature says that it did."""
    with reading():  # Anybody may post here: what is not believed takes no lock.
        found = load(public_id)
    connection = _connection(found)
    if connection is None:
        return refused_page(found.programme, "not_live")
    kinds = [name for name, _ in request.form.items(multi=True) if name in ("SAMLRequest", "SAMLResponse")]
    if len(kinds) != 1:
        return refused_page(found.programme, "signed_out")
    received = read_posted_logout(
        kinds[0],
        request.form[kinds[0]],
        request.form.get("RelayState", ""),
        connection,
        now=utcnow(),
        expected_id=awaited_logout(),
    )
    return _answer(found, connection, received)


def _answer(
    found: ConnectionContext,
    connection: Connection,
    received: ReceivedLogoutRequest | ReceivedLogoutResponse | RefusedLogout,
) -> BaseResponse:
    """Do what a logout message asks, if it is believed, and answer it."""
    if isinstance(received, ReceivedLogoutRequest):
        with writing():
            is_new = remember(db.session(), found, received, connection, now=utcnow())
            if is_new:
                end_sessions(db.session(), found, received)
        if not is_new:
            return refused_page(found.programme, "signed_out")
        if not (connection.slo_url or connection.slo_response_url):
            return redirect(_signed_out_url(found), 303)
        answer = build_logout_response(
            connection, in_response_to=received.id, now=utcnow(), relay_state=received.relay_state
        )
        return redirect(answer, 303)
    if isinstance(received, ReceivedLogoutResponse):
        response = redirect(_signed_out_url(found), 303)
        forget_logout(response)
        return response
    return refused_page(found.programme, "signed_out")


def remember(
    session: Session,
    found: ConnectionContext,
    received: ReceivedLogoutRequest,
    connection: Connection,
    *,
    now: datetime,
) -> bool:
    """Remember that a LogoutRequest was carried out, as long as it would be believed; False where it was before.

    It travels through addresses, which stand in histories and logs: a second time it would end a session that the
    person opened since.
    """
    row = {
        "programme_id": found.programme.id,
        "integration_id": found.integration.id,
        "replay_key": hash_token(f"LogoutRequest {received.id}"),
        "expires_at": now + MAX_AGE + 2 * connection.clock_skew,
    }
    return insert_if_new(session, SAMLReplay, row)


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


def _held(found: ConnectionContext) -> tuple[User, UserSession] | None:
    """Return who is signed in to this programme in this browser."""
    token = request.cookies.get(_session_cookie(found))
    return accounts.user_of_session(db.session(), found.programme.id, token, now=utcnow()) if token else None


def _session_cookie(found: ConnectionContext) -> str:
    return accounts.cookie_name(found.programme.slug, https=current_app.config["HTTPS"])


def _ask_provider(found: ConnectionContext, held: UserSession) -> BaseResponse | None:
    """Return the redirect to the identity provider with our LogoutRequest; None where it takes no part."""
    connection = _connection(found)
    if connection is None or not connection.slo_url or not held.name_id or held.integration_id != found.integration.id:
        return None
    logout_request = build_logout_request(
        connection,
        name_id=held.name_id,
        name_id_format=held.name_id_format,
        name_qualifiers=(held.name_qualifier, held.sp_name_qualifier),
        session_index=held.session_index,
        now=utcnow(),
        relay_state="",
    )
    response = redirect(logout_request.redirect_url, 303)
    await_logout(response, logout_request.id)
    return response


def _connection(found: ConnectionContext) -> Connection | None:
    return found.connection(found.live, base_url(), sealer()) if found.live is not None else None


def _signed_out_url(found: ConnectionContext) -> str:
    return url_for("home.signed_out", slug=found.programme.slug)
