"""Settling alerts: somebody has looked at what was unusual."""

import uuid

from flask import flash, redirect, url_for
from werkzeug.wrappers import Response

from rgapp.access import CHANGERS, staff
from rgapp.clock import utcnow
from rgapp.dashboard.common import actor, bp, load, programme
from rgapp.extensions import db
from rgapp.provisioning.guard import settle


@bp.post("/<uuid:integration_id>/alerts/<uuid:alert_id>/settle")
@staff(*CHANGERS)
def settle_alert(slug: str, integration_id: uuid.UUID, alert_id: uuid.UUID) -> Response:
    """Note that an admin has looked at an alert about this integration."""
    load(integration_id)
    if settle(db.session(), programme().id, alert_id, actor=actor(), now=utcnow()):
        db.session.commit()
        flash("Noted. You are told again when unusually many people are taken out from now on.", "success")
    else:
        flash("Somebody has settled this already.", "info")
    return redirect(url_for("dashboard.integration", slug=slug, integration_id=integration_id), 303)
