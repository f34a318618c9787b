"""An integration's own page: activity, set-up, history of versions, tools; and one attempt."""

import uuid
from typing import Any

from flask import abort, current_app, flash, redirect, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response

from rgapp.access import CHANGERS, EVERY_ROLE, staff
from rgapp.clock import utcnow
from rgapp.dashboard import queries
from rgapp.dashboard.common import actor, base_url, bp, load, page, programme
from rgapp.dashboard.overview import cards_of
from rgapp.dashboard.sheet import Sheet, sentence_of, sheet_of
from rgapp.dashboard.steps import steps_of
from rgapp.extensions import db
from rgapp.integrations import service
from rgapp.integrations.registry import kind_of
from rgapp.integrations.saml.kind import service_urls
from rgapp.integrations.saml.understood import certificate_rows
from rgapp.models import Integration, Purpose
from rgapp.templating import exact_time

SHOWN = ("all", "good", "refused", "tests")


@bp.get("/<uuid:integration_id>/")
@bp.get("/<uuid:integration_id>/activity", endpoint="activity")
@staff(*EVERY_ROLE)
def integration(slug: str, integration_id: uuid.UUID) -> str:
    """Show the attempts, by filter and search."""
    found = load(integration_id)
    show = request.args.get("show", "all")
    show = show if show in SHOWN else "all"
    wanted = request.args.get("q", "").strip()[:200]
    listed = queries.attempts(db.session(), found, show=show, wanted=wanted, cursor=request.args.get("after", ""))
    return tab_page(
        "activity.html",
        found,
        "activity",
        show=show,
        wanted=wanted,
        listed=listed,
        rows=[(one, sentence_of(one)) for one in listed.attempts],
        counts=queries.counts(db.session(), found),
        is_first="after" not in request.args,
        retention_days=current_app.config["ATTEMPT_RETENTION_DAYS"],
    )


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
    return redirect(url_for("dashboard.saml_review", slug=slug, integration_id=integration_id), 303)


@bp.get("/<uuid:integration_id>/tools")
@staff(*EVERY_ROLE)
def tools(slug: str, integration_id: uuid.UUID) -> str:
    """Show certificates with their end, our addresses, and how to link deep into the programme's site."""
    found, now = load(integration_id), utcnow()
    live = service.live_settings(db.session(), found)
    urls = service_urls(found.public_id, base_url())
    settings = live if live is not None else found.draft
    details = url_for("home.details", slug=slug)
    return tab_page(
        "tools.html",
        found,
        "tools",
        urls=urls,
        is_draft=live is None,
        certificates=certificate_rows((settings.get("idp") or {}).get("certificates") or (), now),
        settings=settings,
        deep_link=f"{urls['login']}?next={details}",
        relay_state=f"{base_url()}{details}",
    )


@bp.get("/<uuid:integration_id>/attempts/<reference>")
@staff(*EVERY_ROLE)
def attempt(slug: str, integration_id: uuid.UUID, reference: str) -> str:
    """Show one attempt: expected, got, and who has to put it right."""
    found = load(integration_id)
    one = queries.attempt(db.session(), found, reference)
    if one is None:
        abort(404)
    sheet = sheet_of(one, found, programme(), service_urls(found.public_id, base_url()))
    return page("attempt.html", found, sheet=sheet, facts=facts_of(sheet))


def facts_of(sheet: Sheet) -> list[dict[str, Any]]:
    """Return when an attempt was, through what, and of whom."""
    one, zone = sheet.attempt, programme().zone
    started = "At the identity provider" if one.idp_initiated else "On the programme's sign-in page"
    facts: list[dict[str, Any]] = [{"label": "Time", "value": exact_time(one.at, zone)}]
    if one.purpose == Purpose.SIGN_IN:
        facts.append({"label": "Started", "value": started})
    else:
        way = "A pasted response" if one.purpose == Purpose.PASTED else "A test sign-in"
        facts.append({"label": "Way", "value": f"{way}; nothing was written"})
    person: str | Markup = one.person or "Not known"
    if sheet.person_url:
        person = Markup('<a href="{}">{}</a>').format(sheet.person_url, person)
    facts.append({"label": "Person", "value": person})
    if sheet.conflict_url:
        other = Markup('<a href="{}">Open the other account</a>').format(sheet.conflict_url)
        facts.append({"label": "In conflict with", "value": other})
    return facts


def tab_page(template: str, found: Integration, tab: str, **values: Any) -> str:
    """Render one tab of an integration's page, with its health on top."""
    card = cards_of(db.session(), programme(), [found], utcnow())[0]
    return page(template, found, card=card, tab=tab, **values)
