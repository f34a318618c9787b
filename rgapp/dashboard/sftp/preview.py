"""Preview: the whole example file as a dry run, by a worker; nothing is written, and the outcome can be looked at."""

import uuid

from flask import flash, redirect, url_for
from werkzeug.wrappers import Response

from rgapp.access import CHANGERS, EVERY_ROLE, staff
from rgapp.clock import utcnow
from rgapp.dashboard.common import bp, page
from rgapp.dashboard.feeds.preview import is_acceptable
from rgapp.dashboard.feeds.run import report_values
from rgapp.dashboard.feeds.sheet import sheet_of
from rgapp.dashboard.sftp.connection import connection, example_of
from rgapp.dashboard.sftp.identifiers import compared
from rgapp.dashboard.steps import steps_of
from rgapp.extensions import db, limiter
from rgapp.integrations import service
from rgapp.integrations.registry import kind_of
from rgapp.integrations.sync import previews, runs
from rgapp.integrations.sync.forgetting import forget_runs


@bp.get("/<uuid:integration_id>/sftp/preview")
@staff(*EVERY_ROLE)
def sftp_preview(slug: str, integration_id: uuid.UUID) -> str:
    """Show the newest preview, and how another one is begun."""
    integration = connection(integration_id)
    found, example = previews.newest(db.session(), integration), example_of(integration)
    return page(
        "sftp/preview.html",
        integration,
        steps=steps_of(integration),
        current="preview",
        example=example,
        compared=compared(integration, example),
        missing=kind_of(integration.kind).missing(integration.draft),
        sheet=sheet_of(found, utcnow()) if found is not None else None,
        is_of_draft=found is not None and found.settings == integration.draft,
        can_accept=found is not None and is_acceptable(found, integration),
        tested=service.is_tested(integration),
        **(report_values(found) if found is not None else {}),
    )


@bp.post("/<uuid:integration_id>/sftp/preview")
@staff(*CHANGERS)
@limiter.limit("20/minute")
def sftp_start_preview(slug: str, integration_id: uuid.UUID) -> Response:
    """Let a worker go through the example as the draft says."""
    integration, session = connection(integration_id), db.session()
    example = example_of(integration)
    target = url_for("dashboard.sftp_preview", slug=slug, integration_id=integration_id)
    if example is None or kind_of(integration.kind).missing(integration.draft):
        flash("A preview needs an example file, and a column for each mandatory field.", "warning")
        return redirect(url_for("dashboard.sftp_example", slug=slug, integration_id=integration_id), 303)
    forget_runs(session, integration, previews=True)
    settings = dict(integration.draft)
    runs.receive(session, integration, now=utcnow(), path=example.path, name=example.name, preview_of=settings)
    session.commit()
    return redirect(target, 303)


@bp.post("/<uuid:integration_id>/sftp/preview/accept")
@staff(*CHANGERS)
def sftp_accept_preview(slug: str, integration_id: uuid.UUID) -> Response:
    """Note that somebody has looked at the preview of this draft and found it right."""
    integration, session = connection(integration_id), db.session()
    found = previews.newest(session, integration)
    if found is None or not is_acceptable(found, integration):
        flash("The draft has changed since this preview, or it did not come to its end. Look at a new one.", "warning")
        return redirect(url_for("dashboard.sftp_preview", slug=slug, integration_id=integration_id), 303)
    service.note_test(session, integration, passed=True, tested=integration.draft)
    session.commit()
    return redirect(url_for("dashboard.review", slug=slug, integration_id=integration_id), 303)
