"""Which programme somebody works in: the one that this browser used last."""

from flask import current_app, request

from rgapp.auth.staff import programme_for
from rgapp.extensions import db
from rgapp.models import Programme, Staff


def programme_cookie() -> str:
    """Return the name of the cookie that remembers the programme."""
    return "__Host-rg_programme" if current_app.config["HTTPS"] else "rg_programme"


def last_programme(person: Staff, programmes: list[Programme]) -> Programme | None:
    """Return the programme that this browser used last, where the person may still see it, else the only one."""
    slug = request.cookies.get(programme_cookie())
    known = next((item for item in programmes if item.slug == slug), None)
    if known is None and slug:
        known = programme_for(db.session(), person, slug)
    return known or (programmes[0] if len(programmes) == 1 else None)
