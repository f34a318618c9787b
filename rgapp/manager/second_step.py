"""Two-step sign-in of the person who is signed in: set it up, make recovery codes, switch it off."""

from urllib.parse import quote

import segno
from flask import flash, g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from rgapp.access import EVERY_ROLE, staff
from rgapp.auth import second_factor, throttle
from rgapp.auth.enforcement import programme_that_asks
from rgapp.auth.staff_events import staff_actor
from rgapp.clock import utcnow
from rgapp.database import without_lock
from rgapp.extensions import db, limiter, sealer
from rgapp.manager.account import is_my_password, me, renew_token, with_new_token
from rgapp.manager.accounts import note_refused_code
from rgapp.manager.forms import EnrolForm, ProofForm
from rgapp.manager.limits import realms, take_code_try
from rgapp.manager.routes import TOO_MANY_CODES, WRONG_CODE, bp
from rgapp.redirects import safe_next

WRONG_FIRST_CODE = (
    "This is not the code that the app shows now. Enter the newest one, and let the phone set its clock by itself."
)


@bp.get("/account/two-step")
@staff(*EVERY_ROLE, second_factor=False)
def second_factor_setup() -> str | Response:
    """Show the secret that this browser began with, or what a second step is."""
    if me().has_second_factor:
        return redirect(safe_next(request.args.get("next")) or url_for("manager.account"))
    return enrol_page(EnrolForm())


@bp.post("/account/two-step/start")
@staff(*EVERY_ROLE, second_factor=False)
def start_second_factor() -> Response:
    """Make a new secret for the app."""
    second_factor.begin(db.session(), me(), g.staff_session, sealer(), now=utcnow())
    db.session.commit()
    return redirect(url_for("manager.second_factor_setup", next=safe_next(request.args.get("next")) or None), 303)


@bp.post("/account/two-step")
@staff(*EVERY_ROLE, second_factor=False)
@limiter.limit("10/minute")
def confirm_second_factor() -> str | Response:
    """Switch the second step on by a first code, and show the recovery codes this once."""
    person, form = me(), EnrolForm()
    if person.has_second_factor:
        return redirect(url_for("manager.account"), 303)
    with without_lock():
        proven = form.validate_on_submit() and is_my_password(form.password)
    if not proven:
        return enrol_page(form)
    codes = second_factor.confirm(db.session(), person, g.staff_session, sealer(), form.code.data or "", now=utcnow())
    if codes is None:
        db.session.rollback()
        form.code.errors = [WRONG_FIRST_CODE]
        return enrol_page(form)
    return codes_page(codes, first=True)


@bp.route("/account/two-step/recovery-codes", methods=["GET", "POST"])
@staff(*EVERY_ROLE, second_factor=False)
@limiter.limit("10/minute", methods=["POST"])
def recovery_codes() -> str | Response:
    """Make new recovery codes; the ones before stop working."""
    person, form = me(), ProofForm()
    if not person.has_second_factor:
        return redirect(url_for("manager.account"))
    if is_proven(form):
        return codes_page(second_factor.new_recovery_codes(db.session(), person, now=utcnow()), first=False)
    left = second_factor.recovery_codes_left(db.session(), person)
    return render_template("manager/recovery_codes.html", form=form, left=left)


@bp.route("/account/two-step/off", methods=["GET", "POST"])
@staff(*EVERY_ROLE, second_factor=False)
@limiter.limit("10/minute", methods=["POST"])
def second_factor_off() -> str | Response:
    """Switch the second step off, with both steps as proof."""
    person, form = me(), ProofForm()
    if not person.has_second_factor:
        return redirect(url_for("manager.account"))
    if is_proven(form):
        second_factor.switch_off(db.session(), person, staff_actor(person), now=utcnow(), keep=g.staff_session)
        flash("Two-step sign-in is off. Your password alone signs you in now.", "success")
        return with_new_token()
    return render_template("manager/second_step_off.html", form=form)


def is_proven(form: ProofForm) -> bool:
    """Tell whether the form holds the password and a code; both are compared, and the fields say what is wrong."""
    with without_lock():
        if not form.validate_on_submit() or not is_my_password(form.password):
            return False
    person, typed = me(), form.code.data or ""
    if second_factor.is_app_code(typed) and not take_code_try(person):
        form.code.errors = [TOO_MANY_CODES]
    elif second_factor.prove(db.session(), person, sealer(), typed, now=utcnow()) is None:
        db.session.rollback()
        note_refused_code(db.session(), person, now=utcnow())
        db.session.commit()
        form.code.errors = [WRONG_CODE]
    else:
        return True
    return False


def enrol_page(form: EnrolForm) -> str:
    """Render the page to set the second step up, with the secret as a picture and as text once it is begun."""
    wanted = safe_next(request.args.get("next"))
    begun = second_factor.enrolment_of(db.session(), me(), g.staff_session, sealer(), now=utcnow())
    return render_template(
        "manager/second_step.html",
        form=form,
        picture=segno.make(begun.uri, micro=False).svg_data_uri(scale=5, border=3, light="#fff") if begun else None,
        secret=" ".join(begun.secret[at : at + 4] for at in range(0, len(begun.secret), 4)) if begun else None,
        uri=begun.uri if begun else None,
        asking=programme_that_asks(db.session(), me()),
        wanted=wanted,
    )


def codes_page(codes: list[str], *, first: bool) -> Response:
    """Commit, and show recovery codes, which nobody can show again."""
    response = make_response()
    renew_token(response)
    throttle.remember_browser(response, me().email, *realms(me()))
    text = "Recovery codes for Reward Manager, " + me().email + "\nEach works once.\n\n" + "\n".join(codes) + "\n"
    response.set_data(
        render_template(
            "manager/recovery_codes_new.html",
            codes=codes,
            first=first,
            file="data:text/plain;charset=utf-8," + quote(text),
            wanted=safe_next(request.args.get("next")) or url_for("manager.account" if not first else "manager.index"),
        )
    )
    return response
