"""Activity of a SCIM integration: its requests by filter and search, alerts, and the page of one request."""

import uuid
from typing import Any

from flask import abort, request
from markupsafe import Markup

from rgapp.access import EVERY_ROLE, staff
from rgapp.dashboard.common import bp, page, programme
from rgapp.dashboard.kinds import Part
from rgapp.dashboard.scim import queries
from rgapp.dashboard.scim.connection import address_of, connection
from rgapp.dashboard.scim.sheet import Sheet, sheet_of, text_for_it
from rgapp.extensions import db
from rgapp.integrations.scim.log import KEPT
from rgapp.models import Alert, Integration
from rgapp.templating import counted, exact_time

SHOWN = ("changes", "all", "good", "refused", "left", "listening")


def activity_part(found: Integration) -> Part:
    """Return the requests, by filter and search, and what has to be looked at first."""
    session, wanted = db.session(), " ".join(request.args.get("q", "").split())[:200]
    # Clients look everybody up before they send them: without a search that is noise, in one it may be the answer.
    usual = "all" if wanted else "changes"
    show = request.args.get("show", usual)
    show = show if show in SHOWN else usual
    after, before = request.args.get("after"), request.args.get("before")
    listed = queries.requests(session, found, show=show, wanted=wanted, after=after, before=before)
    values = {
        "show": show,
        "wanted": wanted,
        "listed": listed,
        "rows": [sheet_of(one, programme()) for one in listed.rows],
        "counts": queries.counts(session, found),
        "alerts": [(one, alert_words(one)) for one in queries.alerts_of(session, found.programme_id, [found.id])],
        "kept_days": KEPT.days,
    }
    return Part("scim/activity.html", values)


def alert_words(alert: Alert) -> str:
    """Say what an alert is about."""
    people = counted(int(alert.facts.get("removals") or 0), "person", "people")
    limit = f"{alert.facts.get('people')} people and {alert.facts.get('percent')} % of the active users"
    return f"{people} were taken out within 24 hours, which is more than {limit}."


@bp.get("/<uuid:integration_id>/requests/<uuid:request_id>")
@staff(*EVERY_ROLE)
def scim_request(slug: str, integration_id: uuid.UUID, request_id: uuid.UUID) -> str:
    """Show one request: what was asked, what came of it, and who has to put it right."""
    found = connection(integration_id)
    one = queries.request_of(db.session(), found, request_id)
    if one is None:
        abort(404)
    sheet = sheet_of(one, programme())
    return page(
        "scim/request.html",
        found,
        sheet=sheet,
        facts=facts_of(sheet),
        for_it=text_for_it(sheet, found, programme(), address_of(found)),
    )


def facts_of(sheet: Sheet) -> list[dict[str, Any]]:
    """Return when a request was, what it asked, how it was answered, and about whom."""
    one = sheet.request
    person: str | Markup = one.person or ("None in particular" if sheet.is_of_group else "Nobody in particular")
    if sheet.person_url:
        person = Markup('<a href="{}">{}</a>').format(sheet.person_url, one.person or "Open the person")
    answered = f"{one.status} {one.scim_type}".strip() + f", after {one.duration_ms} ms"
    if sheet.is_pasted or sheet.is_again:
        way = "Pasted here" if sheet.is_pasted else "Read again with the draft"
        asked: list[dict[str, Any]] = [{"label": "Way", "value": f"{way}; nothing was written"}]
    else:
        asked = [
            {"label": "Request", "value": f"{one.method} {one.path}", "mono": True},
            {"label": "Answered with", "value": answered},
            {"label": "Token", "value": f"Ending in {one.token_hint}" if one.token_hint else None},
        ]
        if one.listening:
            asked.append({"label": "Listening", "value": "Yes: nothing was written"})
    return [
        {"label": "Time", "value": exact_time(one.at, programme().zone)},
        *asked,
        {"label": "Group" if sheet.is_of_group else "Person", "value": person},
    ]
