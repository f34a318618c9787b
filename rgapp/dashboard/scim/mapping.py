"""Mapping of a SCIM integration: which attribute each of our fields comes from, with what arrived last."""

import uuid
from collections.abc import Sequence
from typing import Any

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from rgapp.access import CHANGERS, EVERY_ROLE, staff
from rgapp.clock import utcnow
from rgapp.dashboard.common import actor, bp, changed_meanwhile, page, programme, say_saved, seen
from rgapp.dashboard.fields import field_row
from rgapp.dashboard.scim import queries
from rgapp.dashboard.scim.connection import connection, guide, preset_of
from rgapp.dashboard.steps import differs, steps_of
from rgapp.extensions import db
from rgapp.integrations import service
from rgapp.integrations.mapped import date_format_choices, missing_of_mapping
from rgapp.integrations.scim.forms import MappingForm
from rgapp.integrations.scim.settings import ISO_DATE
from rgapp.models import Integration, SCIMRequest
from rgapp.wording import FIELD_LABELS, FIELD_REASONS

LOOKED_AT = 20


@bp.get("/<uuid:integration_id>/scim/mapping")
@staff(*EVERY_ROLE)
def scim_mapping(slug: str, integration_id: uuid.UUID) -> str:
    """Show Mapping."""
    integration = connection(integration_id)
    form = MappingForm(formdata=None)
    form.fill(integration.draft)
    form.seen.data = seen(integration)
    return mapping_page(integration, form)


@bp.post("/<uuid:integration_id>/scim/mapping")
@staff(*CHANGERS)
def scim_save_mapping(slug: str, integration_id: uuid.UUID) -> str | Response:
    """Save Mapping and go on; stay here while a mandatory field has no source."""
    integration, form = connection(integration_id), MappingForm()
    conflict = changed_meanwhile(form, integration)
    if not form.validate() or conflict:
        return mapping_page(integration, form, conflict=conflict)
    changed = service.save_draft(db.session(), integration, actor=actor(), now=utcnow(), mapping=form.mapping())
    db.session.commit()
    missing = missing_of_mapping(integration.draft)
    say_saved(changed, missing)
    if not missing and changed and integration.live_version is not None:
        flash("What is live has not changed. Publish to bring this to people.", "info")
    target = "dashboard.scim_mapping" if missing or "stay" in request.form else "dashboard.scim_testing"
    return redirect(url_for(target, slug=slug, integration_id=integration_id), 303)


def mapping_page(integration: Integration, form: MappingForm, *, conflict: bool = False) -> str:
    """Render Mapping, with examples from the last requests."""
    last = queries.last_with_fields(db.session(), integration, LOOKED_AT)
    preset = preset_of(integration)
    form.offer_formats(date_format_choices(ISO_DATE, form.date_format.data))
    return page(
        "scim/mapping.html",
        integration,
        form=form,
        steps=steps_of(integration),
        current="mapping",
        preset=preset,
        guide=guide(integration, preset.mapping),
        examples=examples_of(last),
        heard=bool(last),
        arrived=arrived_in(last),
        labels=FIELD_LABELS,
        reasons=FIELD_REASONS,
        programme_slug=programme().slug,
        conflict=differs(integration) if conflict else None,
    )


def arrived_in(requests: Sequence[SCIMRequest]) -> list[str]:
    """Return the attributes that had values in these requests, as often and as late as they came."""
    found: dict[str, int] = {}
    for one in requests:
        for name in one.arrived:
            found[name] = found.get(name, 0) + 1
    return sorted(found, key=lambda name: -found[name])


def examples_of(requests: Sequence[SCIMRequest]) -> dict[str, dict[str, Any]]:
    """Return for each field what the newest request that mentions it said, in words."""
    examples: dict[str, dict[str, Any]] = {}
    for one in requests:
        for entry in one.fields:
            held = examples.get(entry["field"])
            if held is None or (held["raw"] is None and entry.get("raw")):
                examples[entry["field"]] = field_row(entry)
    return examples
