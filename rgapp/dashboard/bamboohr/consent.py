"""Consent (OAuth 2.0, RFC 6749 section 4.1): the way to BambooHR's page and back, for one session and one time."""

import hmac
import uuid
from datetime import timedelta
from typing import Final

from flask import abort, current_app, flash, g, redirect, request, url_for
from werkzeug.wrappers import Response

from rgapp.access import CHANGERS, staff
from rgapp.clock import utcnow
from rgapp.dashboard.bamboohr.account import SOURCE, kept, origin_of_draft
from rgapp.dashboard.bamboohr.connect import redirect_uri
from rgapp.dashboard.common import actor, bp
from rgapp.dashboard.pulls.sources import of_kind
from rgapp.dashboard.pulls.testing import test_way_in
from rgapp.database import begin_writing, without_lock
from rgapp.extensions import db, limiter, sealer
from rgapp.integrations.bamboohr.declared import OAUTH
from rgapp.integrations.bamboohr.errors import BambooError
from rgapp.integrations.bamboohr.kind import KIND
from rgapp.integrations.bamboohr.oauth import authorize_url, exchange
from rgapp.integrations.pulls import access
from rgapp.integrations.pulls.access import Secrets
from rgapp.models import Integration
from rgapp.tokens import hash_token, new_token

LASTS: Final = timedelta(minutes=15)
CODE_LENGTH: Final = 2000


@bp.post("/<uuid:integration_id>/bamboohr/consent")
@staff(*CHANGERS)
@limiter.limit("20/minute")
def bamboohr_consent(slug: str, integration_id: uuid.UUID) -> Response:
    """Send the admin's browser to BambooHR's page, with a state that only this session can bring back."""
    integration = of_kind(integration_id, KIND)
    found = kept(integration)
    if found is None or found.method != OAUTH or not integration.draft.get("subdomain"):
        return back(integration)
    state = new_token()
    access.begin_consent(
        db.session(), integration, known_by=known_by(state, integration, found), until=utcnow() + LASTS
    )
    db.session.commit()
    origin = origin_of_draft(integration)
    return redirect(authorize_url(origin, found.values["client_id"], redirect_uri(integration), state), 303)


@bp.get("/<uuid:integration_id>/bamboohr/consented")
@staff(*CHANGERS)
@limiter.limit("20/minute")
def bamboohr_consented(slug: str, integration_id: uuid.UUID) -> Response:
    """Take the answer of BambooHR's page: once, for who began it, and only within its time."""
    integration, state = of_kind(integration_id, KIND), request.args.get("state", "")
    if not state or len(state) > CODE_LENGTH:
        abort(400)
    begin_writing()
    integration = of_kind(integration_id, KIND)
    begun = access.take_consent(db.session(), integration, now=utcnow())
    db.session.commit()
    found, code = kept(integration), request.args.get("code", "")
    if begun is None or not hmac.compare_digest(begun, known_by(state, integration, found)):
        flash("This consent was not begun here, or too long ago. Nothing was changed. Go to BambooHR again.", "error")
        return back(integration)
    if not code or len(code) > CODE_LENGTH or found is None or found.method != OAUTH:
        flash("BambooHR was not allowed to let us in, so nothing was changed.", "warning")
        return back(integration)
    problem = take_code(integration, found, code)
    if problem:
        flash(problem, "error")
        return back(integration)
    if not test_way_in(integration, SOURCE):
        return back(integration)
    flash("BambooHR lets us in.", "success")
    return redirect(url_for("dashboard.pull_mapping", slug=slug, integration_id=integration_id), 303)


def take_code(integration: Integration, found: Secrets, code: str) -> str:
    """Exchange a code for tokens and keep the one that lasts; returns what is wrong, empty where all is well."""
    client, secret = found.values["client_id"], found.values["client_secret"]
    allow = current_app.config["OUTBOUND_ALLOW"]
    try:
        with without_lock():
            tokens = exchange(
                origin_of_draft(integration), client, secret, code, redirect_uri(integration), allow=allow
            )
    except BambooError as error:
        return error.sentence
    if tokens.refresh_token is None:
        return "BambooHR gave us access for an hour only. Let the application have the scope offline_access."
    given = Secrets(OAUTH, {"client_id": client, "client_secret": secret, "refresh_token": tokens.refresh_token})
    access.keep(db.session(), integration, given, sealer=sealer(), actor=actor(), now=utcnow())
    db.session.commit()
    return ""


def known_by(state: str, integration: Integration, found: Secrets | None) -> str:
    """Return by what a state is known: its hash with the session that began it, and with whom it was to be given to.

    A code is never shown to another BambooHR, nor by another application, than it was asked for.
    """
    client = found.values.get("client_id", "") if found is not None else ""
    where = ".".join(str(integration.draft.get(name) or "") for name in ("subdomain", "base_url"))
    return hash_token(f"{state}.{g.staff_session.token_hash}.{where}.{client}")


def back(integration: Integration) -> Response:
    """Return to Connect."""
    slug = (request.view_args or {})["slug"]
    return redirect(url_for("dashboard.bamboohr_connect", slug=slug, integration_id=integration.id), 303)
