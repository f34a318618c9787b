"""My Integrations: a card for each, those that need attention first; and the switch."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from flask import flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from rgapp.access import CHANGERS, EVERY_ROLE, staff
from rgapp.clock import utcnow
from rgapp.dashboard import queries
from rgapp.dashboard.common import actor, bp, load, page, programme
from rgapp.dashboard.health import Health, State, health_of
from rgapp.extensions import db
from rgapp.integrations import service
from rgapp.integrations.registry import kind_of
from rgapp.models import Integration, Programme

ORDER = {State.ATTENTION: 0, State.LIVE: 1, State.TESTED: 2, State.DRAFT: 3, State.PAUSED: 4}


@dataclass(frozen=True)
class Card:
    """One integration as the overview and its own page show it."""

    integration: Integration
    kind_label: str
    setup_endpoint: str
    health: Health
    days: list[queries.Day]
    last_activity: datetime | None

    @property
    def week_good(self) -> int:
        """Return the good sign-ins of the last seven days."""
        return sum(day[1] for day in self.days[-queries.WEEK :])


def cards_of(session: Session, owner: Programme, found: list[Integration], now: datetime) -> list[Card]:
    """Return cards, those that need attention first; the number of queries does not depend on how many there are."""
    ids = [integration.id for integration in found]
    days = queries.sign_ins_by_day(session, owner.id, ids, owner.zone, now)
    activity = queries.last_activity(session, owner.id, ids) if ids else {}
    live = queries.live_settings_of(session, owner.id) if ids else {}
    cards = []
    for one in found:
        kind = kind_of(one.kind)
        last = activity.get(one.id)
        health = health_of(one, live.get(one.id), days[one.id], last, now)
        cards.append(Card(one, kind.label, kind.setup_endpoint, health, days[one.id], last[0] if last else None))
    return sorted(cards, key=lambda card: (ORDER[card.health.state], card.integration.name_key))


@bp.get("")
@staff(*EVERY_ROLE)
def index(slug: str) -> str:
    """Show the programme's integrations."""
    session = db.session()
    cards = cards_of(session, programme(), service.list_all(session, programme()), utcnow())
    return page("index.html", cards=cards)


@bp.post("/<uuid:integration_id>/switch")
@staff(*CHANGERS)
def switch(slug: str, integration_id: uuid.UUID) -> Response:
    """Switch a published integration on or off."""
    integration = load(integration_id)
    on = request.form.get("on") == "true"
    changed = service.set_enabled(db.session(), integration, on, actor=actor(), now=utcnow())
    db.session.commit()
    name = integration.live_name or integration.name
    if integration.live_version is None:
        flash(f"{name} has to be published before it can be switched on.", "warning")
    elif changed:
        flash(f"{name} is on." if on else f"{name} is off. Nobody can sign in with it until it is on again.", "success")
    if request.form.get("back") == "integration":
        return redirect(url_for("dashboard.integration", slug=slug, integration_id=integration_id), 303)
    return redirect(url_for("dashboard.index", slug=slug), 303)


@bp.post("/<uuid:integration_id>/discard")
@staff(*CHANGERS)
def discard(slug: str, integration_id: uuid.UUID) -> Response:
    """Delete a draft that was never published."""
    integration = load(integration_id)
    if service.discard(db.session(), integration, actor=actor(), now=utcnow()):
        db.session.commit()
        flash(f"The draft {integration.name} was deleted.", "success")
    else:
        flash(f"{integration.name} has been published, so it is not deleted. Switch it off instead.", "warning")
    return redirect(url_for("dashboard.index", slug=slug), 303)
