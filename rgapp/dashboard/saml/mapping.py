"""Mapping of an inbound SAML connection: where each of our fields comes from, with examples from the last test."""

import uuid
from typing import Any

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from rgapp.access import CHANGERS, EVERY_ROLE, staff
from rgapp.clock import utcnow
from rgapp.dashboard.common import actor, bp, changed_meanwhile, page, programme, say_saved, seen
from rgapp.dashboard.fields import reading_words
from rgapp.dashboard.saml import queries
from rgapp.dashboard.saml.connection import connection
from rgapp.dashboard.steps import differs, steps_of
from rgapp.extensions import db
from rgapp.integrations import service
from rgapp.integrations.mapped import date_format_choices
from rgapp.integrations.saml import setup
from rgapp.integrations.saml.mapping_forms import MappingForm
from rgapp.integrations.saml.presets import PRESETS
from rgapp.models import Integration
from rgapp.provisioning.record import Field
from rgapp.wording import FIELD_LABELS, FIELD_REASONS, problem_sentence


@bp.get("/<uuid:integration_id>/setup/mapping")
@staff(*EVERY_ROLE)
def saml_mapping(slug: str, integration_id: uuid.UUID) -> str:
    """Show Mapping."""
    integration = connection(integration_id)
    form = MappingForm(formdata=None)
    form.fill(integration.draft, programme().usual_date_format)
    form.seen.data = seen(integration)
    return mapping_page(integration, form)


@bp.post("/<uuid:integration_id>/setup/mapping")
@staff(*CHANGERS)
def save_mapping(slug: str, integration_id: uuid.UUID) -> str | Response:
    """Save Mapping and go on; stay here while a mandatory field has no source."""
    integration = connection(integration_id)
    form = MappingForm()
    conflict = changed_meanwhile(form, integration)
    if not form.validate() or conflict:
        return mapping_page(integration, form, conflict=conflict)
    changed = service.save_draft(
        db.session(), integration, actor=actor(), now=utcnow(), mapping=form.mapping(), jit=form.jit()
    )
    db.session.commit()
    missing = setup.missing_of_mapping(integration.draft)
    say_saved(changed, missing)
    target = "dashboard.saml_mapping" if missing or "stay" in request.form else "dashboard.saml_testing"
    if not missing and changed and integration.live_version is not None:
        flash("What is live has not changed. Publish to bring this to employees.", "info")
    return redirect(url_for(target, slug=slug, integration_id=integration_id), 303)


def mapping_page(integration: Integration, form: MappingForm, *, conflict: bool = False) -> str:
    """Render Mapping, with examples from the last test."""
    tests = queries.last_tests(db.session(), integration, 1)
    last, preset = tests[0] if tests else None, PRESETS[integration.provider]
    form.offer_formats(date_format_choices(programme().usual_date_format, form.date_format.data))
    return page(
        "saml/mapping.html",
        integration,
        form=form,
        steps=steps_of(integration),
        current="mapping",
        preset=preset,
        last_test=last,
        examples=examples_of(last.fields) if last else {},
        labels=FIELD_LABELS,
        reasons=FIELD_REASONS,
        usual=[
            {"label": FIELD_LABELS[field], "value": preset.claims.get(field.value), "mono": True} for field in Field
        ],
        preview_url=url_for("manager.mail_preview", slug=programme().slug, kind="welcome"),
        arrived=last.arrived if last else [],
        conflict=differs(integration) if conflict else None,
    )


def examples_of(fields: list[Any]) -> dict[str, dict[str, Any]]:
    """Return what the last test said of each field, with our reading of it or what is wrong with it."""
    examples = {}
    for entry in fields:
        field, code = Field(entry["field"]), entry.get("code")
        problem = problem_sentence(field, code, entry.get("data") or {}, entry["looked_for"]) if code else ""
        examples[field.value] = {**entry, "reading": reading_words(field, entry.get("value")), "problem": problem}
    return examples
