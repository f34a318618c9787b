"""Review and publish: what goes live, what changes for employees, and the differences to what is live."""

import uuid
from collections.abc import Sequence

from flask import flash, redirect, url_for
from werkzeug.wrappers import Response

from rgapp.access import CHANGERS, EVERY_ROLE, staff
from rgapp.clock import utcnow
from rgapp.dashboard.common import actor, bp, changed_meanwhile, load, page, seen
from rgapp.dashboard.steps import differs, steps_of
from rgapp.extensions import db
from rgapp.integrations import service
from rgapp.integrations.base import SettingsError, SettingsProblem
from rgapp.integrations.registry import kind_of
from rgapp.integrations.saml import setup
from rgapp.integrations.saml.mapping_forms import PublishForm
from rgapp.integrations.saml.understood import certificate_rows
from rgapp.models import Integration

STEP_OF = {"mapping": "saml_mapping", "jit": "saml_mapping"}


@bp.get("/<uuid:integration_id>/setup/review")
@staff(*EVERY_ROLE)
def saml_review(slug: str, integration_id: uuid.UUID) -> str:
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


def problems_of(integration: Integration) -> list[tuple[str, str, str]]:
    """Return what stops this draft from being published: sentence, the step that settles it, and that step's name."""
    idp = [
        (f"Initial set-up still needs {one}.", "saml_initial", "Initial set-up")
        for one in setup.missing_of_idp(integration.draft)
    ]
    mapping = [
        (f"Mapping still needs {one}.", "saml_mapping", "Mapping")
        for one in setup.missing_of_mapping(integration.draft)
    ]
    if idp or mapping:
        return idp + mapping
    try:
        kind_of(integration.kind).validate(integration.draft)
    except SettingsError as error:
        return _unusable(error.problems)
    return []


def _unusable(problems: Sequence[SettingsProblem]) -> list[tuple[str, str, str]]:
    found = []
    for problem in problems:
        step = STEP_OF.get(problem.path.partition(".")[0], "saml_initial")
        found.append((problem.message, step, "Mapping" if step == "saml_mapping" else "Initial set-up"))
    return found


def employee_changes(integration: Integration, live: dict[str, object] | None) -> list[str]:
    """Say what employees will notice."""
    draft, name = integration.draft, integration.name
    before = live if integration.enabled and live is not None else {}
    shown, was_shown = draft.get("sp_initiated", True), bool(before) and before.get("sp_initiated", True)
    sentences = []
    if shown and not was_shown:
        sentences.append(f"A button “Sign in with {name}” appears on the programme's sign-in page.")
    elif was_shown and not shown:
        sentences.append(f"The button “Sign in with {integration.live_name}” disappears from the sign-in page.")
    elif shown and integration.live_name != name:
        sentences.append(f"The button changes from “Sign in with {integration.live_name}” to “Sign in with {name}”.")
    portal, was_portal = bool(draft.get("idp_initiated")), bool(before.get("idp_initiated"))
    if portal != was_portal:
        verb = "can" if portal else "can no longer"
        sentences.append(f"Employees {verb} start from their company's own portal.")
    jit, old_jit = draft.get("jit") or {}, before.get("jit") or {}
    creates, created = bool(jit.get("create")), bool(isinstance(old_jit, dict) and old_jit.get("create"))
    if creates and not created:
        mail = " and get a welcome e-mail" if jit.get("welcome_email", True) else ""
        sentences.append(f"People without an account get one on their first sign-in{mail}.")
    elif created and not creates:
        sentences.append("People without an account can no longer sign in: their first sign-in creates none.")
    elif not creates and not before:
        sentences.append("Only people who have an account already can sign in; the first sign-in creates none.")
    return sentences or ["Employees see no difference."]


def review_page(integration: Integration, form: PublishForm, *, conflict: bool = False) -> str:
    """Render Review and publish."""
    live, now = service.live_settings(db.session(), integration), utcnow()
    kind = kind_of(integration.kind)
    names = (integration.live_name or "", integration.name)
    certificates = certificate_rows((integration.draft.get("idp") or {}).get("certificates") or (), now)
    return page(
        "saml_review.html",
        integration,
        form=form,
        steps=steps_of(integration),
        current="review",
        problems=problems_of(integration),
        tested=service.is_tested(integration),
        live=live,
        settings=kind.differences(None, integration.draft, now),
        changes=kind.differences(live, integration.draft, now, names) if live is not None else [],
        employees=employee_changes(integration, live),
        certificates=certificates,
        expired=[row for row in certificates if row.state == "failed"],
        conflict=differs(integration) if conflict else None,
    )
