"""The set-up's stepper, and who changed a draft meanwhile."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import url_for

from rgapp.dashboard import queries
from rgapp.dashboard.common import programme
from rgapp.dashboard.kinds import Step
from rgapp.dashboard.registry import pages_of
from rgapp.extensions import db
from rgapp.integrations import service
from rgapp.models import Integration


@dataclass(frozen=True)
class Meanwhile:
    """A change of somebody else since a form was filled."""

    who: str
    at: datetime


def steps_of(integration: Integration) -> list[dict[str, Any]]:
    """Return the stepper's items, each with whether it is complete."""
    published = integration.live_version is not None and integration.live_name == integration.name
    is_live = published and service.live_settings(db.session(), integration) == integration.draft
    steps = [
        *pages_of(integration.kind).steps(integration),
        Step("review", "Review and publish", "dashboard.review", is_live),
    ]
    return [
        {
            "key": step.key,
            "label": step.label,
            "url": url_for(step.endpoint, slug=programme().slug, integration_id=integration.id),
            "state": step.state,
        }
        for step in steps
    ]


def first_step(integration: Integration) -> str:
    """Return the address where the set-up of an integration begins."""
    endpoint = pages_of(integration.kind).first_endpoint
    return url_for(endpoint, slug=programme().slug, integration_id=integration.id)


def differs(integration: Integration) -> Meanwhile:
    """Return who changed the draft last, to be named beside what was typed here."""
    event = queries.last_editor(db.session(), integration)
    return Meanwhile(event.actor_label if event else "Somebody", event.at if event else integration.updated_at)
