"""Set-up of an inbound SAML connection: Initial set-up, with metadata shown as understood, and Mapping."""

import json
import uuid
from typing import Any

from flask import current_app, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from rgapp.access import CHANGERS, EVERY_ROLE, staff
from rgapp.clock import utcnow
from rgapp.dashboard import queries
from rgapp.dashboard.common import actor, base_url, bp, changed_meanwhile, load, page, programme, say_saved, seen
from rgapp.dashboard.sheet import reading_words
from rgapp.dashboard.steps import differs, guide, steps_of
from rgapp.extensions import db, limiter
from rgapp.integrations import service
from rgapp.integrations.saml import setup
from rgapp.integrations.saml.fetch import FetchError, fetch_metadata
from rgapp.integrations.saml.forms import ConfirmForm, InitialForm
from rgapp.integrations.saml.kind import service_urls
from rgapp.integrations.saml.mapping_forms import MappingForm
from rgapp.integrations.saml.metadata import MetadataError
from rgapp.integrations.saml.presets import PRESETS
from rgapp.integrations.saml.understood import (
    UnderstoodIdp,
    certificate_rows,
    metadata_sentence,
    understand_metadata,
)
from rgapp.models import Integration
from rgapp.provisioning.record import Field
from rgapp.wording import FIELD_LABELS, FIELD_REASONS, problem_sentence

FETCHES_ALLOWED = "30/minute"
TAKEN = "Another integration of this programme has this name."


@bp.get("/<uuid:integration_id>/setup/initial")
@staff(*EVERY_ROLE)
def saml_initial(slug: str, integration_id: uuid.UUID) -> str:
    """Show Initial set-up."""
    integration = load(integration_id)
    return initial_page(integration, filled_form(integration))


@bp.post("/<uuid:integration_id>/setup/initial")
@staff(*CHANGERS)
@limiter.limit(FETCHES_ALLOWED)
def save_initial(slug: str, integration_id: uuid.UUID) -> str | Response:
    """Save Initial set-up, after metadata was confirmed where some was given."""
    integration = load(integration_id)
    form = InitialForm(saved=integration.draft.get("idp"))
    form.settle_way()
    conflict = changed_meanwhile(form, integration)
    good = form.validate()
    offered: list[UnderstoodIdp] = []
    if form.way.data in {"file", "url"} and not form.metadata_file.errors and not form.metadata_url.errors:
        offered = understood_by(form)
    if not good or form.metadata_file.errors or form.metadata_url.errors or conflict:
        form.keep_uploads()
        return initial_page(integration, form, conflict=conflict)
    if offered:
        return confirm_page(integration, form, offered)
    parts = form.options() | ({"idp": form.hand_settings()} if form.way.data == "hand" else {})
    return save(integration, form, parts)


@bp.post("/<uuid:integration_id>/setup/confirm")
@staff(*CHANGERS)
def confirm_metadata(slug: str, integration_id: uuid.UUID) -> str | Response:
    """Save the metadata as it was understood, or go back with everything that was typed."""
    integration = load(integration_id)
    carried = ConfirmForm()
    values = {name: carried[name].data for name in ("name", "way", "metadata_url", "signed", "parameter_name")}
    values |= {name: carried[name].data == "yes" for name in ("sp_initiated", "idp_initiated")}
    form = InitialForm(formdata=None, data=values, saved=integration.draft.get("idp"))
    fill_hand(form)
    form.seen.data = carried.seen.data
    conflict = changed_meanwhile(form, integration)
    chosen = carried.chosen()
    if "back" in request.form or conflict or not carried.validate():
        return initial_page(integration, form, conflict=conflict)
    if chosen is None:
        form.metadata_file.errors = ["These details cannot be used as they are. Give the metadata again."]
        return initial_page(integration, form)
    # The way was "file" or "url"; the choices that belong to it were checked when the metadata was read.
    form.way.data = "hand"
    good, form.way.data = form.validate(), values["way"] or "file"
    if not good:
        return initial_page(integration, form)
    return save(integration, form, form.options() | {"idp": chosen})


def understood_by(form: InitialForm) -> list[UnderstoodIdp]:
    """Read the metadata that was uploaded or that the address leads to; problems go beside their field."""
    field = form.metadata_file if form.way.data == "file" else form.metadata_url
    try:
        if form.way.data == "file":
            data = form.metadata_file.data.read()
        else:
            data = fetch_metadata(form.metadata_url.data or "", allow=current_app.config["OUTBOUND_ALLOW"])
        return understand_metadata(data, now=utcnow())
    except MetadataError as error:
        field.errors = [metadata_sentence(error)]
    except FetchError as error:
        field.errors = [str(error)]
    return []


def save(integration: Integration, form: InitialForm, parts: dict[str, Any]) -> str | Response:
    """Save the draft and go on; stay here while something is missing."""
    try:
        changed = service.save_draft(
            db.session(), integration, actor=actor(), now=utcnow(), name=form.name.data, **parts
        )
    except service.NameTaken:
        db.session.rollback()
        form.name.errors = [TAKEN]
        return initial_page(load(integration.id), form)
    db.session.commit()
    missing = setup.missing_of_idp(integration.draft)
    say_saved(changed, missing)
    stay = bool(missing) or "stay" in request.form
    target = "dashboard.saml_initial" if stay else "dashboard.saml_mapping"
    return redirect(url_for(target, slug=programme().slug, integration_id=integration.id), 303)


def filled_form(integration: Integration) -> InitialForm:
    """Return the form, filled from the draft."""
    draft = integration.draft
    idp = draft.get("idp") or {}
    values = {
        "name": integration.name,
        "metadata_url": idp.get("metadata_url", ""),
        "signed": draft.get("signed", "assertion"),
        "sp_initiated": draft.get("sp_initiated", True),
        "idp_initiated": draft.get("idp_initiated", False),
        "parameter_name": draft.get("parameter_name", "SAMLResponse"),
        "seen": seen(integration),
    }
    form = InitialForm(formdata=None, data=values, saved=idp)
    form.way.data = "keep" if form.has_saved else "file"
    fill_hand(form)
    return form


def fill_hand(form: InitialForm) -> None:
    """Fill the part for entering by hand with what is saved."""
    for name in ("entity_id", "sso_url", "slo_url"):
        form[name].data = form.saved.get(name, "")
    form.sso_binding.data = form.saved.get("sso_binding", "redirect")
    form.want_signed_requests.data = bool(form.saved.get("want_signed_requests"))


def initial_page(integration: Integration, form: InitialForm, *, conflict: bool = False) -> str:
    """Render Initial set-up."""
    urls = service_urls(integration.public_id, base_url())
    preset = PRESETS[integration.provider]
    saved = form.saved
    return page(
        "saml_initial.html",
        integration,
        form=form,
        steps=steps_of(integration),
        current="initial",
        preset=preset,
        guide=guide(preset, urls),
        urls=urls,
        saved=saved,
        certificates=certificate_rows(saved.get("certificates") or (), utcnow()),
        conflict=differs(integration) if conflict else None,
    )


def confirm_page(integration: Integration, form: InitialForm, offered: list[UnderstoodIdp]) -> str:
    """Render the metadata as understood, carrying what was typed along."""
    values = {name: form[name].data for name in ("name", "way", "metadata_url", "signed", "parameter_name", "seen")}
    values |= {name: "yes" if form[name].data else "" for name in ("sp_initiated", "idp_initiated")}
    if form.way.data == "file":
        values["metadata_url"] = ""
    carried = ConfirmForm(formdata=None, data=values)
    carried.understood.data = json.dumps([one.settings for one in offered])
    now = utcnow()
    rows = [(one, certificate_rows(one.settings["certificates"], now)) for one in offered]
    carried.offer(one.display_name or one.settings["entity_id"] for one in offered)
    carried.choice.data = "0"
    return page(
        "saml_confirm.html", integration, form=carried, offered=rows, steps=steps_of(integration), current="initial"
    )


@bp.get("/<uuid:integration_id>/setup/mapping")
@staff(*EVERY_ROLE)
def saml_mapping(slug: str, integration_id: uuid.UUID) -> str:
    """Show Mapping."""
    integration = load(integration_id)
    form = MappingForm(formdata=None)
    form.fill(integration.draft, programme().usual_date_format)
    form.seen.data = seen(integration)
    return mapping_page(integration, form)


@bp.post("/<uuid:integration_id>/setup/mapping")
@staff(*CHANGERS)
def save_mapping(slug: str, integration_id: uuid.UUID) -> str | Response:
    """Save Mapping and go on; stay here while a mandatory field has no source."""
    integration = load(integration_id)
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
    form.offer_formats(setup.date_format_choices(programme().usual_date_format, form.date_format.data))
    return page(
        "saml_mapping.html",
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
