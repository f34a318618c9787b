"""The way to a programme: where the person left off, a choice with a search, a switch to another one."""

from flask import abort, g, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from rgapp.access import EVERY_ROLE, staff
from rgapp.auth import staff as accounts
from rgapp.extensions import db
from rgapp.manager import queries
from rgapp.manager.current import last_programme
from rgapp.manager.links import DEFAULT_SECTION, SECTIONS, section_url
from rgapp.manager.routes import bp


@bp.get("/")
@staff(*EVERY_ROLE)
def index() -> Response:
    """Go to where the person left off, or let them choose."""
    return _go(DEFAULT_SECTION)


@bp.get("/integrations")
@staff(*EVERY_ROLE)
def integrations() -> Response:
    """Go to the Integrations Dashboard of the programme used last, or let the person choose one."""
    return _go("integrations")


@bp.get("/mailbox")
@staff(*EVERY_ROLE)
def mailbox() -> Response:
    """Go to the mails of the programme used last: the demo's mailbox."""
    return _go("mail")


@bp.get("/programmes")
@staff(*EVERY_ROLE)
def programmes() -> str:
    """Choose a programme, with a search for those who see many."""
    section = request.args.get("to", "")
    search = request.args.get("q", "")
    found = queries.find_programmes(db.session(), current_user._get_current_object(), search)
    rows = [(programme, section_url(section, programme)) for programme in found[: queries.MOST_PROGRAMMES]]
    return render_template(
        "manager/programmes.html",
        rows=rows,
        more=len(found) > queries.MOST_PROGRAMMES,
        search=search,
        section=section if section in SECTIONS else "",
    )


@bp.post("/programme")
@staff(*EVERY_ROLE)
def switch() -> Response:
    """Go to the same part of another programme."""
    section = request.args.get("to", "")
    slug = request.form.get("programme", "")
    if not slug:
        return redirect(url_for("manager.programmes", to=section or None), 303)
    programme = accounts.programme_for(db.session(), current_user._get_current_object(), slug)
    if programme is None:
        abort(404)
    g.programme = programme
    return redirect(section_url(section, programme), 303)


def _go(section: str) -> Response:
    person = current_user._get_current_object()
    few = accounts.programmes_of(db.session(), person, limit=2)
    return redirect(section_url(section, last_programme(person, few)))
