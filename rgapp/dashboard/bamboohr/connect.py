"""Connect: which BambooHR is meant and what lets us in, tested at once, with what is wrong in plain words."""

import uuid
from typing import Any, Final

from flask import current_app, flash, redirect, url_for
from werkzeug.wrappers import Response

from rgapp.access import CHANGERS, EVERY_ROLE, staff
from rgapp.clock import utcnow
from rgapp.dashboard.bamboohr.account import SOURCE, kept, origin_of_draft
from rgapp.dashboard.common import actor, base_url, bp, changed_meanwhile, page, programme, seen
from rgapp.dashboard.pulls.pages import words_for
from rgapp.dashboard.pulls.sources import of_kind
from rgapp.dashboard.pulls.state import kept_words, state_of
from rgapp.dashboard.pulls.testing import test_way_in
from rgapp.dashboard.steps import differs, steps_of
from rgapp.extensions import db, limiter, sealer
from rgapp.integrations import service
from rgapp.integrations.bamboohr.declared import OAUTH
from rgapp.integrations.bamboohr.forms import ConnectForm
from rgapp.integrations.bamboohr.kind import KIND
from rgapp.integrations.bamboohr.oauth import SCOPES
from rgapp.integrations.pulls import access
from rgapp.models import Integration
from rgapp.security import allow_form_action

TAKEN: Final = "Another integration of this programme has this name."


@bp.get("/<uuid:integration_id>/bamboohr/connect")
@staff(*EVERY_ROLE)
def bamboohr_connect(slug: str, integration_id: uuid.UUID) -> str:
    """Show Connect."""
    integration = of_kind(integration_id, KIND)
    form = ConnectForm(formdata=None)
    form.kept = kept(integration)
    form.fill(integration.name, integration.draft)
    form.seen.data = seen(integration)
    return connect_page(integration, form)


@bp.post("/<uuid:integration_id>/bamboohr/connect")
@staff(*CHANGERS)
@limiter.limit("20/minute")
def bamboohr_save_connect(slug: str, integration_id: uuid.UUID) -> str | Response:
    """Save Connect, test the way in, and go on where it works."""
    integration, form = of_kind(integration_id, KIND), ConnectForm()
    form.kept = kept(integration)
    conflict = changed_meanwhile(form, integration)
    if not form.validate() or conflict:
        return connect_page(integration, form, conflict=conflict)
    session, now = db.session(), utcnow()
    try:
        service.save_draft(
            session, integration, actor=actor(), now=now, name=form.name.data, **form.parts(), **stand_in(integration)
        )
    except service.NameTaken:
        session.rollback()
        form.name.errors = [TAKEN]
        return connect_page(of_kind(integration_id, KIND), form)
    if (secrets := form.secrets()) is not None:
        access.keep(session, integration, secrets, sealer=sealer(), actor=actor(), now=now)
    session.commit()
    found = kept(integration)
    here = url_for("dashboard.bamboohr_connect", slug=slug, integration_id=integration_id)
    if found is not None and found.method == OAUTH and "refresh_token" not in found.values:
        flash("Saved. Now allow us to read: go to BambooHR below.", "info")
        return redirect(f"{here}#consent", 303)
    if not test_way_in(integration, SOURCE):
        return redirect(here, 303)
    flash("BambooHR lets us in.", "success")
    return redirect(url_for("dashboard.pull_mapping", slug=slug, integration_id=integration_id), 303)


def stand_in(integration: Integration) -> dict[str, Any]:
    """Return the address that the operator has put in BambooHR's place, for a draft that names none."""
    address: str = current_app.config["BAMBOOHR_URL"]
    return {"base_url": address} if address and not integration.draft.get("base_url") else {}


def connect_page(integration: Integration, form: ConnectForm, *, conflict: bool = False) -> str:
    """Render Connect."""
    found, state = kept(integration), state_of(integration, SOURCE)
    consent_ready = found is not None and found.method == OAUTH and bool(integration.draft.get("subdomain"))
    if consent_ready:
        allow_form_action(origin_of_draft(integration))
    return page(
        "bamboohr/connect.html",
        integration,
        form=form,
        source=SOURCE,
        state=state,
        kept=kept_words(state),
        consent_ready=consent_ready,
        redirect_uri=redirect_uri(integration),
        scopes=" ".join(SCOPES),
        words=words_for(SOURCE.other),
        steps=steps_of(integration),
        current="connect",
        conflict=differs(integration) if conflict else None,
    )


def redirect_uri(integration: Integration) -> str:
    """Return the address to which BambooHR sends people back after their consent."""
    path = url_for("dashboard.bamboohr_consented", slug=programme().slug, integration_id=integration.id)
    return base_url() + path
