"""The set-up's stepper, the provider's own steps with our values, and who changed a draft meanwhile."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import url_for

from rgapp.dashboard import queries
from rgapp.dashboard.common import programme
from rgapp.extensions import db
from rgapp.integrations import service
from rgapp.integrations.saml import setup
from rgapp.integrations.saml.preset import OurValue, ProviderPreset
from rgapp.models import Integration

STEPS = (
    ("initial", "Initial set-up", "dashboard.saml_initial"),
    ("mapping", "Mapping", "dashboard.saml_mapping"),
    ("testing", "Testing", "dashboard.saml_testing"),
    ("review", "Review and publish", "dashboard.saml_review"),
)
OUR_URLS = {
    OurValue.ENTITY_ID: "entity_id",
    OurValue.ACS_URL: "acs",
    OurValue.METADATA_URL: "metadata",
    OurValue.LOGIN_URL: "login",
    OurValue.SLS_URL: "sls",
}


@dataclass(frozen=True)
class Meanwhile:
    """A change of somebody else since a form was filled."""

    who: str
    at: datetime


def steps_of(integration: Integration) -> list[dict[str, Any]]:
    """Return the stepper's items, each with whether it is complete."""
    published = integration.live_version is not None and integration.live_name == integration.name
    done = {
        "initial": not setup.missing_of_idp(integration.draft),
        "mapping": not setup.missing_of_mapping(integration.draft),
        "testing": service.is_tested(integration),
        "review": published and service.live_settings(db.session(), integration) == integration.draft,
    }
    return [
        {
            "key": key,
            "label": label,
            "url": url_for(endpoint, slug=programme().slug, integration_id=integration.id),
            "state": "done" if done[key] else None,
        }
        for key, label, endpoint in STEPS
    ]


def guide(preset: ProviderPreset, urls: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the provider's own steps, with the values of ours that go into its fields."""
    return [
        {"text": step.text, "copy": [(step.their_field, urls[OUR_URLS[step.copy]])] if step.copy else []}
        for step in preset.steps
    ]


def differs(integration: Integration) -> Meanwhile:
    """Return who changed the draft last, to be named beside what was typed here."""
    event = queries.last_editor(db.session(), integration)
    return Meanwhile(event.actor_label if event else "Somebody", event.at if event else integration.updated_at)
