"""An integration's own page: activity, set-up, history of versions, tools; the kind fills the first and the last."""

import uuid
from typing import Any

from flask import abort, flash, redirect, url_for
from werkzeug.wrappers import Response

from rgapp.access import CHANGERS, EVERY_ROLE, staff
from rgapp.clock import utcnow
from rgapp.dashboard import queries
from rgapp.dashboard.common import actor, bp, load, page, programme
from rgapp.dashboard.overview import cards_of
from rgapp.dashboard.registry import pages_of
from rgapp.dashboard.steps import steps_of
from rgapp.extensions import db
from rgapp.integrations import service
from rgapp.integrations.registry import kind_of
from rgapp.models import Integration


@bp.get("/<uuid:integration_id>/")
@bp.get("/<uuid:integration_id>/activity", endpoint="activity")
@staff(*EVERY_ROLE)
def integration(slug: str, integration_id: uuid.UUID) -> str:
    """Show how it was used, by filter and search."""
    found = load(integration_id)
    part = pages_of(found.kind).activity(found)
    return tab_page(part.template, found, "activity", **part.values)


@bp.get("/<uuid:integration_id>/setup")
@staff(*EVERY_ROLE)
def setup(slug: str, integration_id: uuid.UUID) -> str:
    """Show what is live, what the draft would change, and the way into each step."""
    found, now = load(integration_id), utcnow()
    live = service.live_settings(db.session(), found)
    kind = kind_of(found.kind)
    names = (found.live_name or "", found.name)
    return tab_page(
        "setup.html",
        found,
        "setup",
        steps=steps_of(found),
        settings=kind.differences(None, live if live is not None else found.draft, now),
        changes=kind.differences(live, found.draft, now, names) if live is not None else [],
    )


@bp.get("/<uuid:integration_id>/history")
@staff(*EVERY_ROLE)
def history(slug: str, integration_id: uuid.UUID) -> str:
    """Show the published versions, each with what it changed."""
    found, now = load(integration_id), utcnow()
    kind, listed = kind_of(found.kind), queries.versions(db.session(), found)
    rows = []
    for index, version in enumerate(listed):
        older = listed[index + 1] if index + 1 < len(listed) else None
        names = (older.name if older else "", version.name)
        changes = kind.differences(older.settings if older else None, version.settings, now, names)
        rows.append((version, older is None, changes))
    return tab_page("history.html", found, "history", versions=rows)


@bp.post("/<uuid:integration_id>/history/<int:number>/restore")
@staff(*CHANGERS)
def restore(slug: str, integration_id: uuid.UUID, number: int) -> Response:
    """Copy an earlier version into the draft."""
    found = load(integration_id)
    if service.restore(db.session(), found, number, actor=actor(), now=utcnow()) is None:
        abort(404)
    db.session.commit()
    flash(f"Version {number} is the draft now. Review it and publish it to make it live.", "success")
    return redirect(url_for("dashboard.review", slug=slug, integration_id=integration_id), 303)


@bp.get("/<uuid:integration_id>/tools")
@staff(*EVERY_ROLE)
def tools(slug: str, integration_id: uuid.UUID) -> str:
    """Show what helps to keep it running, the switch, and how a draft is deleted."""
    found = load(integration_id)
    part = pages_of(found.kind).tools(found)
    return tab_page(part.template, found, "tools", **part.values)


def tab_page(template: str, found: Integration, tab: str, **values: Any) -> str:
    """Render one tab of an integration's page, with its health on top."""
    card = cards_of(db.session(), programme(), [found], utcnow())[0]
    return page(template, found, card=card, tab=tab, **values)
