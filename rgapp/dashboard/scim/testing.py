"""Testing of a SCIM integration: the requests as they come in, and a user that is pasted; nothing is written."""

import uuid
from typing import Any

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from rgapp.access import CHANGERS, EVERY_ROLE, staff
from rgapp.clock import utcnow
from rgapp.dashboard.common import actor, bp, page, programme
from rgapp.dashboard.scim import queries
from rgapp.dashboard.scim.connection import address_of, connection, guide, preset_of
from rgapp.dashboard.scim.sheet import sheet_of
from rgapp.dashboard.scim.tokens import token_rows
from rgapp.dashboard.steps import steps_of
from rgapp.extensions import db, limiter
from rgapp.integrations import service
from rgapp.integrations.base import SettingsError
from rgapp.integrations.registry import kind_of
from rgapp.integrations.scim.forms import PasteForm
from rgapp.integrations.scim.tokens import TokenState
from rgapp.integrations.scim.trying import NotAUser, paste, read_again
from rgapp.models import Integration

SHOWN = 20
NOT_A_USER = {
    "not_json": "This is not JSON. Paste the whole body of the request, from the first { to the last }.",
    "not_text": "There is a NUL or half a character in it, which cannot be kept. The service refuses it, too.",
    "not_an_object": "This is JSON, but no SCIM user: a user begins with { and has attributes such as userName.",
    "a_list": "This is a list. Paste one user of it.",
}


@bp.get("/<uuid:integration_id>/scim/testing")
@staff(*EVERY_ROLE)
def scim_testing(slug: str, integration_id: uuid.UUID) -> str:
    """Show the last requests and the result of the one in `request`."""
    return testing_page(connection(integration_id), PasteForm(formdata=None))


@bp.get("/<uuid:integration_id>/scim/testing/requests")
@staff(*EVERY_ROLE)
def scim_listened(slug: str, integration_id: uuid.UUID) -> str:
    """Return the list of the last requests alone, which the page asks for again and again."""
    integration = connection(integration_id)
    return page("scim/_listened.html", integration, **listened_values(integration))


@bp.post("/<uuid:integration_id>/scim/testing")
@staff(*CHANGERS)
@limiter.limit("30/minute")
def scim_paste(slug: str, integration_id: uuid.UUID) -> str | Response:
    """Try a pasted user with the draft."""
    integration, form = connection(integration_id), PasteForm()
    if not form.validate():
        return testing_page(integration, form)
    try:
        request_id = paste(db.session(), integration, form.resource.data or "", actor=actor(), now=utcnow())
    except NotAUser as error:
        form.resource.errors = [NOT_A_USER[error.reason]]
        return testing_page(integration, form)
    except SettingsError:
        flash("The draft cannot be used yet. Review says what is missing.", "warning")
        return redirect(url_for("dashboard.review", slug=slug, integration_id=integration_id), 303)
    db.session.commit()
    target = url_for("dashboard.scim_testing", slug=slug, integration_id=integration_id, request=request_id)
    return redirect(f"{target}#result", 303)


@bp.post("/<uuid:integration_id>/scim/testing/again")
@staff(*CHANGERS)
@limiter.limit("30/minute")
def scim_read_again(slug: str, integration_id: uuid.UUID) -> Response:
    """Try the people whom the client changed last with the draft."""
    integration = connection(integration_id)
    try:
        tried = read_again(db.session(), integration, actor=actor(), now=utcnow())
    except SettingsError:
        flash("The draft cannot be used yet. Review says what is missing.", "warning")
        return redirect(url_for("dashboard.review", slug=slug, integration_id=integration_id), 303)
    db.session.commit()
    if not tried:
        flash("This connection has brought nobody yet, so there is nobody to read again.", "info")
    elif service.is_tested(integration):
        flash(f"The draft reads all {tried} of them well. What would come of each is below.", "success")
    else:
        flash("The draft cannot take all of them. See below what is wrong with whom.", "warning")
    return redirect(url_for("dashboard.scim_testing", slug=slug, integration_id=integration_id), 303)


def testing_page(integration: Integration, form: PasteForm) -> str:
    """Render Testing."""
    preset = preset_of(integration)
    one = queries.request_of(db.session(), integration, wanted) if (wanted := wanted_request()) else None
    return page(
        "scim/testing.html",
        integration,
        form=form,
        steps=steps_of(integration),
        current="testing",
        preset=preset,
        address=address_of(integration),
        guide=guide(integration, ()),
        missing=kind_of(integration.kind).missing(integration.draft),
        has_token=any(row.state is TokenState.LIVE for row in token_rows(integration, utcnow())),
        tested=service.is_tested(integration),
        sheet=sheet_of(one, programme()) if one is not None else None,
        **listened_values(integration),
    )


def listened_values(integration: Integration) -> dict[str, Any]:
    """Return what the list of the last requests shows."""
    found = queries.listened(db.session(), integration, SHOWN)
    return {"listened": [sheet_of(one, programme()) for one in found], "open_first": wanted_request() is None}


def wanted_request() -> uuid.UUID | None:
    """Return which request the address asks for, None for none or for what is no id."""
    try:
        return uuid.UUID(request.args.get("request", ""))
    except ValueError:
        return None
