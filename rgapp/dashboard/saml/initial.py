"""Initial set-up of an inbound SAML connection, with metadata shown as it was understood before it is saved."""

import json
import uuid
from typing import Any

from flask import current_app, redirect, request, url_for
from werkzeug.wrappers import Response

from rgapp.access import CHANGERS, EVERY_ROLE, staff
from rgapp.clock import utcnow
from rgapp.dashboard.common import actor, base_url, bp, changed_meanwhile, page, programme, say_saved, seen
from rgapp.dashboard.saml.connection import connection
from rgapp.dashboard.saml.guide import guide
from rgapp.dashboard.steps import differs, steps_of
from rgapp.extensions import db, limiter
from rgapp.integrations import service
from rgapp.integrations.saml import setup
from rgapp.integrations.saml.fetch import FetchError, fetch_metadata
from rgapp.integrations.saml.forms import ConfirmForm, InitialForm
from rgapp.integrations.saml.kind import service_urls
from rgapp.integrations.saml.metadata import MetadataError
from rgapp.integrations.saml.presets import PRESETS
from rgapp.integrations.saml.understood import (
    UnderstoodIdp,
    certificate_rows,
    metadata_sentence,
    understand_metadata,
)
from rgapp.models import Integration

FETCHES_ALLOWED = "30/minute"
TAKEN = "Another integration of this programme has this name."


@bp.get("/<uuid:integration_id>/setup/initial")
@staff(*EVERY_ROLE)
def saml_initial(slug: str, integration_id: uuid.UUID) -> str:
    """Show Initial set-up."""
    integration = connection(integration_id)
    return initial_page(integration, filled_form(integration))


@bp.post("/<uuid:integration_id>/setup/initial")
@staff(*CHANGERS)
@limiter.limit(FETCHES_ALLOWED)
def save_initial(slug: str, integration_id: uuid.UUID) -> str | Response:
    """Save Initial set-up, after metadata was confirmed where some was given."""
    integration = connection(integration_id)
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
    integration = connection(integration_id)
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
        return initial_page(connection(integration.id), form)
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
        "saml/initial.html",
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
        "saml/confirm.html", integration, form=carried, offered=rows, steps=steps_of(integration), current="initial"
    )
