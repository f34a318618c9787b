"""Bearer tokens on pages: what is said of each, issuing one, which is shown once, and revoking one."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from rgapp.access import CHANGERS, staff
from rgapp.clock import utcnow
from rgapp.dashboard.common import actor, bp, page, programme
from rgapp.dashboard.scim.connection import address_of, connection, preset_of
from rgapp.dashboard.steps import steps_of
from rgapp.extensions import db, limiter
from rgapp.integrations.scim import tokens
from rgapp.integrations.scim.forms import TokenForm
from rgapp.integrations.scim.tokens import TokenState
from rgapp.models import Integration, SCIMToken
from rgapp.templating import counted, long_date

SOON = timedelta(days=30)
#: Tokens that open nothing any more are listed as long as they help to explain a refusal.
SHOWN_AFTERWARDS = timedelta(days=90)
TOO_MANY = "Two tokens are live already, which is enough to change from one to the other. Revoke one first."
BACK = {"tools": "dashboard.tools", "connect": "dashboard.scim_connect"}


@dataclass(frozen=True)
class TokenRow:
    """One token as a list shows it: `chip` is its state for the status chip, `words` say until when."""

    token: SCIMToken
    state: TokenState
    chip: str
    words: str

    @property
    def name(self) -> str:
        """Return how the token is told from the others."""
        return self.token.label or f"Token ending in {self.token.hint}"


@bp.post("/<uuid:integration_id>/scim/tokens")
@staff(*CHANGERS)
@limiter.limit("30/minute")
def scim_issue_token(slug: str, integration_id: uuid.UUID) -> str | Response:
    """Issue a token and show it, once."""
    integration, form = connection(integration_id), TokenForm()
    back = BACK.get(request.form.get("back", ""), BACK["connect"])
    target = url_for(back, slug=slug, integration_id=integration_id)
    if not form.validate():
        for sentence in (one for errors in form.errors.values() for one in errors):
            flash(f"No token was issued. {sentence}", "error")
        return redirect(f"{target}#tokens", 303)
    try:
        row, token = tokens.issue(
            db.session(),
            integration,
            actor=actor(),
            now=utcnow(),
            label=form.label.data or "",
            lifetime=form.duration(),
        )
    except tokens.TooManyTokens:
        db.session.rollback()
        flash(TOO_MANY, "warning")
        return redirect(f"{target}#tokens", 303)
    db.session.commit()
    return page(
        "scim/token.html",
        integration,
        token=token,
        row=row_of(row, utcnow()),
        address=address_of(integration),
        preset=preset_of(integration),
        next_url=target,
        steps=steps_of(integration),
        current="connect",
    )


@bp.post("/<uuid:integration_id>/scim/tokens/<uuid:token_id>/revoke")
@staff(*CHANGERS)
def scim_revoke_token(slug: str, integration_id: uuid.UUID, token_id: uuid.UUID) -> Response:
    """Make a token open nothing from now on."""
    integration = connection(integration_id)
    if tokens.revoke(db.session(), integration, token_id, actor=actor(), now=utcnow()):
        db.session.commit()
        flash("The token is revoked. Requests that carry it are refused from now on.", "success")
    else:
        flash("This token opens nothing any more, so nothing was changed.", "info")
    back = BACK.get(request.form.get("back", ""), BACK["connect"])
    return redirect(f"{url_for(back, slug=slug, integration_id=integration_id)}#tokens", 303)


def token_rows(integration: Integration, now: datetime) -> list[TokenRow]:
    """Return the tokens that are worth showing, live ones first."""
    rows = [row_of(one, now) for one in tokens.of_integration(db.session(), integration)]
    shown = [row for row in rows if row.state is TokenState.LIVE or _ended(row.token) > now - SHOWN_AFTERWARDS]
    return sorted(shown, key=lambda row: row.state is not TokenState.LIVE)


def row_of(token: SCIMToken, now: datetime) -> TokenRow:
    """Return one token with its state in words, days as the programme's people count them."""
    state = tokens.state_of(token, now)
    if token.revoked_at is not None:
        return TokenRow(token, state, "off", f"Revoked on {_day(token.revoked_at)}")
    if token.expires_at is None:
        return TokenRow(token, state, "live", "Works until it is revoked")
    if state is TokenState.EXPIRED:
        return TokenRow(token, state, "failed", f"Expired on {_day(token.expires_at)}")
    if token.expires_at - now <= SOON:
        return TokenRow(
            token, state, "warning", f"Expires {in_days(token.expires_at, now)}, on {_day(token.expires_at)}"
        )
    return TokenRow(token, state, "live", f"Expires on {_day(token.expires_at)}")


def in_days(moment: datetime, now: datetime) -> str:
    """Say when something ends: "today", "in 12 days"."""
    days = (moment - now).days
    return f"in {counted(days, 'day')}" if days else "today"


def expiry_concern(found: Sequence[SCIMToken], now: datetime) -> str:
    """Say what about the tokens of a live integration needs somebody; empty where all is well.

    `found` are those that nobody revoked, newest first. As long as one of them lasts there is nothing to do.
    """
    live = [one for one in found if tokens.state_of(one, now) is TokenState.LIVE]
    if not live:
        return "The bearer token has expired: every request is refused." if found else "No bearer token is live."
    ends = [one.expires_at for one in live if one.expires_at is not None]
    if len(ends) < len(live):
        return ""
    last = max(ends)
    return f"The bearer token expires {in_days(last, now)}." if last - now <= SOON else ""


def _ended(token: SCIMToken) -> datetime:
    return token.revoked_at or token.expires_at or token.created_at


def _day(moment: datetime) -> str:
    return long_date(moment.astimezone(programme().zone).date())
