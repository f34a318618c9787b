"""Connect: where the report is and what opens it, tested at once, with what is wrong in plain words."""

import uuid
from typing import Final

from flask import current_app, flash, redirect, url_for
from werkzeug.wrappers import Response

from rgapp.access import CHANGERS, EVERY_ROLE, staff
from rgapp.clock import utcnow
from rgapp.dashboard.common import actor, bp, changed_meanwhile, page, seen
from rgapp.dashboard.pulls.asking import SECONDS, TRIES, patience
from rgapp.dashboard.pulls.pages import words_for
from rgapp.dashboard.pulls.sources import PullSource, of_kind
from rgapp.dashboard.pulls.state import kept_words, state_of
from rgapp.dashboard.pulls.testing import test_way_in
from rgapp.dashboard.steps import differs, steps_of
from rgapp.extensions import db, limiter, sealer
from rgapp.integrations import service
from rgapp.integrations.json_report.forms import ConnectForm
from rgapp.integrations.json_report.kind import KIND
from rgapp.integrations.json_report.report import Report
from rgapp.integrations.pulls import access
from rgapp.integrations.pulls.access import Secrets
from rgapp.integrations.pulls.account import AccountError
from rgapp.models import Integration

TAKEN: Final = "Another integration of this programme has this name."


def report_of(integration: Integration) -> Report:
    """Return the report, opened as the draft says.

    Raises `AccountError` where the draft does not say where it is.
    """
    draft, allow = integration.draft, current_app.config["OUTBOUND_ALLOW"]
    if not draft.get("url"):
        raise AccountError("not_connected", "Say first where the report is, and what opens it.")
    return Report(
        draft["url"], draft.get("list") or "", kept(integration), allow=allow, alive=patience(), seconds=SECONDS,
        tries=TRIES,
    )  # fmt: skip


def kept(integration: Integration) -> Secrets | None:
    """Return what opens the report, None where nothing is kept."""
    return access.secrets_of(access.of_integration(db.session(), integration), sealer())


SOURCE: Final = PullSource(
    key=KIND,
    other="the report",
    connect="json_report_connect",
    after_mapping="pull_schedule",
    usual=(),
    never_mapped="Who is in the report is there, and who is no longer in it has left: nothing else is read of it.",
    open=report_of,
    needs_access=False,
)


@bp.get("/<uuid:integration_id>/json-report/connect")
@staff(*EVERY_ROLE)
def json_report_connect(slug: str, integration_id: uuid.UUID) -> str:
    """Show Connect."""
    integration = of_kind(integration_id, KIND)
    form = ConnectForm(formdata=None)
    form.kept, form.kept_for = kept(integration), integration.draft.get("url") or ""
    form.fill(integration.name, integration.draft)
    form.seen.data = seen(integration)
    return connect_page(integration, form)


@bp.post("/<uuid:integration_id>/json-report/connect")
@staff(*CHANGERS)
@limiter.limit("20/minute")
def json_report_save_connect(slug: str, integration_id: uuid.UUID) -> str | Response:
    """Save Connect, test the way in, and go on where it works."""
    integration, form = of_kind(integration_id, KIND), ConnectForm()
    form.kept, form.kept_for = kept(integration), integration.draft.get("url") or ""
    conflict = changed_meanwhile(form, integration)
    if not form.validate() or conflict:
        return connect_page(integration, form, conflict=conflict)
    session, now = db.session(), utcnow()
    try:
        service.save_draft(session, integration, actor=actor(), now=now, name=form.name.data, **form.parts())
    except service.NameTaken:
        session.rollback()
        form.name.errors = [TAKEN]
        return connect_page(of_kind(integration_id, KIND), form)
    if (secrets := form.secrets()) is not None:
        access.keep(session, integration, secrets, sealer=sealer(), actor=actor(), now=now)
    session.commit()
    if not test_way_in(integration, SOURCE):
        return redirect(url_for("dashboard.json_report_connect", slug=slug, integration_id=integration_id), 303)
    flash("The report lets us in.", "success")
    return redirect(url_for("dashboard.pull_mapping", slug=slug, integration_id=integration_id), 303)


def connect_page(integration: Integration, form: ConnectForm, *, conflict: bool = False) -> str:
    """Render Connect."""
    state = state_of(integration, SOURCE)
    return page(
        "json_report/connect.html",
        integration,
        form=form,
        source=SOURCE,
        state=state,
        kept=kept_words(state),
        words=words_for(SOURCE.other),
        steps=steps_of(integration),
        current="connect",
        conflict=differs(integration) if conflict else None,
    )
