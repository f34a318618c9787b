"""My Integrations: a card for each, those that need attention first; and the switch."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from rgapp.access import CHANGERS, EVERY_ROLE, staff
from rgapp.clock import utcnow
from rgapp.dashboard import queries
from rgapp.dashboard.common import actor, bp, load, page, programme
from rgapp.dashboard.health import Health, State, health_of
from rgapp.dashboard.kinds import Concern, Usage, Words
from rgapp.dashboard.registry import has_pages, pages_of
from rgapp.dashboard.steps import first_step
from rgapp.extensions import db
from rgapp.integrations import service
from rgapp.integrations.registry import kind_of
from rgapp.models import Integration, Programme
from rgapp.templating import counted

ORDER = {State.ATTENTION: 0, State.LIVE: 1, State.TESTED: 2, State.DRAFT: 3, State.PAUSED: 4}


@dataclass(frozen=True)
class Card:
    """One integration as the overview and its own page show it."""

    integration: Integration
    kind_label: str
    words: Words
    setup_url: str
    health: Health
    usage: Usage

    @property
    def name(self) -> str:
        """Return the name that is live, else the draft's."""
        return self.integration.live_name or self.integration.name

    @property
    def turn_off(self) -> str:
        """Say what switching it off does, and how much it was used this week."""
        good = sum(day[1] for day in self.usage.days[-queries.WEEK :])
        used = f"It was used for {counted(good, self.words.use)} this week. " if good else ""
        return self.words.turn_off.format(name=self.name, used=used)

    @property
    def turn_on(self) -> str:
        """Say what switching it on does."""
        return self.words.turn_on.format(name=self.name, version=self.integration.live_version)


def cards_of(session: Session, owner: Programme, found: list[Integration], now: datetime) -> list[Card]:
    """Return cards, those that need attention first; the number of queries grows with the kinds, not with the cards."""
    live = queries.live_settings_of(session, owner.id) if found else {}
    usage: dict[uuid.UUID, Usage] = {}
    concerns: dict[uuid.UUID, Any] = {}
    for key in {one.kind for one in found}:
        ids = [one.id for one in found if one.kind == key]
        usage |= pages_of(key).usage(session, owner, ids, now)
        concerns |= pages_of(key).concerns(session, owner, {one: live[one] for one in ids if one in live}, now)
    cards = [card_of(one, live.get(one.id), usage[one.id], concerns, now) for one in found]
    return sorted(cards, key=lambda card: (ORDER[card.health.state], card.integration.name_key))


def card_of(
    one: Integration,
    live: dict[str, Any] | None,
    usage: Usage,
    concerns: Mapping[uuid.UUID, list[Concern]],
    now: datetime,
) -> Card:
    """Return the card of one integration."""
    words = pages_of(one.kind).words
    health = health_of(one, live, usage, words, concerns.get(one.id, ()), now)
    return Card(one, kind_of(one.kind).label, words, first_step(one), health, usage)


@bp.get("")
@staff(*EVERY_ROLE)
def index(slug: str) -> str:
    """Show the programme's integrations."""
    session = db.session()
    shown = [found for found in service.list_all(session, programme()) if has_pages(found.kind)]
    cards = cards_of(session, programme(), shown, utcnow())
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
        turned_off = pages_of(integration.kind).words.turned_off
        flash(f"{name} is on." if on else f"{name} is off. {turned_off}", "success")
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
