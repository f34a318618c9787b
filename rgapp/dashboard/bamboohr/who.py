"""Who: which of the people in BambooHR are taken, by what they have there."""

import uuid
from typing import cast

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from rgapp.access import CHANGERS, EVERY_ROLE, staff
from rgapp.clock import utcnow
from rgapp.dashboard.bamboohr.account import SOURCE
from rgapp.dashboard.common import actor, bp, changed_meanwhile, page, say_saved, seen
from rgapp.dashboard.pulls.asking import ask
from rgapp.dashboard.pulls.sources import of_kind
from rgapp.dashboard.steps import differs, steps_of
from rgapp.extensions import db, limiter
from rgapp.integrations import service
from rgapp.integrations.bamboohr.api import Bamboo, FilterOptions
from rgapp.integrations.bamboohr.forms import WhoForm
from rgapp.integrations.bamboohr.kind import KIND
from rgapp.models import Integration


@bp.get("/<uuid:integration_id>/bamboohr/who")
@staff(*EVERY_ROLE)
@limiter.limit("60/minute")
def bamboohr_who(slug: str, integration_id: uuid.UUID) -> str:
    """Show Who."""
    integration = of_kind(integration_id, KIND)
    form = WhoForm(formdata=None)
    form.fill(integration.draft)
    form.seen.data = seen(integration)
    return who_page(integration, form)


@bp.post("/<uuid:integration_id>/bamboohr/who")
@staff(*CHANGERS)
def bamboohr_save_who(slug: str, integration_id: uuid.UUID) -> str | Response:
    """Save Who and go on."""
    integration, form = of_kind(integration_id, KIND), WhoForm()
    conflict = changed_meanwhile(form, integration)
    if not form.validate() or conflict:
        return who_page(integration, form, conflict=conflict)
    changed = service.save_draft(db.session(), integration, actor=actor(), now=utcnow(), **form.parts())
    db.session.commit()
    say_saved(changed, [])
    target = "dashboard.bamboohr_who" if "stay" in request.form else "dashboard.pull_schedule"
    return redirect(url_for(target, slug=slug, integration_id=integration_id), 303)


def who_page(integration: Integration, form: WhoForm, *, conflict: bool = False) -> str:
    """Render Who, with the values that there are in BambooHR."""
    asked = ask(integration, SOURCE, lambda account: cast(Bamboo, account).options(), FilterOptions())
    options = asked.value
    form.offer(
        {
            "status": options.statuses,
            "employment_type": options.employment_types,
            "country": options.countries,
            "department": options.departments,
        }
    )
    return page(
        "bamboohr/who.html",
        integration,
        form=form,
        source=SOURCE,
        asked=asked,
        steps=steps_of(integration),
        current="who",
        conflict=differs(integration) if conflict else None,
    )
