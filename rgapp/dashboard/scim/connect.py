"""Connect: the name, our address, bearer tokens, and what the connection may do."""

import uuid

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from rgapp.access import CHANGERS, EVERY_ROLE, staff
from rgapp.clock import utcnow
from rgapp.dashboard.common import actor, bp, changed_meanwhile, page, programme, say_saved, seen
from rgapp.dashboard.scim.connection import address_of, connection, guide, preset_of
from rgapp.dashboard.scim.tokens import token_rows
from rgapp.dashboard.steps import differs, steps_of
from rgapp.extensions import db
from rgapp.integrations import service
from rgapp.integrations.scim.forms import ConnectForm, TokenForm
from rgapp.integrations.scim.tokens import MOST_LIVE, TokenState
from rgapp.models import Integration

TAKEN = "Another integration of this programme has this name."


@bp.get("/<uuid:integration_id>/scim/connect")
@staff(*EVERY_ROLE)
def scim_connect(slug: str, integration_id: uuid.UUID) -> str:
    """Show Connect."""
    integration = connection(integration_id)
    form = ConnectForm(formdata=None)
    form.fill(integration.name, integration.draft)
    form.seen.data = seen(integration)
    return connect_page(integration, form)


@bp.post("/<uuid:integration_id>/scim/connect")
@staff(*CHANGERS)
def scim_save_connect(slug: str, integration_id: uuid.UUID) -> str | Response:
    """Save Connect and go on."""
    integration, form = connection(integration_id), ConnectForm()
    conflict = changed_meanwhile(form, integration)
    if not form.validate() or conflict:
        return connect_page(integration, form, conflict=conflict)
    try:
        changed = service.save_draft(
            db.session(), integration, actor=actor(), now=utcnow(), name=form.name.data, **form.parts()
        )
    except service.NameTaken:
        db.session.rollback()
        form.name.errors = [TAKEN]
        return connect_page(connection(integration_id), form)
    db.session.commit()
    say_saved(changed, [])
    target = "dashboard.scim_connect" if "stay" in request.form else "dashboard.scim_mapping"
    return redirect(url_for(target, slug=slug, integration_id=integration_id), 303)


def connect_page(integration: Integration, form: ConnectForm, *, conflict: bool = False) -> str:
    """Render Connect."""
    rows = token_rows(integration, utcnow())
    preset = preset_of(integration)
    return page(
        "scim/connect.html",
        integration,
        form=form,
        steps=steps_of(integration),
        current="connect",
        preset=preset,
        guide=guide(integration, preset.connecting),
        address=address_of(integration),
        tokens=rows,
        token_form=TokenForm(formdata=None),
        can_issue=sum(row.state is TokenState.LIVE for row in rows) < MOST_LIVE,
        preview_url=url_for("manager.mail_preview", slug=programme().slug, kind="welcome"),
        conflict=differs(integration) if conflict else None,
    )
