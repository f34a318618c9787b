"""Review and publish: what goes live, what changes for people, and the differences to what is live."""

import uuid

from flask import flash, redirect, url_for
from werkzeug.wrappers import Response

from rgapp.access import CHANGERS, EVERY_ROLE, staff
from rgapp.clock import utcnow
from rgapp.dashboard.common import actor, bp, changed_meanwhile, load, page, seen
from rgapp.dashboard.forms import PublishForm
from rgapp.dashboard.registry import pages_of
from rgapp.dashboard.steps import differs, steps_of
from rgapp.extensions import db
from rgapp.integrations import service
from rgapp.integrations.base import SettingsError
from rgapp.integrations.registry import kind_of
from rgapp.models import Integration


@bp.get("/<uuid:integration_id>/setup/review")
@staff(*EVERY_ROLE)
def review(slug: str, integration_id: uuid.UUID) -> str:
    """Show Review and publish."""
    integration = load(integration_id)
    form = PublishForm(formdata=None, data={"seen": seen(integration)})
    return review_page(integration, form)


@bp.post("/<uuid:integration_id>/setup/review")
@staff(*CHANGERS)
def publish(slug: str, integration_id: uuid.UUID) -> str | Response:
    """Publish the draft that was reviewed; refused with sentences where it is not complete or not tested."""
    integration, form = load(integration_id), PublishForm()
    if changed_meanwhile(form, integration):
        return review_page(integration, form, conflict=True)
    if not form.validate():
        return review_page(integration, form)
    try:
        service.publish(
            db.session(), integration, actor=actor(), now=utcnow(), without_test=bool(form.without_test.data)
        )
    except SettingsError:
        db.session.rollback()
        flash("Nothing was published: something is missing, see below.", "warning")
        return review_page(load(integration_id), form)
    except service.UntestedDraft:
        db.session.rollback()
        form.without_test.errors = ["Test this draft first, or tick the box to publish it without a test."]
        return review_page(load(integration_id), form)
    db.session.commit()
    flash(f"{integration.name} is live.", "success")
    return redirect(url_for("dashboard.integration", slug=slug, integration_id=integration_id), 303)


def review_page(integration: Integration, form: PublishForm, *, conflict: bool = False) -> str:
    """Render Review and publish."""
    live, now = service.live_settings(db.session(), integration), utcnow()
    kind = kind_of(integration.kind)
    names = (integration.live_name or "", integration.name)
    return page(
        "review.html",
        integration,
        form=form,
        steps=steps_of(integration),
        current="review",
        review=pages_of(integration.kind).review(integration, live, now),
        tested=service.is_tested(integration),
        live=live,
        settings=kind.differences(None, integration.draft, now),
        changes=kind.differences(live, integration.draft, now, names) if live is not None else [],
        conflict=differs(integration) if conflict else None,
    )
