"""Settings of a programme, and who has access to it."""

from typing import Any

from flask import flash, g, redirect, render_template, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from rgapp import programmes
from rgapp.access import CHANGERS, EVERY_ROLE, staff
from rgapp.auth.staff import staff_actor
from rgapp.clock import utcnow
from rgapp.extensions import db
from rgapp.manager import queries
from rgapp.manager.forms import SettingsForm
from rgapp.manager.routes import bp
from rgapp.models import Programme, Region
from rgapp.wording_events import REGION_LABELS

FIELDS = (
    "name",
    "contact_name",
    "contact_email",
    "region",
    "timezone",
    "colour",
    "password_sign_in",
    "second_factor_required",
    "guard_percent",
    "guard_people",
    "guard_second_person",
)

OWN_SECOND_FACTOR_FIRST = "Set up two-step sign-in for yourself first, under Account."
WITHOUT_SECOND_STEP = {0: "All admins below have one.", 1: "One of the admins below has none yet."}


@bp.get("/<slug>/settings")
@staff(*EVERY_ROLE)
def settings(slug: str) -> str:
    """Show the settings, as a form to those who may change them."""
    person = current_user._get_current_object()
    return settings_page(g.programme, SettingsForm(obj=g.programme) if person.can_change else None)


@bp.post("/<slug>/settings")
@staff(*CHANGERS)
def save_settings(slug: str) -> str | Response | tuple[str, int]:
    """Save the settings; what is wrong comes back all at once."""
    programme: Programme = g.programme
    form = SettingsForm()
    valid = form.validate_on_submit() and may_ask_for_second_factor(programme, form)
    details = {name: form[name].data for name in FIELDS if form[name].data is not None}
    try:
        if valid:
            actor = staff_actor(current_user._get_current_object())
            changed = programmes.update(db.session(), programme, actor=actor, now=utcnow(), **details)
            db.session.commit()
            flash("Saved." if changed else "Nothing was different, so nothing was changed.", "success")
            return redirect(url_for("manager.settings", slug=slug), 303)
        programmes.check(details)
    except programmes.ProgrammeError as error:
        db.session.rollback()
        for name, sentence in error.errors.items():
            if not form[name].errors:
                form[name].errors = [sentence]
    return settings_page(programme, form), 422


def may_ask_for_second_factor(programme: Programme, form: SettingsForm) -> bool:
    """Tell whether this person may ask everybody for a second step: who has none would stand outside at once."""
    asks = form.second_factor_required.data and not programme.second_factor_required
    if not asks or current_user.has_second_factor:
        return True
    form.second_factor_required.errors = [OWN_SECOND_FACTOR_FIRST]
    return False


def settings_page(programme: Programme, form: SettingsForm | None) -> str:
    """Render the page."""
    access = queries.staff_with_access(db.session(), programme)
    without = sum(not person.has_second_factor for person, _ in access)
    return render_template(
        "manager/settings.html",
        form=form,
        rows=rows_of(programme),
        access=access,
        without_second_step=WITHOUT_SECOND_STEP.get(without, f"{without} of the admins below have none yet.")
        + (" They set it up before they can open this programme again." if without else ""),
        regions={region.value: f"A date like 3 April 1990 is usually written {example}." for region, example in DATES},
        site_url=url_for("home.login", slug=programme.slug),
    )


DATES = ((Region.INTERNATIONAL, "03/04/1990"), (Region.US, "04/03/1990"))


def rows_of(programme: Programme) -> list[dict[str, Any]]:
    """Return the settings for those who only look."""
    people = f"{programme.guard_percent} % of active users and {programme.guard_people} people"
    return [
        {"label": "Name", "value": programme.name},
        {"label": "Contact", "value": programme.contact_name},
        {"label": "Contact’s e-mail address", "value": programme.contact_email},
        {"label": "Region", "value": REGION_LABELS[programme.region]},
        {"label": "Time zone", "value": programme.timezone},
        {"label": "Colour", "value": programme.colour.capitalize()},
        {"label": "Sign-in with a password", "value": "On" if programme.password_sign_in else "Off"},
        {"label": "Second step for everyone who runs it", "value": "On" if programme.second_factor_required else "Off"},
        {"label": "Deactivation guard", "value": f"Stops a run that would deactivate more than {people}"},
        {"label": "What was held is released by", "value": "Two people" if programme.guard_second_person else "One"},
    ]
