"""The page at the root: where employees and staff go on; it names no programme, except the demo's."""

from flask import Blueprint, current_app, render_template

from rgapp.access import public

bp = Blueprint("landing", __name__)


@bp.get("/")
@public
def index() -> str:
    """Point employees to their programme and staff to Reward Manager."""
    return render_template("home/landing.html", demo=current_app.config["DEMO"])
