"""Schedule: how often it pulls, what is done when a pull looks wrong, and what it may do; and "sync now"."""

import uuid
from typing import Final

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from rgapp.access import CHANGERS, EVERY_ROLE, staff
from rgapp.clock import utcnow
from rgapp.dashboard.common import actor, bp, changed_meanwhile, page, programme, say_saved, seen
from rgapp.dashboard.pulls.sources import PullSource, pulling
from rgapp.dashboard.steps import differs, steps_of
from rgapp.extensions import db, limiter
from rgapp.integrations import service
from rgapp.integrations.pulls.begin import begin
from rgapp.integrations.pulls.forms import ScheduleForm
from rgapp.models import Integration

HELP: Final = {
    "hourly": "Mostly what has changed; everybody once a day. Somebody who leaves is out within the hour.",
    "daily": "The usual setting: soon after midnight, everybody is read.",
    "weekly": "Somebody who leaves keeps access for up to a week.",
    "monthly": "Somebody who leaves keeps access for up to a month.",
}


@bp.get("/<uuid:integration_id>/pull/schedule")
@staff(*EVERY_ROLE)
def pull_schedule(slug: str, integration_id: uuid.UUID) -> str:
    """Show Schedule."""
    integration, source = pulling(integration_id)
    form = ScheduleForm(formdata=None)
    form.fill(integration.draft)
    form.seen.data = seen(integration)
    return schedule_page(integration, source, form)


@bp.post("/<uuid:integration_id>/pull/schedule")
@staff(*CHANGERS)
def pull_save_schedule(slug: str, integration_id: uuid.UUID) -> str | Response:
    """Save Schedule and go on."""
    integration, source = pulling(integration_id)
    form = ScheduleForm()
    conflict = changed_meanwhile(form, integration)
    if not form.validate() or conflict:
        return schedule_page(integration, source, form, conflict=conflict)
    changed = service.save_draft(db.session(), integration, actor=actor(), now=utcnow(), **form.parts())
    db.session.commit()
    say_saved(changed, [])
    target = "dashboard.pull_schedule" if "stay" in request.form else "dashboard.pull_preview"
    return redirect(url_for(target, slug=slug, integration_id=integration_id), 303)


@bp.post("/<uuid:integration_id>/pull/now")
@staff(*CHANGERS)
@limiter.limit("20/minute")
def pull_now(slug: str, integration_id: uuid.UUID) -> Response:
    """Ask for a full pull, unless one is waiting or at work, and show it."""
    integration, _ = pulling(integration_id)
    if not integration.is_live:
        flash("It is not live, so nothing is pulled. The preview shows what a pull would do.", "warning")
        return redirect(url_for("dashboard.integration", slug=slug, integration_id=integration_id), 303)
    run = begin(db.session(), integration, now=utcnow(), full=True)
    db.session.commit()
    return redirect(url_for("dashboard.run", slug=slug, integration_id=integration_id, run_id=run.id), 303)


def schedule_page(integration: Integration, source: PullSource, form: ScheduleForm, *, conflict: bool = False) -> str:
    """Render Schedule."""
    return page(
        "pulls/schedule.html",
        integration,
        form=form,
        source=source,
        schedule_help=HELP,
        preview_url=url_for("manager.mail_preview", slug=programme().slug, kind="welcome"),
        steps=steps_of(integration),
        current="schedule",
        conflict=differs(integration) if conflict else None,
    )
