"""The frame of Reward Manager: navigation, programmes to switch between, and the one that was used last."""

from typing import Any

from flask import current_app, g, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from rgapp.access import set_cookie
from rgapp.auth.staff import programmes_of
from rgapp.extensions import db
from rgapp.manager.current import last_programme, programme_cookie
from rgapp.manager.links import section_url
from rgapp.manager.routes import bp
from rgapp.models import Programme, Staff

STAFF_BLUEPRINTS = frozenset({"manager", "dashboard", "users"})
# More programmes than this are chosen on a page with a search, not from a list in the corner.
MOST_IN_SWITCHER = 25
REMEMBERED_SECONDS = 180 * 24 * 3600
NAVIGATION = (
    ("integrations", "Integrations", "plug"),
    ("users", "Users", "people"),
    ("activity", "Activity", "clock-history"),
    ("settings", "Settings", "sliders"),
)


@bp.app_context_processor
def frame() -> dict[str, Any]:
    """Give the manager layout what it shows; other pages only whether this is the demo."""
    values: dict[str, Any] = {"demo": current_app.config["DEMO"], "mailbox_url": url_for("manager.mailbox")}
    person = current_user._get_current_object() if request.blueprint in STAFF_BLUEPRINTS else None
    if not isinstance(person, Staff):
        return values
    programmes = programmes_of(db.session(), person, limit=MOST_IN_SWITCHER + 1)
    many = len(programmes) > MOST_IN_SWITCHER
    programme = current_programme(person, programmes)
    if programme is not None:
        g.zone = programme.zone
    section = active_section()
    return values | {
        "nav": [
            {"label": label, "url": section_url(key, programme), "icon": icon, "active": key == section}
            for key, label, icon in NAVIGATION
        ],
        "programmes": [] if many else programmes,
        "programme": programme,
        "chooser_url": url_for("manager.programmes", to=section) if many else None,
        "manager_url": url_for("manager.index"),
        "switch_url": url_for("manager.switch", to=section),
        "sign_out_url": url_for("manager.logout"),
        "account_url": url_for("manager.account"),
    }


@bp.after_app_request
def remember_programme(response: Response) -> Response:
    """Keep which programme was used last in this browser, so that the next visit starts there."""
    programme: Programme | None = g.get("programme") if request.blueprint in STAFF_BLUEPRINTS else None
    if programme is not None and request.cookies.get(programme_cookie()) != programme.slug:
        set_cookie(response, programme_cookie(), programme.slug, max_age=REMEMBERED_SECONDS)
    return response


def current_programme(person: Staff, programmes: list[Programme]) -> Programme | None:
    """Return the programme of this page, else the one used last, else the only one there is."""
    if (here := g.get("programme")) is not None:
        chosen: Programme = here
        return chosen
    return last_programme(person, programmes)


def active_section() -> str:
    """Return the part of Reward Manager that this page belongs to."""
    if request.blueprint == "users":
        return "users"
    if request.blueprint == "dashboard":
        return "integrations"
    view = (request.endpoint or "").partition(".")[2]
    if view.startswith(("activity", "mail")):
        return "activity"
    return "settings" if view.startswith("settings") else ""
