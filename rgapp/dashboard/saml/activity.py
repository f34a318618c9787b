"""Activity of an inbound SAML connection: the attempts by filter and search, and the page of one."""

import uuid
from typing import Any

from flask import abort, current_app, request
from markupsafe import Markup

from rgapp.access import EVERY_ROLE, staff
from rgapp.dashboard.common import base_url, bp, page, programme
from rgapp.dashboard.kinds import Part
from rgapp.dashboard.saml import queries
from rgapp.dashboard.saml.connection import connection
from rgapp.dashboard.saml.sheet import Sheet, sentence_of, sheet_of
from rgapp.extensions import db
from rgapp.integrations.saml.kind import service_urls
from rgapp.models import Integration, Purpose
from rgapp.templating import exact_time

SHOWN = ("all", "good", "refused", "tests")


def activity_part(found: Integration) -> Part:
    """Return the attempts, by filter and search."""
    show = request.args.get("show", "all")
    show = show if show in SHOWN else "all"
    wanted = request.args.get("q", "").strip()[:200]
    listed = queries.attempts(db.session(), found, show=show, wanted=wanted, cursor=request.args.get("after", ""))
    values = {
        "show": show,
        "wanted": wanted,
        "listed": listed,
        "rows": [(one, sentence_of(one)) for one in listed.attempts],
        "counts": queries.counts(db.session(), found),
        "is_first": "after" not in request.args,
        "retention_days": current_app.config["ATTEMPT_RETENTION_DAYS"],
    }
    return Part("saml/activity.html", values)


@bp.get("/<uuid:integration_id>/attempts/<reference>")
@staff(*EVERY_ROLE)
def attempt(slug: str, integration_id: uuid.UUID, reference: str) -> str:
    """Show one attempt: expected, got, and who has to put it right."""
    found = connection(integration_id)
    one = queries.attempt(db.session(), found, reference)
    if one is None:
        abort(404)
    sheet = sheet_of(one, found, programme(), service_urls(found.public_id, base_url()))
    return page("saml/attempt.html", found, sheet=sheet, facts=facts_of(sheet))


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
