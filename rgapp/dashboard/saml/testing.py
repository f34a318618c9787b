"""Testing: a dry run by a real test sign-in or of a pasted response; it writes no user and sends no mail."""

import uuid

from flask import current_app, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from rgapp.access import CHANGERS, EVERY_ROLE, staff
from rgapp.audit import Tag, record_event
from rgapp.clock import utcnow
from rgapp.dashboard.common import actor, base_url, bp, page, programme
from rgapp.dashboard.saml import queries
from rgapp.dashboard.saml.connection import connection
from rgapp.dashboard.saml.sheet import sentence_of, sheet_of
from rgapp.dashboard.steps import steps_of
from rgapp.extensions import db, limiter, sealer
from rgapp.integrations import service
from rgapp.integrations.base import SettingsError
from rgapp.integrations.registry import kind_of
from rgapp.integrations.saml import attempts
from rgapp.integrations.saml.kind import service_urls
from rgapp.integrations.saml.mapping_forms import PasteForm
from rgapp.integrations.saml.presets import PRESETS
from rgapp.integrations.saml.settings import InboundSAMLSettings
from rgapp.integrations.saml.understood import read_pasted
from rgapp.models import Integration, Purpose


@bp.get("/<uuid:integration_id>/setup/testing")
@staff(*EVERY_ROLE)
def saml_testing(slug: str, integration_id: uuid.UUID) -> str:
    """Show the two ways to test, and the result of the test in `attempt`, or of the last one."""
    return testing_page(connection(integration_id), PasteForm(formdata=None))


@bp.post("/<uuid:integration_id>/setup/testing")
@staff(*CHANGERS)
@limiter.limit("30/minute")
def paste_response(slug: str, integration_id: uuid.UUID) -> str | Response:
    """Examine a pasted response with the draft."""
    integration, form = connection(integration_id), PasteForm()
    if kind_of(integration.kind).missing(integration.draft):
        flash("Complete Initial set-up and Mapping before you test.", "warning")
        return redirect(url_for("dashboard.saml_testing", slug=slug, integration_id=integration_id), 303)
    if not form.validate():
        return testing_page(integration, form)
    settings = read_draft(integration)
    if settings is None:
        flash("The draft cannot be used yet. Review says what is wrong.", "warning")
        return redirect(url_for("dashboard.review", slug=slug, integration_id=integration_id), 303)
    now, session = utcnow(), db.session()
    result = attempts.dry_run(
        session,
        integration,
        settings,
        read_pasted(form.response.data or ""),
        base_url=base_url(),
        sealer=sealer(),
        now=now,
        purpose=Purpose.PASTED,
        retention_days=current_app.config["ATTEMPT_RETENTION_DAYS"],
    )
    attempt = result.attempt
    service.note_test(session, integration, passed=attempt.accepted, tested=integration.draft)
    record_event(
        session,
        Tag.INTEGRATION_TESTED,
        actor(),
        now=now,
        programme_id=integration.programme_id,
        integration_id=integration.id,
        facts={"name": integration.name, "passed": attempt.accepted, "reference": attempt.reference},
    )
    session.commit()
    target = url_for("dashboard.saml_testing", slug=slug, integration_id=integration_id, attempt=attempt.reference)
    return redirect(f"{target}#result", 303)


def read_draft(integration: Integration) -> InboundSAMLSettings | None:
    """Return the draft by its schema, None where it does not hold."""
    try:
        read = kind_of(integration.kind).validate(integration.draft)
    except SettingsError:
        return None
    return read if isinstance(read, InboundSAMLSettings) else None


def testing_page(integration: Integration, form: PasteForm) -> str:
    """Render Testing, with the sheet of one test and the list of the last ones."""
    tests = queries.last_tests(db.session(), integration)
    wanted = request.args.get("attempt", "")
    shown = queries.attempt(db.session(), integration, wanted) if wanted else (tests[0] if tests else None)
    urls = service_urls(integration.public_id, base_url())
    return page(
        "saml/testing.html",
        integration,
        form=form,
        steps=steps_of(integration),
        current="testing",
        preset=PRESETS[integration.provider],
        missing=kind_of(integration.kind).missing(integration.draft),
        can_start=bool((integration.draft.get("idp") or {}).get("sso_url")),
        test_url=url_for("sso.test_login", public_id=integration.public_id),
        sheet=sheet_of(shown, integration, programme(), urls) if shown else None,
        is_old=bool(shown) and not wanted,
        tests=[(one, sentence_of(one)) for one in tests],
        tested=service.is_tested(integration),
        parameter=integration.draft.get("parameter_name", "SAMLResponse"),
    )
