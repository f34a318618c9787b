"""What the dashboard's pages share: the blueprint, the integration in the URL, who acts, and drafts that changed."""

import uuid
from collections.abc import Iterable
from typing import Any

from flask import Blueprint, abort, current_app, flash, g, render_template, url_for
from flask_login import current_user

from rgapp.audit import Actor
from rgapp.auth.staff import staff_actor
from rgapp.dashboard.registry import has_pages
from rgapp.extensions import db
from rgapp.integrations import service
from rgapp.integrations.base import Difference
from rgapp.integrations.registry import kind_of
from rgapp.models import Integration, Programme

bp = Blueprint("dashboard", __name__, url_prefix="/manager/<slug>/integrations")


def programme() -> Programme:
    """Return the programme in the URL, which the access decorator found."""
    found: Programme = g.programme
    return found


def load(integration_id: uuid.UUID) -> Integration:
    """Return the integration in the URL, or answer 404."""
    found = service.get(db.session(), programme().id, integration_id)
    if found is None or not has_pages(found.kind):
        abort(404)
    return found


def actor() -> Actor:
    """Return the signed-in staff member as the one who acts."""
    return staff_actor(current_user._get_current_object())


def base_url() -> str:
    """Return our own address."""
    url: str = current_app.config["BASE_URL"]
    return url


def seen(integration: Integration) -> str:
    """Return what identifies the draft as somebody sees it now."""
    return service.digest({"draft": integration.draft, "name": integration.name})


def changed_meanwhile(form: Any, integration: Integration) -> bool:
    """Tell whether the draft changed since this form was filled from it; sending it again then replaces the change."""
    now_seen = seen(integration)
    if not form.seen.data or form.seen.data == now_seen:
        return False
    form.seen.data = now_seen
    return True


def page(template: str, integration: Integration | None = None, **values: Any) -> str:
    """Render a page of the dashboard, with what all of them need."""
    g.zone = programme().zone
    if integration is not None:
        values |= {"integration": integration, "kind": kind_of(integration.kind), "url": urls_of(integration)}
    return render_template(
        f"dashboard/{template}",
        programme=programme(),
        zone=programme().zone,
        can_change=current_user.can_change,
        setting_rows=setting_rows,
        **values,
    )


def urls_of(integration: Integration) -> Any:
    """Return a function that makes addresses of pages about this integration."""

    def url(endpoint: str, **values: Any) -> str:
        return url_for(f"dashboard.{endpoint}", slug=programme().slug, integration_id=integration.id, **values)

    return url


def setting_rows(settings: Iterable[Difference]) -> list[tuple[str, str]]:
    """Return settings in words for a list of labels and values."""
    return [(one.label, one.after) for one in settings]


def say_saved(changed: bool, missing: list[str]) -> None:
    """Say that a draft was saved and what it still lacks."""
    if missing:
        flash(f"Saved as a draft. Still needed: {'; '.join(missing)}.", "warning")
    else:
        flash("Saved as a draft." if changed else "Nothing changed, so nothing was saved.", "success")
